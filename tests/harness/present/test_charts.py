from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from PIL import Image

from contend.harness.plan.request import Request
from contend.harness.plan.resolve import BASELINE_CELL, plan_workloads
from contend.harness.present.charts import draw
from contend.harness.present.charts.speedup import speedup
from contend.harness.present.charts.style import Style, chart_style, workload_titles
from contend.harness.present.charts.throughput import throughput
from contend.harness.present.charts.waste import WASTE, wasted, with_waste
from contend.harness.record.build import cell_record
from contend.harness.record.content.execution_counts import contradiction
from contend.harness.record.frame import to_frame
from contend.harness.record.measurement import WorkloadMeasurement

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
            ("planned", 2, 1.2, {"aborts": 50, "wasted_gas": 0, "repairs": 200}),
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


def test_speed_up_is_drawn_over_any_baseline_beside_serial(tmp_path: Path, frame: Any) -> None:
    drawn = draw(frame, tmp_path, "run", baseline="planned")
    assert [path.name for path in drawn if "speedup" in path.name] == [
        "run-speedup.png",
        "run-speedup-over-planned.png",
    ]
    text = (tmp_path / "run-speedup-over-planned.svg").read_text()
    assert "times planned" in text
    assert "times serial" in (tmp_path / "run-speedup.svg").read_text()
    with chart_style():
        chart = speedup(frame, Style(["serial", "block_stm", "planned"]), baseline="planned")
        assert chart is not None
        figure = chart.arrange()
    for axes in figure.axes:
        if axes.get_visible():
            low, high = axes.get_ylim()
            # As fast as the baseline is 1; and every panel shows all that it holds.
            assert low <= 1 <= high
            values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines])
            assert low <= values.min() <= values.max() <= high


def test_bars_are_as_high_as_the_cells_are_fast(frame: Any) -> None:
    with chart_style():
        figure = throughput(frame, Style(["serial", "block_stm", "planned"])).arrange()
    heights = heights_of(figure.axes[0])
    assert heights == pytest.approx(frame[frame["workload"] == "payments"]["tx_per_second"].tolist())
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["payments", "swaps", "nft"]


def test_wasted_gas_is_a_share_of_all_that_was_executed(frame: Any) -> None:
    with chart_style():
        chart = wasted(frame, Style(["serial", "block_stm", "planned"]))
        assert chart is not None
        figure = chart.arrange()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title.split(",")[0] for title in titles] == [
        "wasted executions per transaction",
        "wasted gas",
        "transactions repaired or deferred",
    ]
    assert max(heights_of(figure.axes[0])) == pytest.approx(0.25)
    assert max(heights_of(figure.axes[1])) == pytest.approx(0.1 / 1.1)
    assert heights_of(figure.axes[2]) == pytest.approx([0.2] * 3)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    aborts=st.integers(0, 50_000),
    repairs=st.integers(0, 1_000) | st.none(),
    deferred=st.integers(0, 1_000) | st.none(),
    gas=st.integers(0, 10**12),
)
def test_no_share_passes_the_whole(
    make_cell: Make, make_record: Make, aborts: int, repairs: int | None, deferred: int | None, gas: int
) -> None:
    """However often transactions are executed: 3,000 aborts of 1,000 transactions were 300 % of something once."""
    named = {"repairs": repairs, "deferred": deferred}
    counters = {"aborts": aborts, "wasted_gas": gas} | {name: one for name, one in named.items() if one is not None}
    counters["executions"] = 1_000 + aborts + (repairs or 0)
    cells = with_waste(to_frame([make_record([make_cell(rounds=1, counters=counters)])]))
    assert contradiction(counters, 1_000) is None
    assert cells["wasted"].tolist() == pytest.approx([aborts + (repairs or 0)])
    for counter, per, _, is_share in WASTE:
        if is_share and counter in cells:
            assert (cells[counter].fillna(0) / cells[per]).between(0, 1).all()


def test_without_rivals_or_counters_there_is_nothing_to_draw(make_cell: Make, make_record: Make) -> None:
    frame = to_frame([make_record([make_cell(strategy="serial", workers=1)])])
    style = Style(["serial"])
    assert speedup(frame, style) is None
    assert wasted(frame, style) is None


def test_a_single_cell_is_nothing_to_compare(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    cells = [make_cell(), make_cell(strategy="wrong", error="differs")]
    assert draw(to_frame([make_record(cells)]), tmp_path / "charts", "run") == []
    assert not (tmp_path / "charts").exists()


def test_titles_say_where_most_transactions_fail(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    cells = [
        make_cell(workload, strategy, workers, 1.5) | {"failed_transactions": failed}
        for workload, failed in (("swaps", 0), ("vault", 900))
        for strategy, workers in (("serial", 1), ("block_stm", 2))
    ]
    frame = to_frame([make_record(cells)])
    assert frame["mostly_failed"].tolist() == [False, False, True, True]
    for path in draw(frame, tmp_path, "one"):
        drawn = path.with_suffix(".svg").read_text()
        assert "vault (most transactions fail)" in drawn
        assert "swaps (most" not in drawn


def test_failed_cells_are_not_drawn(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    cells = [make_cell(), make_cell(strategy="serial", workers=1), make_cell(strategy="wrong", error="differs")]
    (first, *_) = draw(to_frame([make_record(cells)]), tmp_path, "run")
    assert "wrong" not in first.with_suffix(".svg").read_text()


def test_a_workload_file_goes_by_its_own_name() -> None:
    """From the file to the title of a panel; its path stays its name."""
    path = str(Path(__file__).parents[3] / "docs/examples/token.toml")
    (plan,) = plan_workloads(Request((path,)))
    assert (plan.title, plan.own_title) == (path, "gold")
    cell = cell_record(WorkloadMeasurement(plan, (BASELINE_CELL,)), BASELINE_CELL, Request((path,)))
    assert cell["workload_title"] == "gold"
    (other,) = plan_workloads(Request(("swaps",)))
    assert "workload_title" not in cell_record(
        WorkloadMeasurement(other, (BASELINE_CELL,)), BASELINE_CELL, Request(("swaps",))
    )


@pytest.mark.parametrize(
    ("named", "titles"),
    [
        ({"a/x.toml": "gold", "swaps": None}, ["gold", "swaps"]),
        # Older records do not know what the file calls itself.
        ({"a/x.toml": None, "swaps": float("nan")}, ["x", "swaps"]),
        # Two that call themselves alike are told apart by their paths.
        ({"a/x.toml": "gold", "b/x.toml": "gold", "c/y.toml": "y"}, ["a/x.toml", "b/x.toml", "y"]),
        ({"a/swaps.toml": None, "swaps": None}, ["a/swaps.toml", "swaps"]),
    ],
)
def test_titles_tell_workloads_apart(named: dict[str, Any], titles: list[str]) -> None:
    cells = pandas.DataFrame({"workload": list(named), "workload_title": list(named.values())})
    assert list(workload_titles(cells).values()) == titles
    assert list(workload_titles(cells)) == list(named)


def test_a_chart_over_another_baseline_knows_neither_bound_nor_ideal(frame: Any) -> None:
    style = Style(["serial", "block_stm", "planned"])
    with chart_style():
        chart = speedup(frame[frame["strategy"] != "serial"], style, baseline="block_stm")
    assert chart is not None
    assert chart.title == "Speed-up over block_stm"
    assert [key.label for key in chart.keys] == ["planned", "block_stm"]


def test_a_counter_that_is_zero_throughout_has_no_panel(frame: Any) -> None:
    """Its axis had ticks such as 0.00000012%."""
    style = Style(["serial", "block_stm", "planned"])
    nothing = frame.assign(**{"count.repairs": 0, "count.wasted_gas": 0})
    with chart_style():
        some, none = (wasted(cells, style) for cells in (nothing, nothing.assign(wasted_per_transaction=0.0)))
    assert some is not None
    assert none is not None
    assert len(some.panels) == len(none.panels) == 1
    assert list(none.panels[0].get_ylim()) == pytest.approx([0, 1.25])
    assert {key.label for key in none.keys} == {"block_stm", "planned"}, "a zero is a line; serial can waste nothing"
