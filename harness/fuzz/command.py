"""``contend fuzz-evm``: random programs on this EVM and on revm."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from evm import CapacityError
from harness.errors import BadInputError
from harness.fuzz.programs import Case, scrambled, structured, with_gas
from harness.fuzz.shrink import describe, shrink
from harness.statetest import fork_of
from harness.track import track

LEAST_GAS = 21_000
# One program in so many is random bytes; the others are made to get somewhere.
SCRAMBLED_EVERY = 5


def case_of(program: int, fork: str) -> Case:
    """The program of a number: the same one for ever."""
    case = scrambled(program) if program % SCRAMBLED_EVERY == 0 else structured(program)
    return replace(case, environment=replace(case.environment, fork=fork))


def fuzz(programs: range, fork: str, quiet: bool) -> Iterator[tuple[int, Case, list[str]]]:
    """Compare each program, and the same with less gas than it took: out of gas at some instruction.

    Yields
    ------
    tuple
        Number of the program, the case that differs, made small, and what differs.
    """
    from harness.fuzz.compare import Judge

    judge = Judge()
    for program in track(programs, "programs", quiet):
        case = case_of(program, fork)
        variants = [case]
        for variant in variants:
            wrong = judge.differences(variant)
            if wrong:
                small = shrink(variant, lambda other: bool(_differences(judge.differences, other)))
                yield program, small, judge.differences(small) or wrong
                break
            if len(variants) == 1 and judge.gas_used > LEAST_GAS:
                variants.append(with_gas(case, Random(program).randint(LEAST_GAS, judge.gas_used)))


def _differences(judge: Callable[[Case], list[str]], case: Case) -> list[str]:
    try:
        return judge(case)
    except CapacityError:
        return []


def run_command(programs: int, seed: int, fork_name: str, echo: Callable[[str], object], quiet: bool) -> int:
    """Fuzz, print each difference with its program as assembly, and close with one line.

    Returns
    -------
    int
        How many programs differ.

    Raises
    ------
    BadInputError
        If revm is not installed, or a number is out of range.
    """
    if importlib.util.find_spec("pyrevm") is None:
        raise BadInputError("fuzz-evm compares with revm: install the package pyrevm (extra 'test')")
    if programs < 1:
        raise BadInputError(f"programs: {programs} is out of range; give a whole number from 1")
    if seed < 0:
        raise BadInputError(f"seed: {seed} is out of range; give a whole number from 0")
    failed, fork = 0, fork_of(fork_name).name
    for program, case, wrong in fuzz(range(seed, seed + programs), fork, quiet):
        failed += 1
        echo(f"program {program} differs (contend fuzz-evm --programs 1 --seed {program} --fork {fork}):")
        for line in (*wrong, *describe(case)):
            echo(f"  {line}")
    echo(f"{programs} programs, {failed} differ from revm")
    return failed
