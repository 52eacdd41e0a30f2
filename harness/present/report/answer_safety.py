"""The question what shards cost in safety: as many committees as there are shards, and each has to be safe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache

from contend.harness.analysis.committees import AT_LEAST, MORE_THAN, smallest_committee
from contend.harness.present.report.answer import Answer
from contend.harness.present.report.selection import Selection

QUESTION = "What do shards cost in safety?"
TARGET_BITS = 40
SHARDED = ("sharded", "sharded_ordered")
"""Strategies of which a worker is a shard."""
_SYNCHRONOUS, _PARTIAL = (Fraction(1, 3), Fraction(1, 2), AT_LEAST), (Fraction(1, 4), Fraction(1, 3), MORE_THAN)


@cache
def _members(bad: Fraction, resilience: Fraction, rule: str) -> int:
    found = smallest_committee(2.0**-TARGET_BITS, bad, resilience, rule)
    assert found is not None  # each bears more than there are
    return found


def safety(selected: Sequence[Selection]) -> Iterator[Answer]:
    """Answer where something was measured with several shards."""
    shards: set[int] = set()
    simulated = True
    for one in selected:
        own = one.plain[one.plain["strategy"].isin(SHARDED) & (one.plain["workers"] > 1)]
        shards |= {int(number) for number in own["workers"]}
        simulated &= bool(own["simulated"].all())
    if not shards:
        return
    half, third = _members(*_SYNCHRONOUS), _members(*_PARTIAL)
    points = [
        f"{number:,} shards: {number * half:,} nodes, or {number * third:,}; one committee needs {half:,} or {third:,}."
        for number in sorted(shards)
    ]
    yield Answer(
        QUESTION,
        f"Nodes: a shard that is taken over with a probability of at most 2^-{TARGET_BITS} an epoch has {half:,} "
        f"members if a third of all nodes is bad and half of a shard's takes it over, {third:,} if a quarter is and "
        "more than a third does. What is measured here is one process a shard, and agrees on nothing.",
        (*points, "Members drawn at random, without end (binomial); other cases: contend risk."),
        simulated,
    )
