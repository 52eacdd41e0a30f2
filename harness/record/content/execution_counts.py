"""Counters of executions, defined in `strategies.accounting`: their names, their sum, and whether it comes out.

A strategy counts what it can tell. Of a sum that it tells in part, the parts that it does not name are zero; one that
does not count `executions` claims no sum.
"""

from __future__ import annotations

from collections.abc import Mapping

EXECUTIONS, ABORTS, WAIT_RESTARTS, REPAIRS = "executions", "aborts", "wait_restarts", "repairs"
WAITS, DRY_RUNS = "waits", "dry_runs"

WASTED = {
    ABORTS: "aborted",
    WAIT_RESTARTS: "begun again after a wait",
    REPAIRS: "repaired",
}
"""Counters of executions that did not stand, and what they are called in sentences."""

OF_EXECUTIONS = (EXECUTIONS, *WASTED, WAITS, DRY_RUNS)
"""All counters that are defined here."""

DEFERRED = "deferred"
"""Transactions left for the end of the block (`strategies.sharded.protocol.epilogue`)."""

# Counters of transactions: each transaction counts once at most.
_OF_TRANSACTIONS = {REPAIRS: "repaired", DEFERRED: "deferred"}
_BY_KIND = ("aborts_storage", "aborts_balance", "aborts_nonce", "aborts_code")


def stale(counters: Mapping[str, float]) -> float:
    """Executions that ran on something stale: those with a cause, a location."""
    return counters.get(ABORTS, 0) + counters.get(REPAIRS, 0)


def wasted(counters: Mapping[str, float], transactions: int) -> float | None:
    """Executions that did not stand; None where nobody counts any."""
    if EXECUTIONS in counters:
        return counters[EXECUTIONS] - transactions
    parts = [counters[name] for name in WASTED if name in counters]
    return sum(parts) if parts else None


def contradiction(counters: Mapping[str, float], transactions: int, located: int | None = None) -> str | None:
    """Find out why counters of a block cannot be; None where they add up.

    Parameters
    ----------
    counters : mapping
        As in `strategies.base.Outcome`.
    transactions : int
        In the block.
    located : int, optional
        How many stale executions the strategy has told the locations of.

    Returns
    -------
    str or None
        A sentence with the figures.
    """
    if EXECUTIONS in counters:
        parts = [(counters[name], called) for name, called in WASTED.items() if name in counters]
        total = transactions + sum(count for count, _ in parts)
        if counters[EXECUTIONS] != total:
            told = "".join(f" + {count:,} {called}" for count, called in parts)
            return f"{counters[EXECUTIONS]:,} executions, but {transactions:,} transactions{told}"
    for name, called in _OF_TRANSACTIONS.items():
        if counters.get(name, 0) > transactions:
            return f"{counters[name]:,} of {transactions:,} transactions {called}"
    of_kinds = sum(counters.get(name, 0) for name in _BY_KIND)
    for causes in (located, of_kinds if any(name in counters for name in _BY_KIND) else None):
        if causes is not None and causes != stale(counters):
            return f"{causes:,} causes of {stale(counters):,} aborted and repaired executions"
    return None
