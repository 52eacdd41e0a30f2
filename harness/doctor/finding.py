"""Finding: what a check found, and what it means for timings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OK, UNKNOWN, DOUBTFUL, BAD = "ok", "unknown", "doubtful", "bad"
SEVERITY = (OK, UNKNOWN, DOUBTFUL, BAD)


@dataclass(frozen=True)
class Finding:
    """One row of the table.

    Attributes
    ----------
    check : str
    found : str
        In words, with figures and units.
    verdict : str
        ``ok``; ``unknown``, where this system does not tell; ``doubtful``, if small differences cannot be trusted;
        ``bad``, if timings mean little.
    advice : str
        What to do; empty where all is well.
    figures : mapping
        The figures in `found`, for programs; the name of each ends with its unit.
    """

    check: str
    found: str
    verdict: str = OK
    advice: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


def worst(findings: list[Finding]) -> str:
    """The worst verdict of all."""
    return max((finding.verdict for finding in findings), key=SEVERITY.index, default=OK)


def verdict_of(value: float, doubtful: float, bad: float) -> str:
    """Verdict on a value of which more is worse: the lowest values that are doubtful, and bad."""
    return BAD if value >= bad else DOUBTFUL if value >= doubtful else OK
