"""The lane with NUMBA_BOUNDSCHECK=1 really checks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from contend.evm.runtime.kernel_cache import bounds_checked
from contend.evm.runtime.memory_views import clear_bytes, load_8, move_bytes, store_8
from tests.evm.runner import FREE, MachineFaultError, Runner, free_call, with_code

pytestmark = [
    pytest.mark.bounds,
    pytest.mark.skipif(not bounds_checked(), reason="only with NUMBA_BOUNDSCHECK=1"),
]


def test_an_index_out_of_bounds_in_the_interpreter_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    # A function reached by address cannot raise: Python reports the error as unraisable, which fails a test of this
    # project (warnings are errors), and the driver sees an ending that it does not know.
    seen: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    runner = Runner()
    world = with_code(b"\0")
    runner.run(world, free_call(), FREE)
    assert runner.machine is not None
    runner.machine.header["frames_words"] = 5
    with pytest.raises(MachineFaultError):
        runner.run(world, free_call(), FREE)
    assert [report.exc_type for report in seen] == [IndexError]


@pytest.mark.parametrize("at", [-1, 9, 16, 1 << 40])
def test_wide_accesses_are_checked(at: int) -> None:
    array = np.zeros(16, np.uint8)
    accesses: tuple[Callable[[], Any], ...] = (
        lambda: load_8(array, at),
        lambda: store_8(array, at, np.uint64(1)),
        lambda: clear_bytes(array, at, 8),
        lambda: move_bytes(array, at, array, 0, 8),
        lambda: move_bytes(array, 0, array, at, 8),
    )
    for access in accesses:
        with pytest.raises(IndexError):
            access()
    load_8(array, 8)
    clear_bytes(array, at, 0)
