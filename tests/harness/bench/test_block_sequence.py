"""Blocks in a row: state carries over under each strategy, and each block is judged where it began."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema
import pytest

import contend
from contend.evm import Block, State
from contend.harness.bench.bench import Bench
from contend.harness.bench.block_sequence import blocks_digest
from contend.harness.bench.failures import RunError, WorkloadError
from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import CellKey, WorkloadPlan, resolve
from contend.harness.record.bound import Bounds
from contend.harness.records import schema
from contend.strategies.base import Outcome, Strategy
from contend.strategies.registry import get
from contend.workloads import get as workload
from contend.workloads import resolve_dials

SIZE = 60
# Prices depend on the order of swaps, so that another order gives another state.
POOL: dict[str, Any] = {"pools": 1, "accounts": 40, "burst": "plateau", "slippage_bps": 5_000}


def plan(name: str = "swaps", blocks: int = 3, overrides: Mapping[str, Any] = POOL) -> WorkloadPlan:
    return WorkloadPlan(name, resolve_dials(workload(name), overrides), block_count=blocks)


@pytest.fixture
def bench_of(fakes: Any) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*more: type[Strategy]) -> Bench:
        kinds = {kind.name: kind for kind in (*fakes.STRATEGIES, *more)}
        bench = Bench(lambda name: kinds.get(name) or get(name), workload)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.close()


def test_facts_and_samples_are_sums_over_the_blocks(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    facts = bench.prepare(plan(), 1, SIZE)
    scenario = workload("swaps")().build(plan().dials, 1, SIZE, 3)
    assert facts.transactions == 3 * SIZE
    assert [sum(parts) for parts in facts.arrivals] == [len(block) for block in scenario.blocks]
    assert facts.block_digest == blocks_digest(scenario.blocks) != scenario.blocks[0].digest
    sample = bench.run(CellKey("block_stm", 2))
    assert len(sample.block_seconds) == 3
    assert min(sample.block_seconds) > 0
    assert sample.seconds == pytest.approx(sum(sample.block_seconds)) == pytest.approx(sum(sample.phases.values()))
    assert sample.counters["executions"] >= facts.transactions
    assert bench.run(CellKey("serial", 1)).block_seconds


def test_untimed_seconds_are_summed_over_the_blocks(bench_of: Callable[..., Bench], fakes: Any) -> None:
    told = iter([{"snapshot": 0.5}, {"snapshot": 0.25, "workspace": 1.0}, {"snapshot": 0.0}])

    class Telling(fakes.Honest):  # type: ignore[misc]
        name = "telling"

        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            outcome: Outcome = super().execute(block, state, workers)
            outcome.untimed = next(told)
            return outcome

    bench = bench_of(Telling)
    bench.prepare(plan(), 1, SIZE)
    untimed = bench.run(CellKey("telling", 1)).untimed
    assert (untimed["snapshot"], untimed["workspace"]) == (0.75, 1.0)
    assert set(untimed) == {"snapshot", "workspace", "reset", "verification"}


def test_one_block_is_what_it_was(bench_of: Callable[..., Bench]) -> None:
    facts = bench_of().prepare(plan(blocks=1), 1, SIZE)
    block = workload("swaps")().build(plan().dials, 1, SIZE).blocks[0]
    assert facts.arrivals == ()
    assert facts.block_digest == block.digest
    assert facts.bounds is not None
    assert facts.bounds.plain.blocks == ()


def test_the_bound_is_one_of_each_block_and_survives_a_record(bench_of: Callable[..., Bench]) -> None:
    bounds = bench_of().prepare(plan(), 1, SIZE).bounds
    assert bounds is not None
    plain = bounds.plain
    assert plain.work == sum(work for work, _ in plain.blocks)
    assert plain.critical_path == sum(path for _, path in plain.blocks)
    assert plain.speedup(1) == pytest.approx(1.0)
    # Blocks cannot overlap: never better than if they could.
    for workers in (2, 8, 1_024):
        assert plain.speedup(workers) <= plain.work / max(plain.critical_path, plain.work / workers) * (1 + 1e-12)
    assert Bounds.from_json(bounds.as_json()) == bounds


def test_a_strategy_of_its_own_order_goes_on_from_its_own_state(bench_of: Callable[..., Bench], fakes: Any) -> None:
    begun: list[str] = []

    class Watched(fakes.Reordering):  # type: ignore[misc]
        name = "watched"

        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            begun.append(state.digest())
            outcome: Outcome = super().execute(block, state, workers)
            return outcome

    class Plain(fakes.Honest):  # type: ignore[misc]
        name = "plain"

        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            begun.append(state.digest())
            outcome: Outcome = super().execute(block, state, workers)
            return outcome

    bench = bench_of(Watched, Plain)
    bench.prepare(plan(), 1, SIZE)
    bench.run(CellKey("watched", 1))
    bench.run(CellKey("plain", 1))
    # Again, now that all references of both histories are known.
    bench.run(CellKey("watched", 1))
    own, serial, again = begun[:3], begun[3:6], begun[6:]
    assert own == again
    assert own[0] == serial[0]
    assert own[1] != serial[1]
    assert own[2] != serial[2]


def test_a_wrong_later_block_is_found_and_named(bench_of: Callable[..., Bench], fakes: Any) -> None:
    class Tiring(fakes.Honest):  # type: ignore[misc]
        """Wrong in its third block."""

        name = "tiring"
        runs = 0

        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            outcome: Outcome = super().execute(block, state, workers)
            self.runs += 1
            if self.runs == 3:
                outcome.receipts = fakes.with_status(outcome.receipts, 2, 7)
            return outcome

    class Drifting(fakes.Honest):  # type: ignore[misc]
        """Leaves a wei too much after the second block, and goes on from there as if nothing were."""

        name = "drifting"
        runs = 0

        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            outcome: Outcome = super().execute(block, state, workers)
            self.runs += 1
            if self.runs == 2:
                outcome.changes = None
                state.set_balance(block.environment.coinbase, state.balance(block.environment.coinbase) + 1)
            return outcome

    bench = bench_of(Tiring, Drifting)
    bench.prepare(plan(), 1, SIZE)
    with pytest.raises(RunError, match="block 2: transaction 2, status: serial 1, here 7"):
        bench.run(CellKey("tiring", 1))
    with pytest.raises(RunError, match="block 1: state, balance of"):
        bench.run(CellKey("drifting", 1))
    assert bench.run(CellKey("honest", 1)).seconds > 0


def test_a_workload_that_cannot_make_a_chain_says_so(bench_of: Callable[..., Bench], fakes: Any) -> None:
    class Short(workload("payments")):  # type: ignore[misc]
        def build(self, dials: Any, seed: int, block_size: int, blocks: int = 1) -> Any:
            return super().build(dials, seed, block_size, 1)

    bench = Bench(get, lambda name: Short)
    with pytest.raises(WorkloadError, match="asked for 3 blocks and built 1"):
        bench.prepare(plan("payments", overrides={"accounts": 20}), 1, 10)
    bench.close()


def test_every_strategy_runs_a_burst_under_both_clocks() -> None:
    for clock in ("wall", "virtual"):
        cells = contend.run(
            ["payments", "swaps"], workers=2, block_size=60, repeat=2, processes=1, clock=clock, block_count=4,
            load=1.5, dials={"burst": "viral", "swaps.pools": 2},
        )  # fmt: skip
        assert cells["error"].isna().all(), cells["error"].tolist()
        assert cells["verified"].all()
        assert (cells["block_count"] == 4).all()
        assert (cells["latency_p99_seconds"] >= cells["latency_p50_seconds"]).all()
        assert (cells["latency_p50_seconds"] > 0).all()
        for blocks in cells["block_transactions"]:
            assert sum(blocks) == 240
            assert max(blocks) == blocks[2]


def test_a_simulated_chain_gives_the_same_figures_again_in_a_valid_record(tmp_path: Any) -> None:
    import json

    def measured(folder: str) -> Any:
        return contend.run(
            "swaps", ["serial", "block_stm", "sharded"], 4, {"burst": "plateau", "pools": 3}, 50, clock="virtual",
            block_count=3, rate=20_000.0, results=tmp_path / folder,
        )  # fmt: skip

    first, second = measured("a"), measured("b")
    assert first["figures_digest"].tolist() == second["figures_digest"].tolist()
    assert first["latency_p99_seconds"].tolist() == second["latency_p99_seconds"].tolist()
    assert set(first["offered_tx_per_second"]) == {20_000.0}
    (record,) = (json.loads(path.read_text()) for path in (tmp_path / "a" / "records").glob("*.json"))
    jsonschema.validate(record, schema())


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"block_count": 0}, "block count: 0 is out of range"),
        ({"block_count": 500}, "500 blocks of 10,000 are more than 1,000,000"),
        ({"block_count": 2, "load": 0.0}, "load: 0.0 is not a positive number"),
        ({"block_count": 2, "rate": float("nan")}, "rate: nan is not a positive number"),
        ({"block_count": 2, "load": 0.5, "rate": 1.0}, "give one of them"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        Request(**options)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"workloads": ("payments",), "load": 0.5}, "add --block-count"),
        ({"suite": "quick-1", "block_size": 2_000, "rate": 5.0}, "add --block-count"),
        ({"suite": "quick-1", "block_size": 2_000, "block_count": 3}, "fixes the block count at 1"),
        ({"workloads": ("replay",), "blocks": ("x.json",), "block_count": 3}, "each file of replay is one block"),
    ],
)
def test_what_does_not_go_with_several_blocks_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        resolve(Request(**options))
    assert complaint in str(refusal.value)
