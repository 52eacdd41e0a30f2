"""Figures as SVG that takes its colours from the page.

A chart is drawn once and must read on white and on black. So text, axes and grid are drawn in colours that occur
nowhere else, and these are then replaced by the page's variables; so are the tones of the palette, each of which has
one colour for a light page and one for a dark page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib import colors
from matplotlib.markers import MarkerStyle

from contend.harness.present.charts.palette import GRID, GUIDE, INK, PAPER, SERIAL, TONES
from contend.harness.present.charts.style import chart_style

if TYPE_CHECKING:
    from contend.harness.present.charts.chart import Chart, Key

_INK, _MUTED, _LINE = "#010203", "#010204", "#010205"
_TONES = {"serial": SERIAL, **{str(number): tone for number, tone in enumerate(TONES)}}
_VARIABLES = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _LINE: "var(--line)",
    # What charts draw in black, in the grey of a guide line, or in the background's colour.
    INK: "var(--ink)",
    GUIDE: "var(--muted)",
    GRID: "var(--line)",
    PAPER: "var(--paper)",
    **{tone.light: f"var(--tone-{name})" for name, tone in _TONES.items()},
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
}
_POINT = 4 / 3  # pixels
_DASHES = {"dashed": "4 3", "dotted": "1.5 2.5"}
# A picture that is wider scrolls on a phone, where its letters would be too small to read if it shrank.
_PHONE = 480


@contextmanager
def drawing() -> Iterator[None]:
    """The context in which figures for a page are drawn."""
    with chart_style(), matplotlib.rc_context(_OWN):
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
    hatched : bool
        Whether that is hatched.
    hollow : bool
        Whether the marker is.
    """

    label: str
    colour: str
    line: str = "none"
    marker: str = ""
    filled: bool = False
    hatched: bool = False
    hollow: bool = False


def palette_css() -> str:
    """Values of the tones on a light page, on a dark one, and on paper."""
    light, dark = (
        " ".join(f"--tone-{name}: {getattr(tone, which)};" for name, tone in _TONES.items())
        for which in ("light", "dark")
    )
    return (
        f":root {{ {light} }}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f'@media screen {{ :root[data-theme="dark"] {{ {dark} }} }}\n'
    )


def entries(chart: Chart) -> list[Entry]:
    """Entries of a chart's legend: one for several charts is the page's."""
    return [_entry(key) for key in chart.keys]


def _entry(key: Key) -> Entry:
    handle: Any = key.handle
    if hasattr(handle, "get_facecolor"):
        return Entry(key.label, _css(handle.get_facecolor()), filled=True, hatched=bool(handle.get_hatch()))
    line = {"-": "solid", "--": "dashed", "-.": "dashed", ":": "dotted"}.get(str(handle.get_linestyle()), "none")
    marker = "" if str(handle.get_marker()) in ("None", "") else str(handle.get_marker())
    hollow = bool(marker) and colors.same_color(handle.get_markerfacecolor(), PAPER)
    return Entry(key.label, _css(handle.get_color()), line, marker, hollow=hollow)


def _css(colour: Any) -> str:
    text = colors.to_hex(colour)
    return _VARIABLES.get(text, text)


def swatch(entry: Entry) -> str:
    """Draw an entry of a legend."""
    if entry.filled:
        inner = f'<rect x="6" y="1" width="16" height="10" rx="1.5" fill="{entry.colour}" stroke="var(--muted)"/>'
        if entry.hatched:
            inner += '<path d="M6 7 12 1M8 11 18 1M14 11 22 3M20 11 22 9" stroke="var(--paper)" stroke-width="1.2"/>'
    else:
        inner = ""
        if entry.line != "none":
            dashes = f' stroke-dasharray="{_DASHES[entry.line]}"' if entry.line in _DASHES else ""
            inner += f'<path d="M1 6H27" stroke="{entry.colour}" stroke-width="1.8" fill="none"{dashes}/>'
        if entry.marker:
            inside = "var(--paper)" if entry.hollow else entry.colour
            inner += f'<path d="{_marker(entry.marker)}" fill="{inside}" stroke="{entry.colour}"/>'
    return f'<svg class="swatch" viewBox="0 0 28 12" aria-hidden="true">{inner}</svg>'


def _marker(name: str) -> str:
    """Outline of a marker as charts draw it, as the path of an SVG element."""
    style = MarkerStyle(name)
    shape = style.get_path().transformed(style.get_transform())
    corners = shape.to_polygons(closed_only=False)
    size = 3.5 if name == "." else 7
    lines = (np.asarray(part, np.float64) * (size, -size) + (14, 6) for part in corners)
    return "".join("M" + " ".join(f"{x:.1f} {y:.1f}" for x, y in line) for line in lines)


def svg(chart: Chart, name: str, description: str) -> str:
    """A chart as an SVG element, without title and legend, which are the page's.

    Parameters
    ----------
    chart : Chart
    name : str
        Unique on the page: identifiers within the element begin with it.
    description : str
        Of what is to be seen.
    """
    file = io.StringIO()
    figure = chart.arrange(head=False)
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    # In one property or in several: matplotlib has written both.
    text = re.sub(r"font: ([\w. ]*?)([\d.]+px) [^;\"]*", r"font: \1\2 system-ui, sans-serif", text)
    text = re.sub(r"font-family: [^;\"]*", "font-family: system-ui, sans-serif", text)
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
