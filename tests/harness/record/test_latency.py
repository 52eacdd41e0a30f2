"""Latency from arrival to commit: the model against one transaction after the other, and its figures in records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.harness.present.charts import draw
from contend.harness.present.tables.result_table import print_results
from contend.harness.record.atomic_write import write_json
from contend.harness.record.derived import derived
from contend.harness.record.frame import to_frame
from contend.harness.record.latency import PARTS, arrival_seconds, commit_seconds, counted, latencies, summary
from contend.harness.records import load, read, schema
from contend.workloads.building.arrivals import BLOCK_SECONDS, arrival_times, block_sizes
from contend.workloads.building.sampling import RandomStream

Make = Callable[..., dict[str, Any]]
INTERVAL = BLOCK_SECONDS * 1_000


def one_by_one(arrived: list[list[float]], durations: list[float], interval: float) -> list[float]:
    """The same model, transaction by transaction, as its description says it."""
    waits: list[float] = []
    executed_before = 0.0
    for block, times in enumerate(arrived):
        closed = (block + 1) * interval
        begun = closed if closed > executed_before else executed_before
        executed_before = begun + durations[block]
        waits += [executed_before - time for time in times]
    return waits


@given(
    counts=st.lists(st.lists(st.integers(0, 5), min_size=PARTS, max_size=PARTS).filter(any), min_size=1, max_size=6),
    durations=st.lists(st.floats(0.01, 5.0), min_size=6, max_size=6),
    interval=st.floats(0.1, 3.0),
)
def test_blocks_at_once_give_what_transactions_one_by_one_do(
    counts: list[list[int]], durations: list[float], interval: float
) -> None:
    arrived = [one.tolist() for one in arrival_seconds(counts, interval)]
    assert [len(one) for one in arrived] == [sum(parts) for parts in counts]
    found = np.concatenate(latencies(counts, durations[: len(counts)], interval))
    assert found == pytest.approx(one_by_one(arrived, durations, interval))
    # Nobody is committed before the interval of arrival is over and the block has been executed.
    assert min(found) > min(durations[: len(counts)]) * (1 - 1e-12)


def test_a_block_waits_for_its_interval_or_for_the_block_before() -> None:
    assert commit_seconds([0.5, 0.5, 0.5], 1.0) == [1.5, 2.5, 3.5]
    # The second is closed at 2 and cannot begin before 3.5; the third has caught up by its end at 4.5.
    assert commit_seconds([2.5, 0.5, 0.5], 1.0) == [3.5, 4.0, 4.5]


@pytest.mark.parametrize("burst", ["steady", "opening", "plateau", "viral"])
def test_arrivals_of_bursts_are_counted_where_they_fall(burst: str) -> None:
    sizes = block_sizes(burst, 500, 5)
    times = arrival_times(burst, sizes, RandomStream(1, "test"))
    counts = counted(times, sizes, INTERVAL)
    assert [sum(parts) for parts in counts] == sizes
    for block, (parts, one) in enumerate(zip(counts, times, strict=True)):
        seconds = (one // 1_000 - block * BLOCK_SECONDS).tolist()
        assert parts == [seconds.count(second) for second in range(BLOCK_SECONDS)]


def test_arrivals_that_nobody_knows_are_even_and_wrong_ones_are_refused() -> None:
    assert counted([], [24, 6], INTERVAL) == [[2] * PARTS, [0, 1] * 6]
    with pytest.raises(ValueError, match="not one for each transaction"):
        counted([np.array([1, 2])], [3], INTERVAL)
    with pytest.raises(ValueError, match="block 1 are not all within"):
        counted([np.array([1]), np.array([INTERVAL - 1])], [1, 1], INTERVAL)


def chained(cell: dict[str, Any], blocks: int = 4, **offered: float) -> dict[str, Any]:
    """The cell as one of several blocks, all of its time in the third."""
    size = cell["transactions"] // blocks
    cell |= {"block_count": blocks, "arrivals": counted([], [size] * blocks, INTERVAL), **(offered or {"load": 0.8})}
    for sample in cell["samples"]:
        each = 0.05 * sample["seconds"]
        sample["block_seconds"] = [each, each, sample["seconds"] - (blocks - 1) * each, each][:blocks]
    return cell | derived(cell)


def test_load_is_of_the_serial_throughput_of_the_same_round_and_a_rate_is_a_rate(make_cell: Make) -> None:
    cell = chained(make_cell(rounds=1))
    baseline = cell["samples"][0]["baseline_seconds"]
    assert cell["latency"]["offered_tx_per_second"] == pytest.approx(0.8 * 1_000 / baseline)
    assert cell["latency"]["interval_seconds"] == pytest.approx(baseline / 0.8 / 4)
    given_rate = chained(make_cell(rounds=1), rate=5_000.0)
    assert given_rate["latency"]["offered_tx_per_second"] == 5_000
    assert given_rate["latency"]["interval_seconds"] == pytest.approx(0.05)


def test_a_slow_block_is_waited_for_by_itself_and_by_the_next(make_cell: Make) -> None:
    cell = chained(make_cell(rounds=3, ratio=0.5), rate=100_000.0)
    p99 = cell["latency"]["by_block"]["p99_seconds"]
    assert p99[0] == pytest.approx(p99[1], rel=0.9)
    assert p99[2] > 5 * p99[1]
    # What of the backlog is left for the last block is the slow one's time less an interval, and its own on top.
    assert p99[3] > 0.9 * p99[2]
    assert cell["latency"]["p50_seconds"] < cell["latency"]["p99_seconds"]


def test_figures_are_computed_anew_from_the_samples(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    cell = chained(make_cell())
    truth = json.loads(json.dumps(cell["latency"]))
    record = make_record([cell, make_cell("payments"), chained(make_cell(strategy="wrong", error="differs"))])
    jsonschema.validate(record, schema())
    cell["latency"]["p50_seconds"] = 1e9
    write_json(tmp_path / "record.json", record)
    assert read(tmp_path / "record.json")["cells"][0]["latency"] == truth
    frame = load(tmp_path / "record.json")
    assert frame["latency_p50_seconds"][0] == truth["p50_seconds"]
    assert frame["block_transactions"][0] == [250] * 4
    assert frame["block_count"].tolist() == [4, 1, 4]
    assert frame["latency_p99_seconds"].isna().tolist() == [False, True, True]
    assert summary({"arrivals": [], "samples": []}) is None


@pytest.mark.parametrize("width", [80, 102, 120])
def test_a_table_of_several_blocks_fits_and_says_what_was_offered(
    width: int, make_cell: Make, make_record: Make
) -> None:
    import io

    from rich.console import Console

    cells = [
        chained(make_cell("payments", strategy, workers, ratio, critical_path=25_000_000, counters={"aborts": 10}))
        for strategy, workers, ratio in (("serial", 1, 1.0), ("static_partition", 32, 0.4), ("block_stm", 32, 12.0))
    ]
    target = io.StringIO()
    print_results(Console(file=target, width=width), make_record(cells))
    lines = target.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "…" not in text
    for word in ("p50", "p99", " ms", "(0.8 of serial) on average, 4 blocks of 250, one every"):
        assert word in text


def test_latency_is_drawn_only_of_several_blocks(tmp_path: Path, make_cell: Make, make_record: Make) -> None:
    rows = (("serial", 1, 1.0), ("block_stm", 2, 1.5))
    single = [make_cell("swaps", strategy, workers, ratio) for strategy, workers, ratio in rows]
    names = [path.name for path in draw(to_frame([make_record(single)]), tmp_path, "one")]
    assert "one-latency.png" not in names
    several = [chained(make_cell("swaps", strategy, workers, ratio)) for strategy, workers, ratio in rows]
    names = [path.name for path in draw(to_frame([make_record(several)]), tmp_path, "four")]
    assert "four-latency.png" in names
    assert "0.8 of serial throughput" in (tmp_path / "four-latency.svg").read_text()
