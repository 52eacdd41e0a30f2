"""The race of programs against revm, with machines and times that are made up; and one real program on both."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from shared_data import shared

from contend.evm import Environment
from tests.evm.assembly import assemble
from tests.evm.runner import FREE, free_call, with_code
from tools.programs import race
from tools.programs.machines import Here, Result
from tools.programs.program_files import SUITES, Program, programs_of
from tools.programs.race import DifferenceError, Pace

PROGRAM = Program("suite", "program", {}, Environment(), free_call())


class MadeUp:
    """Takes as long as it is told to."""

    def __init__(self, seconds: float, result: Result, log: list[float]) -> None:
        self._seconds, self._result, self._log = seconds, result, log

    def run(self) -> float:
        self._log.append(self._seconds)
        return self._seconds

    def result(self) -> Result:
        return self._result


def test_both_take_turns_and_each_is_first_in_every_second_round() -> None:
    log: list[float] = []
    done = Result(True, 21_000, b"")
    pace = race.race(PROGRAM, MadeUp(1.0, done, log), MadeUp(3.0, done, log), 3)
    assert log == [1.0, 3.0, 3.0, 1.0, 1.0, 3.0]
    assert pace.ratio == 3.0


@pytest.mark.parametrize("other", [Result(False, 1, b""), Result(True, 2, b""), Result(True, 1, b"\0")])
def test_those_that_do_not_the_same_have_no_ratio(other: Result) -> None:
    with pytest.raises(DifferenceError, match="program"):
        race.race(PROGRAM, MadeUp(1.0, Result(True, 1, b""), []), MadeUp(1.0, other, []), 2)


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=2, max_size=9))
def test_the_mean_of_ratios_and_of_their_inverses_are_inverse(pairs: list[tuple[float, float]]) -> None:
    found = [Pace("suite", "name", (ours,) * 2, (theirs,) * 2) for ours, theirs in pairs]
    turned = [replace(pace, here=pace.revm, revm=pace.here) for pace in found]
    assert race.geometric_mean(found) * race.geometric_mean(turned) == pytest.approx(1.0)
    assert race.slowest(found).ratio == min(pace.ratio for pace in found)


def test_short_programs_are_shown_and_are_in_no_mean() -> None:
    found = [Pace("a", "long", (1e-3, 1e-3), (2e-3, 2e-3)), Pace("b", "short", (1e-6, 1e-6), (4e-6, 4e-6))]
    assert race.geometric_mean(found) == pytest.approx(2.0)
    target = io.StringIO()
    race.print_paces(Console(file=target, width=80), found)
    lines = target.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "(4.00)" in target.getvalue()
    assert "all: 2.00 in the geometric mean of 1, least 2.00 (long)" in lines


def test_a_program_runs_again_from_the_same_state() -> None:
    code = assemble("PUSH0 SLOAD", 1, "ADD DUP1 PUSH0 SSTORE PUSH0 MSTORE", 32, "PUSH0 RETURN")
    world = with_code(code)
    here = Here(Program("suite", "program", world, FREE, free_call()))
    for _ in range(3):
        assert here.run() >= 0
        assert here.result().output == (1).to_bytes(32, "big")


def test_the_suites_hold_programs_that_succeed() -> None:
    for suite in SUITES:
        found = list(programs_of(shared(suite)))
        assert len(found) >= 10
        for program in found[:2]:
            assert Here(program).result().success


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("CONTEND_DATA_DIR", str(tmp_path))
    assert "evm_benchmarks, evm_programs" in str(race.missing())
