"""Checks of kernels: they raise where indices are checked, and are not there elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROGRAM = """
    import numpy as np
    from contend.evm.runtime.checks import check
    from contend.evm.runtime.integers import U0, U1
    from contend.evm.runtime.jit import kernel
    from contend.evm.runtime.structs import U64, Struct

    LAMP = Struct("Lamp", is_on=U64, switched=U64)

    @kernel()
    def turn_on(address):
        lamp = LAMP.at(address)
        check(lamp.is_on == U0)
        lamp.is_on = U1

    @kernel()
    def turn_on_unchecked(address):
        lamp = LAMP.at(address)
        lamp.is_on = U1

    lamps = LAMP.zeros()
    turn_on(int(lamps.ctypes.data))
    turn_on_unchecked(int(lamps.ctypes.data))
    loads = [
        sum("load i64" in line for line in next(iter(one.inspect_llvm().values())).splitlines())
        for one in (turn_on, turn_on_unchecked)
    ]
    print("loads", loads[0] - loads[1])
    try:
        turn_on(int(lamps.ctypes.data))
        print("went on")
    except IndexError as error:
        print("raised", error)
"""


@pytest.mark.parametrize(("lane", "said"), [("0", ["loads 0", "went on"]), ("1", ["loads 1", "raised check failed"])])
def test_a_check_fires_in_the_bounds_lane_and_compiles_to_nothing_elsewhere(
    tmp_path: Path, lane: str, said: list[str]
) -> None:
    program = tmp_path / "lamps.py"
    program.write_text(textwrap.dedent(PROGRAM))
    environment = os.environ | {"NUMBA_BOUNDSCHECK": lane, "CONTEND_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, str(program)], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == said, done.stderr
