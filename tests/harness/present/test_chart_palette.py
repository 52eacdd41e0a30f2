"""Colours of charts: enough contrast on every background, one look a strategy, told apart by more than colour."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from random import Random

import pytest
from chart_cells import STRATEGIES, cells
from hypothesis import given
from hypothesis import strategies as st

from contend.harness.present.charts.abort_causes import CLASSES, causes
from contend.harness.present.charts.palette import (
    DARK_PAPER,
    GUIDE,
    INK,
    LEAST_CONTRAST,
    PAPER,
    SERIAL,
    TONES,
    Tone,
    contrast,
)
from contend.harness.present.charts.speedup import speedup
from contend.harness.present.charts.style import Style
from contend.harness.present.report.svg import Entry, drawing, palette_css, svg, swatch
from contend.strategies.registry import built_in

CSS = (Path(__file__).parents[3] / "harness/present/report/page.css").read_text(encoding="utf-8")


def page_colours() -> tuple[dict[str, str], dict[str, str]]:
    """Colours of the report's page: light, and dark."""
    blocks = re.findall(r":root[^{]*\{([^}]*--paper[^}]*)\}", CSS)
    light, dark, *_ = (
        {name: long(value) for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]+)", block)} for block in blocks
    )
    return light, dark


def long(colour: str) -> str:
    return colour if len(colour) == 7 else "#" + "".join(2 * letter for letter in colour[1:])


def test_contrast_is_that_of_the_guideline() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


@pytest.mark.parametrize("tone", [SERIAL, *TONES])
def test_every_tone_can_be_seen_on_every_background(tone: Tone) -> None:
    light, dark = page_colours()
    assert contrast(tone.light, PAPER) >= LEAST_CONTRAST
    assert contrast(tone.light, light["paper"]) >= LEAST_CONTRAST
    assert contrast(tone.dark, dark["paper"]) >= LEAST_CONTRAST


def test_every_text_can_be_read_on_every_background() -> None:
    light, dark = page_colours()
    assert dark["paper"] == DARK_PAPER
    assert min(contrast(INK, PAPER), contrast(GUIDE, PAPER)) >= LEAST_CONTRAST
    for page in (light, dark):
        assert min(contrast(page[name], page["paper"]) for name in ("ink", "muted")) >= LEAST_CONTRAST


def test_no_tone_of_a_legend_is_another_one() -> None:
    for which in ("light", "dark"):
        tones = [getattr(tone, which) for tone in (SERIAL, *TONES)]
        assert len(set(tones)) == len(tones) == 12


@given(st.lists(st.text(min_size=1, max_size=12), max_size=30, unique=True), st.randoms())
def test_a_strategy_looks_the_same_in_every_chart(names: list[str], random: Random) -> None:
    """Whatever the order, and for those of Contend whatever else there is; no two look alike."""
    own = ["serial", *built_in(variants=True)[1:], "block_stm+truth", "bal_longest+truth"]
    every = [*own, *(name for name in names if name not in own)]
    mixed = list(every)
    random.shuffle(mixed)
    style, again, alone = Style(every), Style(mixed), Style(own)
    for name in every:
        assert style.lines(name) == again.lines(name)
        assert style.bars(name) == again.bars(name)
    for name in own:
        assert style.lines(name) == alone.lines(name)
    for name in ("block_stm+truth", "block_stm"):
        assert style.colour[name] == style.colour["block_stm"]
        assert style.marker[name] == style.marker["block_stm"]
    looks = [(style.colour[name], style.marker[name], str(style.line[name])) for name in every if name != "serial"]
    assert len(set(looks)) == len(looks)


def test_twelve_strategies_have_twelve_colours_and_close_ones_differ_in_more() -> None:
    style = Style(STRATEGIES)
    assert len(set(style.colour.values())) == 12
    for one, other in itertools.combinations(STRATEGIES[1:], 2):
        assert style.marker[one] != style.marker[other]
    assert {bool(hatch) for hatch in style.hatch.values()} == {True, False}


def test_every_cause_of_aborts_has_a_look_of_its_own() -> None:
    chart = causes(cells(1, 2), Style(STRATEGIES))
    assert chart is not None
    assert {key.label for key in chart.keys} == set(CLASSES.values())
    looks = {(str(key.handle.get_facecolor()), key.handle.get_hatch()) for key in chart.keys}  # type: ignore[attr-defined]
    assert len(looks) == len(CLASSES)


def test_a_picture_on_the_page_has_no_colour_that_does_not_change_with_the_page() -> None:
    with drawing():
        chart = speedup(cells(2, 12, (1, 2)), Style(STRATEGIES))
        assert chart is not None
        picture = svg(chart, "speedup", "what it shows")
    assert set(re.findall(r"#[0-9a-f]{6}\b", picture)) == set()
    used = set(re.findall(r"var\((--tone-\w+)\)", picture))
    assert len(used) == 12
    assert all(palette_css().count(f"{name}:") == 3 for name in used)
    # Text without a colour would be black on a dark page.
    assert all("fill" in text for text in re.findall(r"<text[^>]*>", picture))


@pytest.mark.parametrize("marker", ["o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h", ".", "_"])
def test_a_swatch_has_the_marker_of_the_chart(marker: str) -> None:
    drawn = {name: swatch(Entry("x", "red", "solid", name)) for name in (marker, "o")}
    assert (drawn[marker] == drawn["o"]) == (marker == "o")
    for x, y in re.findall(r"([\d.]+) ([\d.]+)", drawn[marker].partition("M1 6H27")[2]):
        assert 8 <= float(x) <= 20
        assert 0 <= float(y) <= 12
