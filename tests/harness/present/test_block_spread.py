"""Spread over real blocks: medians, quartiles, ends, and what counts by time."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from contend.harness.present.tables.spread_table import print_spreads
from contend.harness.record.content.cell_facts import VALIDATOR
from contend.harness.record.statistics.block_spread import spreads


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
    assert "6.00 (3)" in text
    assert text.index("builder") < text.index("block_stm") < text.index("validator") < text.index("bal ")
