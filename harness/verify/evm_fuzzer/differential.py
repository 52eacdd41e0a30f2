"""Differential testing: random programs on this EVM and on revm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from contend.evm import CapacityError
from contend.harness.present.progress.tracked_loop import track
from contend.harness.verify.evm_fuzzer.random_programs import ProgramCase, scrambled, structured, with_gas
from contend.harness.verify.evm_fuzzer.shrink import shrink

LEAST_GAS = 21_000
# One program in so many is random bytes; the others are made to get somewhere.
SCRAMBLED_EVERY = 5


def case_of(program: int, fork: str) -> ProgramCase:
    """The program of a number: the same one for ever."""
    case = scrambled(program) if program % SCRAMBLED_EVERY == 0 else structured(program)
    return replace(case, environment=replace(case.environment, fork=fork))


def fuzz(programs: range, fork: str, quiet: bool) -> Iterator[tuple[int, ProgramCase, list[str]]]:
    """Compare each program, and the same with less gas than it took: out of gas at some instruction.

    Yields
    ------
    tuple
        Number of the program, the case that differs, made small, and what differs.
    """
    from contend.harness.verify.evm_fuzzer.compare import RevmChecker

    checker = RevmChecker()
    for program in track(programs, "programs", quiet):
        case = case_of(program, fork)
        variants = [case]
        for variant in variants:
            wrong = checker.differences(variant)
            if wrong:
                small = shrink(variant, lambda other: bool(_differences(checker.differences, other)))
                yield program, small, checker.differences(small) or wrong
                break
            if len(variants) == 1 and checker.gas_used > LEAST_GAS:
                variants.append(with_gas(case, Random(program).randint(LEAST_GAS, checker.gas_used)))


def _differences(checker: Callable[[ProgramCase], list[str]], case: ProgramCase) -> list[str]:
    try:
        return checker(case)
    except CapacityError:
        return []
