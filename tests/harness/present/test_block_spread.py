"""Spread over real blocks: medians, quartiles, ends, and what counts by time."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas
import pytest
from matplotlib.patches import Rectangle
from rich.console import Console

from contend.harness.present.charts.over_blocks import over_blocks
from contend.harness.present.charts.style import Style, chart_style
from contend.harness.present.report.block_setting import common_words
from contend.harness.present.report.captions import blocks_caption
from contend.harness.present.tables.result_table import warning_lines
from contend.harness.present.tables.spread_table import print_spreads
from contend.harness.record.content.cell_facts import VALIDATOR
from contend.harness.record.statistics.block_spread import spreads, spreads_of


def cell(block: str, strategy: str, ratio: float | None, rate: float = 100.0, **others: Any) -> dict[str, Any]:
    return {
        "workload": f"replay:{block}",
        "dials": {"file": f"blocks/{block}.json.gz"},
        "strategy": strategy,
        "workers": 1 if strategy == "serial" else 2,
        "transactions": 100,
        "tx_per_second": None if ratio is None else rate,
        "speedup": None if ratio is None else {"median": ratio},
        **others,
    }


FOUR = [cell(str(n), "block_stm", ratio) for n, ratio in enumerate((1.0, 2.0, 3.0, 6.0))]


def shown(cells: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    print_spreads(Console(file=text, width=120), cells)
    return text.getvalue()


def test_a_contender_s_spread() -> None:
    (found,) = spreads([*FOUR, cell("0", "serial", 1.0), cell("1", "serial", 1.0)])
    assert (found.strategy, found.workers, len(found.by_block)) == ("block_stm", 2, 4)
    assert (found.middle, found.quartiles, found.ends) == (2.5, (1.75, 3.75), ("0", "3"))
    assert found.whole == 3.0


def test_long_blocks_count_for_more_in_the_whole() -> None:
    # One second and nine seconds here; three and nine serially.
    (found,) = spreads([cell("1", "bal", 3.0, rate=100.0), cell("2", "bal", 1.0, rate=100.0 / 9)])
    assert found.middle == 2.0
    assert found.whole == pytest.approx(1.2)


def test_one_block_and_other_workloads_have_none() -> None:
    assert spreads(FOUR[:1]) == []
    assert spreads([one | {"workload": "swaps", "dials": {}} for one in FOUR]) == []
    assert shown(FOUR[:1]) == ""


def test_what_failed_is_not_counted() -> None:
    (found,) = spreads([*FOUR, cell("9", "block_stm", None)])
    assert len(found.by_block) == 4


def test_files_of_one_name_are_told_apart() -> None:
    twins = [one | {"dials": {"file": f"{n}/7.json"}, "workload": "replay:7"} for n, one in enumerate(FOUR)]
    (found,) = spreads(twins)
    assert found.ends == ("0/7.json", "3/7.json")


def test_the_table_says_it_by_role() -> None:
    given = {"strategy": "bal", "given": {"strategy": "bal", "source": "block", "role": VALIDATOR}}
    text = shown([*FOUR, *(one | given for one in FOUR)])
    assert "all blocks, x serial" in text
    assert "[1.75, 3.75]" in text
    assert "Left out" not in text
    assert "6.00 (3)" in text
    assert text.index("builder") < text.index("block_stm") < text.index("validator") < text.index("bal ")


def frame(cells: list[dict[str, Any]]) -> pandas.DataFrame:
    rows = [
        {
            "workload": one["workload"],
            "dial.file": one["dials"]["file"],
            "strategy": one["strategy"],
            "workers": one["workers"],
            "transactions": one["transactions"],
            "seconds": one["transactions"] / one["tx_per_second"],
            "speedup": one["speedup"]["median"],
            "verified": True,
            "simulated": True,
        }
        for one in cells
    ]
    return pandas.DataFrame(rows)


def test_a_frame_of_cells_has_the_same_spread() -> None:
    every = [*FOUR, cell("0", "serial", 1.0), cell("0", "bal", 2.0), cell("1", "bal", 4.0, rate=50.0)]
    assert spreads_of(frame(every)) == spreads(every)
    failed = frame(every).assign(verified=False)
    assert spreads_of(failed) == []
    assert spreads_of(frame(every).drop(columns="dial.file")) == []


def test_the_chart_has_a_panel_for_each_worker_count() -> None:
    every = [*FOUR, *(one | {"workers": 8} for one in FOUR)]
    style = Style(["serial", "block_stm"])
    with chart_style():
        chart = over_blocks(frame(every), style)
        assert chart is not None
        assert len(chart.panels) == 2
        assert chart.title == "Speed-up on each of 4 blocks"
        (half,) = chart.panels[0].patches
        assert isinstance(half, Rectangle)
        assert (half.get_y(), half.get_y() + half.get_height()) == (1.75, 3.75)
        assert over_blocks(frame(FOUR[:1]), style) is None


def test_words_of_a_spread() -> None:
    text = blocks_caption(frame(FOUR))
    assert text == (
        "block_stm with 2 workers 2.50x in the middle, half of the blocks 1.75x to 3.75x, the least 1.00x (0), "
        "the most 6.00x (3)."
    )


def test_nobody_chose_the_size_of_a_block() -> None:
    common = json.dumps([1, 10_000, 1, None, None, "datacenter", None])
    assert common_words(common, ["replay:7", "replay:8"]) == "network datacenter"
    assert common_words(common, ["replay:7", "swaps"]) == "blocks of 10,000 transactions, network datacenter"


def test_warnings_that_differ_by_figures_only_are_one_line() -> None:
    cells = [
        cell(str(n), "block_stm", 2.0, warnings=[f"beyond the bound: {n}00% of it"], error=None) for n in range(2, 9)
    ]
    assert warning_lines(cells) == ["warning: beyond the bound: 200% of it, and so on: 7 of 7 cells"]
    assert warning_lines(cells[:1]) == ["warning: beyond the bound: 200% of it: replay:2 block_stm x2"]


def test_what_a_narrow_terminal_leaves_out_is_said() -> None:
    text = io.StringIO()
    print_spreads(Console(file=text, width=45), FOUR)
    told = " ".join(text.getvalue().split())
    assert "in 'all'" not in told
    assert "Left out at 45 columns: all, least, most" in told
