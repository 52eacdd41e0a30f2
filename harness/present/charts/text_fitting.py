"""Text that fits: how wide it is, and where to break it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

_POINTS = 72  # an inch
# A renderer puts letters on whole pixels.
_SLACK = 1.03


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: str | int = "normal") -> float:
    """Width of a line of text in inches.

    Parameters
    ----------
    text : str
    size : float
        Of the font, in points.
    weight : str or int, optional
    """
    if not text:
        return 0.0
    properties = FontProperties(size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, properties, ismath=False)
    return float(width) / _POINTS * _SLACK


def wrapped(text: str, room: float, size: float, weight: Any = "normal") -> str:
    """Break text into lines that are no wider than the room, between words, and within a word that is wider.

    Parameters
    ----------
    text : str
        Line breaks in it stay.
    room : float
        In inches.
    size : float
        Of the font, in points.
    weight : str or int, optional
    """
    return "\n".join(line for part in text.split("\n") for line in _lines(part, room, size, weight))


def _lines(text: str, room: float, size: float, weight: Any) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(longer, size, weight) <= room:
            lines[-1] = longer
            continue
        *full, rest = _pieces(word, room, size, weight)
        lines += [*full, rest]
    return lines if lines[0] or len(lines) == 1 else lines[1:]


def _pieces(word: str, room: float, size: float, weight: Any) -> list[str]:
    """A word cut where it must be: after what separates the parts of names if it can."""
    pieces = [""]
    for part in re.findall(r"[^-_/.:,=]*[-_/.:,=]?", word):
        if text_width(pieces[-1] + part, size, weight) <= room:
            pieces[-1] += part
            continue
        if pieces[-1]:
            pieces.append("")
        for letter in part:
            if pieces[-1] and text_width(pieces[-1] + letter, size, weight) > room:
                pieces.append("")
            pieces[-1] += letter
    return pieces
