"""Runs in which stages of several blocks overlap: their samples, their records, and wrong ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest

import contend
from contend.evm import Block, State
from contend.harness.bench.bench import Bench
from contend.harness.bench.failures import RunError
from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request, command_words, stages_text
from contend.harness.plan.resolve import CellKey, WorkloadPlan, resolve
from contend.harness.present.report.page import write_report
from contend.harness.records import schema
from contend.strategies.base import Outcome
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get
from contend.workloads import get as workload
from contend.workloads import resolve_dials

SIZE, COUNT = 40, 3
ASKED = {"signatures": "secp256k1", "root": "mpt"}
PLAN = WorkloadPlan("swaps", resolve_dials(workload("swaps"), {"pools": 1, "accounts": 40}), block_count=COUNT)


class Lying(BlockSTM):
    """Changes the state behind the second block's back, and does not tell."""

    name: ClassVar[str] = "lying"
    _blocks = 0

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        self._blocks += 1
        # The first COUNT blocks come one after the other, and are right.
        if self._blocks == COUNT + 2:
            state.set_balance(bytes(19) + b"\x07", 7)
        return outcome


@pytest.fixture
def benches() -> Iterator[Any]:
    made: list[Bench] = []

    def make(seats: str, clock: Clock = WALL) -> Bench:
        bench = Bench(lambda name: Lying if name == "lying" else get(name), workload, clock=lambda: clock)
        bench.stages = ASKED | {"pipeline": seats}
        made.append(bench)
        bench.prepare(PLAN, 1, SIZE)
        return bench

    yield make
    for bench in made:
        bench.close()


@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("seats", ["shared", "split:1,1,1"])
def test_a_sample_tells_when_blocks_came_and_went(benches: Any, seats: str, clock: Clock) -> None:
    sample = benches(seats, clock).run(CellKey("block_stm", 3))
    told = sample.pipeline
    assert sample.seconds == pytest.approx(sum(sample.phases.values()))
    assert sample.seconds == pytest.approx(sum(sample.block_seconds)) == told["ended"][-1]
    assert len(told["began"]) == len(told["ended"]) == COUNT
    assert all(began < ended for began, ended in zip(told["began"], told["ended"], strict=True))
    assert list(told["alone"]) == ["recover", "execute", "root"]
    assert told["foretold_seconds"] > 0
    assert sample.counters["executions"] >= COUNT * SIZE
    if clock.simulated and seats != "shared":
        # Nothing is shared but blocks: there is nothing that the model leaves out.
        assert told["foretold_seconds"] == pytest.approx(sample.seconds)


@pytest.mark.parametrize("seats", ["shared", "split:1,2,1"])
@pytest.mark.parametrize("strategy", ["serial", "block_stm", "placeholder"])
def test_cold_state_lies_behind_each_block_that_is_executed(benches: Any, seats: str, strategy: str) -> None:
    warm = benches(seats, VirtualClock())
    cold = benches(seats, VirtualClock())
    cold.stages |= {"state": "file", "cache": "cold", "disk": "55us:4"}
    cold.prepare(PLAN, 1, SIZE)
    samples = [bench.run(CellKey(strategy, 4)) for bench in (warm, cold, cold)]
    without, told, again = samples
    assert told.seconds > without.seconds
    assert (told.seconds, told.counters) == (again.seconds, again.counters)
    # Reading ahead is at the station of execution, in what is foretold as in what is told.
    cold.stages |= {"read_ahead": "sure"}
    cold.prepare(PLAN, 1, SIZE)
    ahead = cold.run(CellKey(strategy, 4))
    assert ahead.pipeline is not None
    assert ahead.phases["read"] > 0
    assert sum(ahead.phases.values()) == pytest.approx(ahead.seconds)
    assert sum(ahead.pipeline["alone"]["execute"]) > ahead.phases["read"]
    # Who reads a record first reads it from the device, in every block.
    assert told.counters["cold_records"] > COUNT * 10
    assert "cold_records" not in without.counters


def test_the_baseline_s_blocks_come_one_after_the_other(benches: Any) -> None:
    bench = benches("shared", VirtualClock())
    sample = bench.run(CellKey("serial", 1))
    assert sample.pipeline == {}
    assert len(sample.block_seconds) == COUNT
    # Others find senders and compute roots while one executes.
    with_others = bench.run(CellKey("serial", 3))
    assert len(with_others.pipeline["ended"]) == COUNT
    assert with_others.seconds < sample.seconds


def test_a_state_that_blocks_have_not_told_of_fails_the_run_and_spoils_no_other(benches: Any) -> None:
    bench = benches("shared", VirtualClock())
    with pytest.raises(RunError, match="the pipeline has left another state than its blocks' changes together"):
        bench.run(CellKey("lying", 2))
    bench.run(CellKey("block_stm", 2))


def test_an_error_in_the_pipeline_leaves_stages_that_can_be_used_again(
    benches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = benches("shared")
    bench.run(CellKey("block_stm", 2))
    execute, calls = BlockSTM.execute, []

    def failing(self: BlockSTM, block: Block, state: State, workers: int) -> Outcome:
        calls.append(block)
        if len(calls) == COUNT + 3:
            raise ValueError("planted")
        return execute(self, block, state, workers)

    monkeypatch.setattr(BlockSTM, "execute", failing)
    with pytest.raises(RunError, match="ValueError: planted"):
        bench.run(CellKey("block_stm", 2))
    bench.run(CellKey("block_stm", 2))


def test_a_record_says_what_overlapped_and_is_as_the_schema_says(tmp_path: Path) -> None:
    cells = contend.run(
        "payments",
        ["serial", "block_stm"],
        workers=4,
        clock="virtual",
        block_size=SIZE,
        block_count=COUNT,
        root="mpt",
        signatures="secp256k1",
        pipeline="split:2,1,1",
        results=tmp_path,
    )
    (record,) = (json.loads(path.read_text()) for path in (tmp_path / "records").glob("*.json"))
    jsonschema.validate(record, schema())
    serial, with_others, own = record["cells"]
    assert [(one["strategy"], one["workers"]) for one in record["cells"][:2]] == [("serial", 1), ("serial", 4)]
    assert "pipeline" not in serial
    assert with_others["speedup"]["median"] > 1
    told = own["pipeline"]
    assert told["bottleneck"] == "recover"
    assert told["error"] == pytest.approx(0.0)
    assert told["overlap"] > 1
    assert told["latency_seconds"] > told["interval_seconds"] > 0
    assert "latency" not in own
    assert cells["share_of_bound"].isna().all()
    write_report([record], tmp_path / "page", "again")
    page = (tmp_path / "page" / "index.html").read_text()
    assert "with 4 workers, the fastest, is finding senders by signatures" in page
    assert "what takes longest of a transaction (workers in brackets): serial (4) finding senders" in page
    assert cells["bottleneck"].tolist() == ["recover"] * 3
    assert cells["pipeline_overlap"].tolist()[2] == told["overlap"]
    assert own["tx_per_second"] == pytest.approx(COUNT * SIZE / own["samples"][0]["pipeline"]["ended"][-1])
    assert "pipeline split:2,1,1" in stages_text(record["request"])
    assert "--pipeline split:2,1,1" in " ".join(command_words(record["request"]))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"pipeline": "both"}, "pipeline: 'both' is not known: none, shared, or split:R,E,T"),
        ({"pipeline": "shared", "block_count": 2}, "nothing could overlap with execution"),
        ({"pipeline": "shared", "root": "mpt"}, "add --block-count"),
        ({"pipeline": "shared", "root": "mpt", "block_count": 2, "load": 0.5}, "leave --load and --rate out"),
    ],
)
def test_a_pipeline_of_nothing_is_refused(asked: Mapping[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        Request(**asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"strategies": "sharded", "pipeline": "shared"}, "sharded: workers that cannot be driven together"),
        ({"strategies": "sharded", "pipeline": "split:1,1,1"}, "sharded: workers that cannot be driven together"),
        ({"strategies": "block_stm", "pipeline": "split:1,1,1", "workers": 2}, "2 workers are too few for 3 stages"),
    ],
)
def test_what_cannot_be_driven_so_is_refused_before_anything_is_measured(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        resolve(Request(**{"workers": 4, "block_count": 2, **ASKED, **asked}))
