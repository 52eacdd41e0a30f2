"""What aborts were due to, from the run to the chart."""

from __future__ import annotations

from typing import Any

import pandas
import pytest
from matplotlib.patches import Rectangle

import contend
from contend.harness.analysis.names import CLASSES as NAMED
from contend.harness.present.charts.abort_causes import CLASSES, KINDS, aborts_of, causes, worst
from contend.harness.present.report.captions import causes_caption
from contend.harness.present.report.figures import style_of
from contend.harness.record.sample import ABORTS_AT


@pytest.fixture(scope="module")
def cells() -> pandas.DataFrame:
    return contend.run(
        workloads=["swaps", "nft"],
        strategies=["serial", "block_stm"],
        workers=[8],
        block_size=200,
        dials={"swaps.pools": 3},
        clock="virtual",
    )


def test_every_class_has_a_column() -> None:
    assert {name.removeprefix("count." + ABORTS_AT).replace("_", " ") for name in CLASSES} == set(NAMED)
    assert set(CLASSES.values()) == set(NAMED)


def test_classes_add_up_to_the_aborts(cells: pandas.DataFrame) -> None:
    own = cells[cells["strategy"] == "block_stm"]
    assert (own["count.aborts"] > 0).all()
    for one in own.to_dict("records"):
        assert sum(aborts_of(one).values()) == one["count.aborts"]
    by_workload = {one["workload"]: aborts_of(one) for one in own.to_dict("records")}
    # Three pools: what swaps fight over is their reserves. Mints pay into one account.
    assert max(by_workload["swaps"], key=by_workload["swaps"].__getitem__) == "pool reserve"
    assert max(by_workload["nft"], key=by_workload["nft"].__getitem__) == "balance"


def test_serial_runs_have_no_causes(cells: pandas.DataFrame) -> None:
    own = cells[cells["strategy"] == "serial"]
    assert own[[name for name in CLASSES if name in own]].isna().all().all()


def test_records_without_classes_show_kinds() -> None:
    row: dict[str, Any] = {"count.aborts": 3, "count.aborts_storage": 2, "count.aborts_nonce": 1}
    assert aborts_of(row) == {KINDS["count.aborts_storage"]: 2, "nonce": 1}
    assert aborts_of({"count.aborts": 3, "count.aborts_storage": float("nan")}) == {}


def test_the_chart_has_a_bar_for_each_and_says_so_in_words(cells: pandas.DataFrame) -> None:
    shown = worst(cells)
    assert set(shown["strategy"]) == {"block_stm"}
    chart = causes(cells, style_of(cells))
    assert chart is not None
    assert {"pool reserve", "balance"} <= {key.label for key in chart.keys}
    bars = [patch for axes in chart.panels for patch in axes.patches if isinstance(patch, Rectangle)]
    drawn = sum(bar.get_width() for bar in bars)
    assert drawn == pytest.approx((shown["count.aborts"] / shown["transactions"]).sum())
    assert "pool reserve" in causes_caption(cells[cells["workload"] == "swaps"])
    assert causes(cells[cells["strategy"] == "serial"], style_of(cells)) is None
