"""Exit policy: what a comparison may fail for, and its exit codes; without numpy, for the command line's start."""

from __future__ import annotations

from collections.abc import Iterable

from contend.harness.errors import BadInputError

EXIT_OK, EXIT_REGRESSION, EXIT_BAD_INPUT, EXIT_NOTHING = range(4)

SLOWER, WASTE, INCONCLUSIVE, NEVER = "slower", "waste", "inconclusive", "never"
FAIL_ON = (SLOWER, WASTE, INCONCLUSIVE, NEVER)
"""For what a comparison may fail: a cell that is slower or broken; one that wastes more work in simulated time, even
where that costs no time; one that cannot be told; nothing."""


def checked_fail_on(name: str, kinds: Iterable[str]) -> frozenset[str]:
    """Kinds of `FAIL_ON`, as given.

    Parameters
    ----------
    name : str
        What a complaint calls the option.
    kinds : iterable of str

    Raises
    ------
    BadInputError
        If one is not known.
    """
    chosen = frozenset(kinds)
    unknown = sorted(chosen - set(FAIL_ON))
    if unknown:
        raise BadInputError(f"{name}: {unknown[0]!r} is not known; choose of {', '.join(FAIL_ON)}")
    return chosen


def checked_share(name: str, share: float) -> float:
    """A threshold, as given.

    Raises
    ------
    BadInputError
        If it is none.
    """
    if not 0.0 <= share < 1.0:
        raise BadInputError(f"{name}: {share} is not a share; give for instance 0.05 for 5 %")
    return share


def checked_rate(name: str, rate: float) -> float:
    """A false discovery rate, as given.

    Raises
    ------
    BadInputError
        If it is none.
    """
    if not 0.0 < rate < 1.0:
        raise BadInputError(f"{name}: {rate} is not a rate; give for instance 0.05: of 20 claims one may be false")
    return rate
