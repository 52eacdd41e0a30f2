"""Layout of charts: whatever they show, no text is cut off or lies on another, in the figure and in what is saved."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas
import pytest
from chart_cells import STRATEGIES, WORKLOADS, cells, swept
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from contend.harness.present.charts import draw
from contend.harness.present.charts.abort_causes import causes
from contend.harness.present.charts.both_clocks import both_clocks
from contend.harness.present.charts.chart import DOTS_PER_INCH, Chart
from contend.harness.present.charts.contention import contention, winners
from contend.harness.present.charts.damage_loss import damage_loss
from contend.harness.present.charts.history import history
from contend.harness.present.charts.latency import latency
from contend.harness.present.charts.over_blocks import over_blocks
from contend.harness.present.charts.profile import profile
from contend.harness.present.charts.speedup import speedup
from contend.harness.present.charts.stage_times import stage_times
from contend.harness.present.charts.style import Style, chart_style
from contend.harness.present.charts.text_fitting import text_width, wrapped
from contend.harness.present.charts.throughput import throughput
from contend.harness.present.charts.timeline import timeline
from contend.harness.present.charts.waste import wasted
from contend.harness.present.report.history import Series
from contend.harness.record.bound import Bound, Bounds

WORKLOAD_COUNTS = (1, 2, 4, 13)
STRATEGY_COUNTS = (1, 2, 4, 12)
MANY_WORKERS = (1, 2, 3, 4, 48, 64, 1024)
NOTE = "Bars and paired speed-ups disagree on swaps: " + 12 * "its runs were slow in the same rounds as serial's, "
Maker = Callable[[int, int], Chart | None]


def on_both(workloads: int, strategies: int) -> pandas.DataFrame:
    wall = cells(workloads, strategies, (1, 2))
    return pandas.concat([wall, cells(workloads, strategies, (1, 2, 8), simulated=True)], ignore_index=True)


def one_count(strategies: int) -> tuple[int, ...]:
    """Worker counts with which there are bars, however many strategies there are."""
    return (2,) if strategies > 4 else (1, 2)


def on_blocks(workloads: int, strategies: int) -> pandas.DataFrame:
    """As many real blocks, two at least: of one there is no spread."""
    found = cells(max(workloads, 2), strategies, (1, 2, 1024), simulated=True, extreme=True)
    names = found["workload"].map(lambda name: f"replay:{PurePath(name).stem}")
    return found.assign(**{"workload": names, "dial.file": names})


def damaged(workloads: int, strategies: int) -> pandas.DataFrame:
    return cells(workloads, strategies, (5, 20, 50), simulated=True).assign(damaged=lambda frame: frame["workers"])


def staged(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The cells with stages of a node in the time, of all kinds."""
    facts = {"signatures": {"scheme": "secp256k1"}, "root": {"kind": "mpt"}, "consensus": {"protocol": "tendermint"}}
    parts = {"agree": 0.1, "recover": 0.5, "prepare": 0.05, "execute": 0.2, "commit": 0.05, "root": 0.1}
    times = {f"{name}_seconds": part * frame["seconds"] for name, part in parts.items()}
    return frame.assign(stages=pandas.Series([facts] * len(frame), dtype=object), pipeline_overlap=1.5, **times)


STYLE = Style(STRATEGIES)
CHARTS: dict[str, Maker] = {
    "throughput, bars": lambda n, m: throughput(cells(n, m, one_count(m)), STYLE, notes=[NOTE]),
    "throughput, lines": lambda n, m: throughput(cells(n, m, MANY_WORKERS, simulated=True, extreme=True), STYLE),
    "speed-up, few workers": lambda n, m: speedup(cells(n, m, (1, 2, 4)), STYLE, notes=[NOTE, NOTE]),
    "speed-up, one count": lambda n, m: speedup(cells(n, m, (1024,), extreme=True), STYLE),
    "speed-up, extreme": lambda n, m: speedup(cells(n, m, MANY_WORKERS, extreme=True), STYLE),
    "waste, bars": lambda n, m: wasted(cells(n, m, (1024,) if m > 4 else (1, 64)), STYLE),
    "waste, lines": lambda n, m: wasted(cells(n, m, (*MANY_WORKERS[::2], 8), simulated=True), STYLE),
    "causes": lambda n, m: causes(cells(n, m, (1, 1024)), STYLE),
    "blocks": lambda n, m: over_blocks(on_blocks(n, m), STYLE),
    "both clocks": lambda n, m: both_clocks(on_both(n, m), STYLE),
    "contention": lambda n, m: contention(swept(cells(n, m, (8,), extreme=True)), STYLE),
    "winners": lambda n, m: winners(swept(cells(n, m, (1, 32, 1024), extreme=True), (0.001, 250_000)), STYLE),
    "latency": lambda n, m: latency(cells(n, m, one_count(m)), STYLE),
    "stages, shares": lambda n, m: stage_times(staged(cells(n, m, (1, 1024), extreme=True)), STYLE),
    "stages, times": lambda n, m: stage_times(staged(cells(n, m, (2,), simulated=True)), STYLE),
    "damage loss": lambda n, m: damage_loss(damaged(n, m), STYLE, STRATEGIES[0]),
}


def drawn_texts(chart: Chart, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Every text that is drawn, with its box in pixels: what a figure holds without drawing it is not there."""
    found = []
    plain = Text.draw

    def noted(self: Text, renderer: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), self.get_window_extent(renderer)))
        plain(self, renderer)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", noted)
        chart.figure.draw_without_rendering()
    return found


def faults(texts: Sequence[tuple[str, Any]], width: float, height: float) -> Iterator[str]:
    """Texts beyond the picture, and pairs of them that lie on each other; a pixel is forgiven."""
    for text, box in texts:
        if min(box.x0, box.y0) < 1 or box.x1 > width - 1 or box.y1 > height - 1:
            yield f"{text!r} is cut off: {box} in {width:.0f} x {height:.0f}"
    boxes = np.array([[box.x0, box.y0, box.x1, box.y1] for _, box in texts])
    over = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    for one, other in np.argwhere(np.triu((over > 1).all(axis=2), 1)):
        yield f"{texts[one][0]!r} lies on {texts[other][0]!r}"


def check(chart: Chart, monkeypatch: pytest.MonkeyPatch, width: float | None = None) -> None:
    chart.arrange(width)
    texts = drawn_texts(chart, monkeypatch)
    assert len(texts) > 3
    size = chart.figure.get_size_inches() * chart.figure.dpi
    assert list(faults(texts, *size)) == []


# Every size of the chart that everybody sees first; of the others the smallest and the largest, and in between so many
# that each number of workloads and each number of strategies is there. Thirteen panels take seconds to lay out, so they
# are laid out once, with the longest legend; the narrowest figure has it, too.
EVERY = list(itertools.product(WORKLOAD_COUNTS, STRATEGY_COUNTS))
COVERING = [(1, 1), (1, 2), (1, 12), (2, 4), (4, 2), (13, 12)]
SIZES = [(name, *size) for name in CHARTS for size in (EVERY if name == "throughput, bars" else COVERING)]


@pytest.mark.parametrize(("name", "workloads", "strategies"), SIZES)
def test_no_text_is_cut_off_or_lies_on_another(
    name: str, workloads: int, strategies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chart_style():
        chart = CHARTS[name](workloads, strategies)
        if chart is None:
            assert strategies == 1, "only serial, which has nothing to compare with"
            return
        check(chart, monkeypatch)
        for panel in chart.panels:
            assert panel.get_window_extent().width > 150, "a panel of some size is left"


def series(place: int, records: int, steps: Sequence[int]) -> Series:
    seconds = np.full(records, 0.02 * (1 + 0.01 * place))
    for number, step in enumerate(steps):
        seconds[step:] *= (1.3, 0.6, 2.0)[number % 3]
    names = tuple(str(number) for number in range(records))
    return Series(WORKLOADS[0], STRATEGIES[place], 2, "wall", names, names, seconds, tuple(steps))


@pytest.mark.parametrize("records", [3, 8, 200])
@pytest.mark.parametrize("lines", [1, 2, 4])
def test_no_step_of_a_history_lies_on_another(records: int, lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # All of them step at once, the last one at the last record.
    steps = [place for place in (records // 2, records - 1) if place]
    with chart_style():
        check(history([series(place, records, steps) for place in range(lines)], WORKLOADS[7], STYLE), monkeypatch)


@pytest.mark.parametrize("workers", [1, 2, 8, 32, 33, 100, 1024])
def test_every_timeline_has_room(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("execute", "validate", "schedule", "wait for another worker", "message", "plan", "commit")
    rows = np.array(
        [(w, a, 1_000_000 * a, 1_000_000 * (a + 1)) for w in range(workers) for a in range(1 + w % 7)], np.int64
    )
    title = f"{WORKLOADS[5]}, 10,000 transactions, {STRATEGIES[5]} with {workers:,} SIMULATED workers: 12 microseconds"
    with chart_style():
        check(timeline(rows, workers, names, title), monkeypatch)


@pytest.mark.parametrize("variants", [1, 2, 6, 12])
def test_every_profile_has_room(variants: int, monkeypatch: pytest.MonkeyPatch) -> None:
    depth = {"nonce": 20, "balance": 10, "storage": 250, "code": 1}
    bounds = {}
    for name, path in zip(STRATEGIES[:variants], np.geomspace(1e5, 1e8, variants).astype(int), strict=True):
        bound = Bound(1_000, 100_000_000, 21_000_000, 600, 250, int(path), 5_000_000, depth)
        bounds[name] = Bounds(bound, bound)
    with chart_style():
        check(profile(bounds), monkeypatch)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_fits_a_column_of_a_paper(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with chart_style(font_scale=0.6):
        chart = CHARTS[name](2, 4)
        assert chart is not None
        for width in (3.33, 7.0):
            check(chart, monkeypatch, width)
            assert chart.figure.get_size_inches()[0] == pytest.approx(width)


def svg_texts(path: Path) -> tuple[list[tuple[str, Any]], float, float]:
    """Texts of an SVG with their boxes, as wide as the font makes them."""
    root = ElementTree.parse(path).getroot()
    width, height = (float(root.get(name, "").removesuffix("pt")) for name in ("width", "height"))
    found = []
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        style = text.get("style", "")
        size = float(re.search(r"font(?:-size)?: (?:\w+ )*([\d.]+)px", style)[1])  # type: ignore[index]
        content = "".join(text.itertext())
        # matplotlib writes either a place, or one within a turn.
        turn = re.search(r"rotate\((-?[\d.]+)", text.get("transform", ""))
        angle = float(turn[1]) if turn else 0.0
        move = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", text.get("transform", ""))
        x, y = (float(move[1]), float(move[2])) if move else (float(text.get("x", 0)), float(text.get("y", 0)))
        long = 72 * text_width(content, size, "bold" if "700" in style or "bold" in style else "normal") / 1.03
        begin = {"middle": -long / 2, "end": -long}.get((re.search(r"text-anchor: (\w+)", style) or ["", ""])[1], 0.0)
        box = (x + begin, y - 0.75 * size, x + begin + long, y + 0.2 * size)
        if abs(angle) == 90:
            box = (x - 0.75 * size, y - begin - long, x + 0.2 * size, y - begin)
        found.append((content, Bbox([box[:2], box[2:]])))
    return found, width, height


@pytest.mark.parametrize(("workloads", "strategies"), [(1, 2), (3, 12)])
def test_what_is_saved_is_whole(tmp_path: Path, workloads: int, strategies: int) -> None:
    """In both formats, of a record's charts: nothing but background at the picture's edge, and every text within it."""
    frames = {"plain": cells(workloads, strategies, (2,)), "swept": swept(cells(workloads, strategies, (2, 8)))}
    for prefix, frame in frames.items():
        pictures = draw(frame, tmp_path, prefix, notes=[NOTE])
        assert len(pictures) >= 2
        for path in pictures:
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            edge = np.concatenate(
                [pixels[:3].ravel(), pixels[-3:].ravel(), pixels[:, :3].ravel(), pixels[:, -3:].ravel()]
            )
            assert (edge == 255).all(), path.name
            texts, width, height = svg_texts(path.with_suffix(".svg"))
            assert len(texts) > 5
            assert [fault for fault in faults(texts, width, height) if "cut off" in fault] == []
            assert (pixels.shape[1] / DOTS_PER_INCH, pixels.shape[0] / DOTS_PER_INCH) == pytest.approx(
                (width / 72, height / 72), abs=0.02
            )


@pytest.mark.parametrize("name", [name for name in CHARTS if name != "causes"])
def test_a_legend_names_what_can_be_seen_and_nothing_else(name: str) -> None:
    """Of each entry, some pixels have its colour; what was drawn where nobody sees it has no entry."""
    with chart_style():
        chart = CHARTS[name](2, 4)
        assert chart is not None
        chart.arrange(head=False)
        chart.figure.canvas.draw()
        pixels = np.asarray(chart.figure.canvas.buffer_rgba())[..., :3].reshape(-1, 3)  # type: ignore[attr-defined]
        for key in chart.keys:
            handle: Any = key.handle
            colour = handle.get_facecolor() if hasattr(handle, "get_facecolor") else handle.get_color()
            wanted = np.round(255 * np.array(to_rgb(colour)))
            assert (np.abs(pixels - wanted).max(axis=1) <= 12).any(), key.label


def test_what_lies_beyond_the_axes_has_no_entry() -> None:
    """The ideal line of a thousand workers is out of sight where nothing is faster than serial."""
    frame = cells(1, 2, (1024,), simulated=True).assign(speedup=0.5, speedup_low=0.5, speedup_high=0.5)
    with chart_style():
        chart = speedup(frame.assign(bound_speedup=np.nan, bound_speedup_commutative=2.0), STYLE)
        assert chart is not None
        chart.arrange()
    assert [key.label for key in chart.keys] == ["block_stm", "serial", "bound, if credits commute"]


@pytest.mark.parametrize("name", CHARTS)
def test_axes_say_how_they_are_scaled_and_ticks_are_plain(name: str) -> None:
    with chart_style():
        chart = CHARTS[name](2, 4)
        assert chart is not None
        figure = chart.arrange()
        figure.draw_without_rendering()
    texts = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    scales = {axes.get_yscale() for axes in chart.panels}
    if name not in ("winners", "causes"):  # their places have names
        assert any(f"({scale})" in text.replace("\n", " ") for text in texts for scale in scales)
    for axes in chart.panels:
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [label.get_text() for label in axis.get_ticklabels()]
            assert not [tick for tick in ticks if re.search(r"e-|e\+|\^|0\.0\d{3}", tick)], ticks


def test_ticks_of_factors_are_powers_of_two() -> None:
    with chart_style():
        chart = CHARTS["speed-up, extreme"](4, 12)
        assert chart is not None
        chart.arrange()
        up = [float(tick) for tick in chart.panels[0].yaxis.get_major_locator()()]
        across = list(chart.panels[0].xaxis.get_major_locator()())
    steps = np.diff(np.log2(up))
    assert 1.0 in up
    assert set(steps) == {steps[0]}
    assert float(steps[0]).is_integer()
    assert {1, 1024} <= set(across) <= set(MANY_WORKERS)


def test_the_same_cells_give_the_same_bytes(tmp_path: Path) -> None:
    frame = cells(1, 2)
    first, second = (draw(frame, tmp_path / name, "run") for name in ("first", "second"))
    assert len(first) == len(second) > 2
    for one, other in zip(first, second, strict=True):
        for kind in (".png", ".svg"):
            content = one.with_suffix(kind).read_bytes()
            assert content == other.with_suffix(kind).read_bytes()
        assert b"<dc:date>" not in content


@pytest.mark.parametrize("room", [0.05, 0.5, 2.0, 30.0])
def test_wrapped_text_keeps_every_letter_and_fits(room: float) -> None:
    for text in itertools.chain(WORKLOADS, STRATEGIES, ["", "two words", f"{WORKLOADS[1]}, {WORKLOADS[5]}: $x$ _y_"]):
        lines = wrapped(text, room, 10).split("\n")
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(text_width(line, 10) <= room or len(line) == 1 for line in lines)
