"""Quantities that options take as text: shares, times, small probabilities."""

from __future__ import annotations

import re
from fractions import Fraction

from contend.harness.analysis.takeover import SECONDS
from contend.harness.errors import BadInputError

_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhdwy])")
_POWER = re.compile(r"2\^-([0-9]{1,3})")


def share(option: str, text: str) -> Fraction:
    """Read a share: 1/3, 0.25, 25%.

    Raises
    ------
    BadInputError
        If it is none, or not above 0 and below 1.
    """
    try:
        found = Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise BadInputError(f"{option} {text!r}: no share; write 1/3, 0.25 or 25%") from None
    if not 0 < found < 1:
        raise BadInputError(f"{option} {text}: a share is above 0 and below 1")
    return found


def seconds(option: str, text: str) -> float:
    """Read a time: 30s, 6.4m, 12h, 1d.

    Raises
    ------
    BadInputError
        If it is none, or zero.
    """
    match = _TIME.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise BadInputError(f"{option} {text!r}: no time; write a number and one of {', '.join(SECONDS)}, as in 12h")
    return float(match[1]) * SECONDS[match[2]]


def chance(option: str, text: str) -> float:
    """Read a small probability: 2^-40, 1e-6.

    Raises
    ------
    BadInputError
        If it is none, or not above 0 and below 1.
    """
    match = _POWER.fullmatch(text)
    try:
        found = 2.0 ** -int(match[1]) if match else float(text)
    except ValueError:
        raise BadInputError(f"{option} {text!r}: no probability; write 2^-40 or 1e-6") from None
    if not 0 < found < 1:
        raise BadInputError(f"{option} {text}: a probability is above 0 and below 1")
    return found
