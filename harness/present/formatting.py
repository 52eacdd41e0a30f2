"""Figures in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def listed(parts: Sequence[str]) -> str:
    """Join parts as a sentence does: a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def factor(value: float) -> str:
    """Write a ratio as a number of times: 1.52x, 21.5x, 640x."""
    return f"{value:.2f}x" if value < 10 else f"{value:.1f}x" if value < 100 else f"{value:,.0f}x"


def rate(value: float) -> str:
    """Write transactions per second in three digits: 497k, 62.1k, 1.31M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            scaled = value / size
            digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
            return f"{scaled:.{digits}f}{letter}"
    return f"{value:.0f}"


def share(value: float) -> str:
    """Write a share in per cent, small ones not as zero."""
    return f"{value:.0%}" if value >= 0.095 or value == 0 else f"{value:.1%}" if value >= 0.001 else "under 0.1%"


def duration(seconds: float) -> str:
    """Write a time in three digits: 1.31 s, 62.1 ms, 497 us."""
    size, unit = next((one for one in ((1.0, "s"), (1e-3, "ms")) if seconds >= one[0]), (1e-6, "us"))
    scaled = seconds / size
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
    return f"{scaled:.{digits}f} {unit}"


def count(number: int, thing: str) -> str:
    """Write how many there are: 1 record, 3 records."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def differing(settings: Iterable[Mapping[str, object]]) -> list[str]:
    """Names of which settings have different values; what one of them lacks differs too."""
    every = list(settings)
    names = dict.fromkeys(name for one in every for name in one)
    return [name for name in names if len({str(one.get(name)) for one in every}) > 1]
