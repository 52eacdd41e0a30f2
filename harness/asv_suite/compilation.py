"""Seconds of compilation on a cold cache, by strategy."""

from __future__ import annotations

import os
import tempfile
from typing import ClassVar
from unittest import mock

from contend.harness.observer import Observer
from contend.harness.plan.resolve import BASELINE

# Relative: asv imports the folder under a name of its own.
from .cells import WrongResultError, measure, verified
from .settings import SETTINGS

BLOCK_SIZE = 64


class _Stopwatch(Observer):
    def __init__(self) -> None:
        self.seconds = 0.0

    def compiled(self, process: int, kernel: str, seconds: float) -> None:
        self.seconds += seconds


class ColdCompilation:
    """Compilation on a cold cache, which a first user waits for."""

    version = "1"
    params: ClassVar = (SETTINGS.strategies,)
    param_names: ClassVar = ("strategy",)
    unit = "seconds"

    def setup_cache(self) -> dict[str, float]:
        """Compile the strategies one after the other into one empty cache.

        What several need counts for the first of them: the EVM for the serial baseline, with which each list begins.

        Returns
        -------
        dict
            Seconds by strategy.
        """
        seconds = {}
        with (
            tempfile.TemporaryDirectory() as folder,
            # The measuring process takes it over.
            mock.patch.dict(os.environ, {"CONTEND_CACHE_DIR": folder}),
        ):
            for strategy in dict.fromkeys((BASELINE, *SETTINGS.strategies)):
                stopwatch = _Stopwatch()
                cells = measure(
                    workloads="payments",
                    strategies=strategy,
                    workers=1,
                    block_size=BLOCK_SIZE,
                    repeat=1,
                    # A second process would wait for the first and count its work again.
                    processes=1,
                    observer=stopwatch,
                )
                verified(cells, strategy, "payments", 1)
                seconds[strategy] = stopwatch.seconds
        if not any(seconds.values()):
            raise WrongResultError("nothing was compiled into an empty cache")
        return seconds

    # Seconds, on a slow machine.
    setup_cache.timeout = 1_800  # type: ignore[attr-defined]  # asv's way to give it

    def track_compilation(self, seconds: dict[str, float], strategy: str) -> float:
        """Give the seconds that this strategy's kernels took."""
        return seconds[strategy]
