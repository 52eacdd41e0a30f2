"""Seconds of compilation on a cold cache, by strategy."""

from __future__ import annotations

import os
import tempfile
from typing import ClassVar
from unittest import mock

from harness.observer import Observer
from strategies import registry as strategies

# Relative: asv imports the folder under a name of its own.
from .cells import measure, verified

BLOCK_SIZE = 64


class _Stopwatch(Observer):
    def __init__(self) -> None:
        self.seconds = 0.0

    def compiled(self, process: int, kernel: str, seconds: float) -> None:
        self.seconds += seconds


class ColdCompilation:
    """Time until a strategy could run for the first time on a machine."""

    params: ClassVar = (strategies.names(),)
    param_names: ClassVar = ("strategy",)
    unit = "seconds"

    def track_compilation(self, strategy: str) -> float:
        """Give the seconds spent compiling the kernels of a strategy and of the serial baseline, into an empty cache.

        One measuring process, so that no kernel is compiled twice.
        """
        stopwatch = _Stopwatch()
        with (
            tempfile.TemporaryDirectory() as folder,
            # The measuring process takes it over; the kernels of this one are compiled already.
            mock.patch.dict(os.environ, {"CONTEND_CACHE_DIR": folder}),
        ):
            cells = measure(
                workloads="payments",
                strategies=strategy,
                workers=1,
                block_size=BLOCK_SIZE,
                repeat=1,
                processes=1,
                observer=stopwatch,
            )
        verified(cells, strategy, "payments", 1)
        return stopwatch.seconds
