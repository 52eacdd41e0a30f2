"""Colours of charts, each with a light and a dark background in mind.

A colour that stands for something must be told from its background by everybody: at least 4.5 : 1, the contrast that
WCAG 2.1 asks of text (https://www.w3.org/TR/WCAG21/#contrast-minimum). No colour is that far from white and from a dark
page at once, so each has two values; files are drawn with the first, a report's page chooses. The eleven tones were
found by search: of all colours with that contrast those whose smallest distance from each other, from black and from
the greys is largest, in Oklab (B. Ottosson, "A perceptual color space for image processing", 2020), as seen with and
without a deficiency of the red or the green cones (Machado, Oliveira, Fernandes, "A Physiologically-based Model for
Simulation of Color Vision Deficiency", IEEE TVCG 15, 2009). Still, twelve dark colours are close: markers, lines and
hatches tell them apart as well.
"""

from __future__ import annotations

from dataclasses import dataclass

PAPER = "#ffffff"
DARK_PAPER = "#14171b"
INK = "#000000"
GUIDE = "#6b6b6b"
"""Lines to compare with, and what is said in passing."""
GRID = "#e0e0e0"
LEAST_CONTRAST = 4.5


@dataclass(frozen=True)
class Tone:
    """Colour on a light background, and the one that stands for it on a dark background."""

    light: str
    dark: str


SERIAL = Tone("#5b626b", "#9aa3ad")
TONES = (
    Tone("#3c73c5", "#19affe"),
    Tone("#df2414", "#f4514f"),
    Tone("#308334", "#b8fe60"),
    Tone("#8539f9", "#c18dd8"),
    Tone("#492b0f", "#fab72a"),
    Tone("#c331aa", "#fcbcd4"),
    Tone("#0b2978", "#aebaf2"),
    Tone("#8f2b0d", "#f3947c"),
    Tone("#7900a7", "#dd47d6"),
    Tone("#2817d7", "#7180ec"),
    Tone("#63064c", "#b5788a"),
)
"""In the order in which they are given out: the easiest to tell apart first."""


def luminance(colour: str) -> float:
    """Relative luminance of a colour (``#rrggbb``), of 0 to 1, as WCAG 2.1 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast between two colours, of 1 to 21, as WCAG 2.1 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
