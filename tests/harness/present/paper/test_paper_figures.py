"""Figures of a paper: their width, their letters, their files, and what remains of them in grey."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas
import pytest
from chart_cells import STRATEGIES, cells, swept
from matplotlib.text import Text

from contend.harness.errors import BadInputError
from contend.harness.present.charts.style import Style, chart_style
from contend.harness.present.paper.paper_figures import (
    FONT_SCALE,
    WIDTHS,
    PaperFigure,
    paper_figures,
    parse_width,
)
from contend.harness.present.report.selection import Selection

Record = dict[str, Any]
POINTS = 7


def selection(frame: pandas.DataFrame, sweeps: pandas.DataFrame | None = None) -> Selection:
    """The cells as if they were of one record."""

    def filled(part: pandas.DataFrame, dialled: bool) -> pandas.DataFrame:
        common = json.dumps([1, 1_000, 1, None, None, None, None])
        sample = {"process": 0, "round": 0, "seconds": 1.0, "baseline_seconds": 1.0, "phases": {"execute": 1.0}}
        lists = pandas.DataFrame({"samples": [[sample] for _ in part.index], "warnings": [[] for _ in part.index]})
        facts: dict[str, Any] = {
            "record": "r",
            "common": common,
            "setting": common,
            "turned": "",
            "seed": 1,
            "runs": 10,
        }
        flags: dict[str, Any] = {"default": True, "swept": dialled, "block_digest": part["workload"]}
        return part.assign(**facts, **flags).join(lists.set_index(part.index))

    clock = str(frame["clock"].iloc[0])
    return Selection(clock, filled(frame, False), filled(frame[:0] if sweeps is None else sweeps, True), {})


def drawn(every: list[Selection], width: float, record: Record) -> list[PaperFigure]:
    names = list(STRATEGIES)
    with chart_style(FONT_SCALE):
        return list(paper_figures(every, [{**record, "id": "r"}], Style(names, hatched=True), width))


def texts(figure: PaperFigure, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, Any]]:
    """Every text that is drawn, its size in points, and its box in pixels."""
    found = []
    plain = Text.draw

    def noted(self: Text, renderer: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), float(self.get_fontsize()), self.get_window_extent(renderer)))
        plain(self, renderer)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", noted)
        figure.chart.figure.draw_without_rendering()
    return found


SIZES = [(1, 2, "column"), (4, 2, "column"), (1, 12, "column"), (1, 4, "text")]


@pytest.mark.parametrize(("workloads", "strategies", "width"), SIZES)
def test_every_letter_has_seven_points_and_room(
    workloads: int, strategies: int, width: str, make_record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = cells(workloads, strategies, (2,) if strategies > 4 else (1, 2))
    turned = swept(cells(min(workloads, 2), strategies, (1, 32)), (1, 100))
    figures = drawn([selection(plain, turned)], WIDTHS[width], make_record([]))
    kinds = {figure.name.partition("-wall")[0] for figure in figures}
    assert kinds == {"throughput", "speedup", "wasted", "causes", "latency", "contention", "winners"}
    assert len({figure.name for figure in figures}) == len(figures)
    for figure in figures:
        across, up = figure.chart.figure.get_size_inches()
        # What has no room in a column is as wide as the text, and nothing is higher than a page.
        assert across in (pytest.approx(WIDTHS[width]), pytest.approx(WIDTHS["text"]))
        assert figure.wide == (across > 4)
        assert up < 8.6
        found = texts(figure, monkeypatch)
        assert min(points for _, points, _ in found) >= POINTS
        size = figure.chart.figure.get_size_inches() * figure.chart.figure.dpi
        assert not [text for text, _, box in found if min(box.x0, box.y0) < -1 or box.x1 > size[0] + 1]
        assert not [text for text, _, box in found if box.y1 > size[1] + 1]
        boxes = np.array([[box.x0, box.y0, box.x1, box.y1] for _, _, box in found])
        over = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        pairs = np.argwhere(np.triu((over > 1).all(axis=2), 1))
        assert not [(found[one][0], found[other][0]) for one, other in pairs], figure.name


def test_what_is_simulated_says_so_without_its_caption(make_record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = selection(cells(1, 3, (1, 2)))
    made = selection(cells(1, 3, (1, 2, 4), simulated=True))
    for figure in drawn([wall, made], WIDTHS["column"], make_record([])):
        told = any("SIMULATED" in text for text, _, _ in texts(figure, monkeypatch))
        assert told != figure.name.endswith("-wall")
        assert ("SIMULATED" in figure.caption.text) == told


def test_files_embed_their_fonts_and_do_not_tell_when_they_were_drawn(make_record: Any, tmp_path: Path) -> None:
    contents = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        for figure in drawn([selection(cells(1, 3))], WIDTHS["column"], make_record([])):
            with chart_style(FONT_SCALE):
                figure.chart.save(folder, figure.name, ("pdf", "svg"))
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    assert {name.rpartition(".")[2] for name in contents[0]} == {"pdf", "svg"}
    for name, content in contents[0].items():
        if name.endswith(".pdf"):
            # Type 42: TrueType outlines, in the file; conferences refuse Type 3.
            assert b"/FontFile2" in content
            assert b"/Type3" not in content
            assert b"CreationDate" not in content
            found = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ", content)
            assert found is not None
            assert float(found[1]) / 72 == pytest.approx(WIDTHS["column"], abs=0.01)
        else:
            assert not ElementTree.fromstring(content).findall(".//{http://purl.org/dc/elements/1.1/}date")


def test_strategies_are_told_apart_without_colour() -> None:
    style = Style(list(STRATEGIES), hatched=True)
    assert len(set(style.hatch.values())) == len(STRATEGIES)
    lines = {name: (style.marker[name], str(style.line[name])) for name in STRATEGIES if name != "serial"}
    assert len(set(lines.values())) == len(STRATEGIES) - 1
    # Reports and runs have colours, and few hatches.
    assert len(set(Style(list(STRATEGIES)).hatch.values())) == 2


def test_classes_of_locations_are_told_apart_without_colour() -> None:
    from contend.harness.present.charts.abort_causes import _LOOKS, UNNAMED

    hatches = [look["hatch"] for name, look in _LOOKS.items() if name != UNNAMED]
    assert len(set(hatches)) == len(hatches)


def test_a_width_is_a_name_or_millimetres() -> None:
    assert parse_width("column") == 3.35
    assert parse_width("text") == 7.0
    assert parse_width("85") == parse_width("85mm") == pytest.approx(3.346, abs=0.001)
    for wrong in ("", "wide", "10", "-85", "1e9", "nan", "inf"):
        with pytest.raises(BadInputError, match=r"--width: .*millimetres"):
            parse_width(wrong)
