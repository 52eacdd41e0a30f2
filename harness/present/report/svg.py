"""Figures as SVG that takes its colours from the page.

A chart is drawn once and must read on white and on black. So text, axes and grid are drawn in colours that occur
nowhere else, and these are then replaced by the page's variables; the strategies' colours, from seaborn's colour-blind
palette, are of medium lightness and stay.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from matplotlib import colors, pyplot

from contend.harness.present.charts.style import chart_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK, _MUTED, _LINE = "#010203", "#010204", "#010205"
_VARIABLES = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _LINE: "var(--line)",
    # What charts draw in black, or in the grey of a guide line.
    "#000000": "var(--ink)",
    "#737373": "var(--muted)",
    "#e0e0e0": "var(--line)",
}
_OWN: dict[Any, Any] = {
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "axes.edgecolor": _LINE,
    "grid.color": _LINE,
    # White edges are lost on white, and a grid of their own on black.
    "patch.force_edgecolor": False,
    "svg.hashsalt": "contend",
}
_POINT = 4 / 3  # pixels
# A picture that is wider scrolls on a phone, where its letters would be too small to read if it shrank.
_PHONE = 480


@contextmanager
def drawing() -> Iterator[None]:
    """The context in which figures for a page are drawn."""
    with chart_style(), pyplot.rc_context(_OWN):
        yield


@dataclass(frozen=True)
class Entry:
    """An entry of a legend, for the page to draw.

    Attributes
    ----------
    label : str
    colour : str
        A CSS colour.
    line : str
        ``solid``, ``dashed``, ``dotted``, or ``none``.
    marker : str
        matplotlib's letter; empty for none.
    filled : bool
        Whether it stands for an area.
    """

    label: str
    colour: str
    line: str = "none"
    marker: str = ""
    filled: bool = False


def take_legend(figure: Figure) -> list[Entry]:
    """Take the legend off a figure: one for several figures is the page's."""
    entries = []
    for legend in figure.legends:
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            entries.append(_entry(handle, text.get_text()))
    for legend in list(figure.legends):
        legend.remove()
    return entries


def _entry(handle: Any, label: str) -> Entry:
    if not hasattr(handle, "get_linestyle") or hasattr(handle, "get_facecolor"):
        return Entry(label, _css(handle.get_facecolor()), filled=True)
    line = {"-": "solid", "--": "dashed", ":": "dotted"}.get(str(handle.get_linestyle()), "none")
    marker = str(handle.get_marker() or "")
    return Entry(label, _css(handle.get_color()), line, "" if marker == "None" else marker)


def _css(colour: Any) -> str:
    text = colors.to_hex(colour)
    # An entry for what is left empty.
    return "var(--paper)" if text == "#ffffff" else _VARIABLES.get(text, text)


def svg(figure: Figure, name: str, description: str) -> str:
    """A figure as an SVG element, and the end of the figure.

    Parameters
    ----------
    figure : Figure
    name : str
        Unique on the page: identifiers within the element begin with it.
    description : str
        Of what is to be seen.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    text = re.sub(r"font: ([\w. ]*?)([\d.]+px) [^;\"]*", r"font: \1\2 system-ui, sans-serif", text)
    return _opened(text, description)


def _opened(text: str, description: str) -> str:
    """The element with a width that the page may shrink, and with a description for those who do not see it."""
    tag = text[: text.index(">") + 1]
    points = re.search(r'width="([\d.]+)pt"', tag)
    box = re.search(r'viewBox="[^"]*"', tag)
    if points is None or box is None:
        raise ValueError("matplotlib wrote an SVG without a size")
    width = float(points[1]) * _POINT
    wide = ' class="wide"' if width > _PHONE else ""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} role="img" '
        f'aria-label="{escape(description, quote=True)}" style="width: {width:.0f}px"{wide}>'
    )
    return opening + text[len(tag) :]
