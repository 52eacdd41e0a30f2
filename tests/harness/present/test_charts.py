from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from PIL import Image

from contend.harness.present.charts import draw
from contend.harness.present.charts.speedup import speedup
from contend.harness.present.charts.style import Style, chart_style
from contend.harness.present.charts.throughput import throughput
from contend.harness.present.charts.waste import wasted
from contend.harness.record.frame import to_frame

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def frame(make_cell: Make, make_record: Make) -> Any:
    cells = [
        make_cell(workload, strategy, workers, ratio, counters=counters)
        for workload in ("payments", "swaps", "nft")
        for strategy, workers, ratio, counters in (
            ("serial", 1, 1.0, {}),
            ("block_stm", 1, 0.8, {"aborts": 0, "wasted_gas": 0}),
            ("block_stm", 2, 1.5, {"aborts": 100, "wasted_gas": 2_100_000}),
            ("planned", 2, 1.2, {"aborts": 50, "wasted_gas": 0, "repaired": 200}),
        )
    ]
    return to_frame([make_record(cells)])


def heights_of(axes: Axes) -> list[float]:
    return [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]


def test_three_charts_are_drawn_as_png_and_svg(tmp_path: Path, frame: Any) -> None:
    drawn = draw(frame, tmp_path / "charts", "run")
    names = ["run-throughput.png", "run-speedup.png", "run-wasted.png"]
    assert [path.name for path in drawn] == names
    for path in drawn:
        with Image.open(path) as picture:
            assert picture.width > 400
            # A blank picture has one colour.
            assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20
        assert "</svg>" in path.with_suffix(".svg").read_text()
    assert pyplot.get_fignums() == []


def test_bars_are_as_high_as_the_cells_are_fast(frame: Any) -> None:
    with chart_style():
        figure = throughput(frame, Style(["serial", "block_stm", "planned"])).arrange()
    heights = heights_of(figure.axes[0])
    assert heights == pytest.approx(frame[frame["workload"] == "payments"]["tx_per_second"].tolist())
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["payments", "swaps", "nft"]


def test_wasted_gas_is_a_share_of_the_blocks(frame: Any) -> None:
    with chart_style():
        chart = wasted(frame, Style(["serial", "block_stm", "planned"]))
        assert chart is not None
        figure = chart.arrange()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title.split(",")[0] for title in titles] == [
        "aborts per transaction",
        "wasted gas",
        "transactions repaired or deferred",
    ]
    assert max(heights_of(figure.axes[1])) == pytest.approx(0.1)
    assert heights_of(figure.axes[2]) == pytest.approx([0.2] * 3)


def test_without_rivals_or_counters_there_is_nothing_to_draw(make_cell: Make, make_record: Make) -> None:
    frame = to_frame([make_record([make_cell(strategy="serial", workers=1)])])
    style = Style(["serial"])
    assert speedup(frame, style) is None
    assert wasted(frame, style) is None


def test_a_single_cell_is_nothing_to_compare(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    cells = [make_cell(), make_cell(strategy="wrong", error="differs")]
    assert draw(to_frame([make_record(cells)]), tmp_path / "charts", "run") == []
    assert not (tmp_path / "charts").exists()


def test_failed_cells_are_not_drawn(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    cells = [make_cell(), make_cell(strategy="serial", workers=1), make_cell(strategy="wrong", error="differs")]
    (first, *_) = draw(to_frame([make_record(cells)]), tmp_path, "run")
    assert "wrong" not in first.with_suffix(".svg").read_text()
