from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from contend.evm import Block, State
from contend.harness.bench.bench import Bench
from contend.harness.bench.failures import RunError, WorkloadError
from contend.harness.plan.resolve import CellKey, WorkloadPlan
from contend.strategies.base import Outcome, Strategy
from contend.strategies.registry import get

LEDGER = WorkloadPlan("ledger", {"accounts": 20})


@pytest.fixture
def bench(fakes: Any) -> Iterator[Bench]:
    strategies = {kind.name: kind for kind in fakes.STRATEGIES} | {"serial": get("serial")}
    workloads = {kind.name: kind for kind in fakes.WORKLOADS}
    made = Bench(strategies.__getitem__, workloads.__getitem__)
    yield made
    made.close()


def test_facts_are_those_of_the_serial_run(bench: Bench) -> None:
    facts = bench.prepare(LEDGER, 1, 100)
    assert (facts.transactions, facts.gas, facts.failed_transactions) == (100, 2_100_000, 0)
    assert facts.changed_locations > 20
    assert facts == bench.prepare(LEDGER, 1, 100)
    assert facts.block_digest != bench.prepare(LEDGER, 2, 100).block_digest


def test_a_run_gives_phases_counters_and_times(bench: Bench) -> None:
    bench.prepare(LEDGER, 1, 100)
    sample = bench.run(CellKey("honest", 2))
    assert set(sample.phases) == {"prepare", "execute", "commit"}
    assert sample.seconds == pytest.approx(sum(sample.phases.values()))
    assert sample.wall_seconds >= sample.seconds > 0
    assert sample.cpu_seconds > 0
    assert sample.counters["aborts"] == 10


def test_every_run_starts_from_the_state_before_the_block(bench: Bench) -> None:
    bench.prepare(LEDGER, 1, 100)
    # Each run is verified; were the state not restored, nonces would not match the second time.
    for _ in range(3):
        bench.run(CellKey("honest", 1))


def test_collection_is_off_during_a_run_and_on_again_after_a_failure(fakes: Any) -> None:
    seen = []

    class Watching(fakes.Honest):  # type: ignore[misc]
        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            seen.append(gc.isenabled())
            raise ValueError("planted")

    bench = Bench(lambda name: get("serial") if name == "serial" else Watching, lambda name: fakes.Ledger)
    bench.prepare(LEDGER, 1, 10)
    with pytest.raises(RunError, match="ValueError: planted"):
        bench.run(CellKey("watching", 1))
    assert seen == [False]
    assert gc.isenabled()
    bench.close()


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("wrong_receipt", "differs from the serial result: transaction 3, status"),
        ("wrong_word", "differs from the serial result: state, balance of"),
        ("wrong_order", "no permutation"),
        ("raising", "ZeroDivisionError: planted in two lines"),
        ("untimed", "the phases took no time"),
    ],
)
def test_a_run_that_cannot_count_says_why(bench: Bench, strategy: str, words: str) -> None:
    bench.prepare(LEDGER, 1, 20)
    with pytest.raises(RunError, match=words):
        bench.run(CellKey(strategy, 1))


def test_a_failure_does_not_spoil_the_next_run(bench: Bench) -> None:
    bench.prepare(LEDGER, 1, 20)
    with pytest.raises(RunError):
        bench.run(CellKey("wrong_word", 1))
    assert bench.run(CellKey("honest", 1)).seconds > 0


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ({"prepare": 0.0, "execute": 100.0, "commit": 0.0}, "the phases claim 100.0000 s"),
        ({"execute": -1.0}, "took no time"),
        ({"planning": 0.1}, "unknown phase 'planning'"),
    ],
)
def test_phases_that_cannot_be_are_refused(fakes: Any, phases: dict[str, float], words: str) -> None:
    class Lying(fakes.Honest):  # type: ignore[misc]
        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            outcome: Outcome = super().execute(block, state, workers)
            outcome.phases = phases
            return outcome

    bench = Bench(lambda name: get("serial") if name == "serial" else Lying, lambda name: fakes.Ledger)
    bench.prepare(LEDGER, 1, 10)
    with pytest.raises(RunError, match=words):
        bench.run(CellKey("lying", 1))
    bench.close()


@pytest.mark.parametrize(
    ("counters", "words"),
    [
        ({"executions": "many"}, "counter 'executions' is 'many': counters are finite numbers from 0"),
        ({"aborts": -5}, "counter 'aborts' is -5"),
        ({"aborts": float("nan")}, "counter 'aborts' is nan"),
        ({"executions": 12, "aborts": 1}, "a fault of the strategy: the counters do not add up"),
        ({"repairs": 11}, "11 of 10 transactions repaired"),
    ],
)
def test_counters_that_no_record_could_hold_are_refused(fakes: Any, counters: Any, words: str) -> None:
    class Counting(fakes.Honest):  # type: ignore[misc]
        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            outcome: Outcome = super().execute(block, state, workers)
            outcome.counters = counters
            return outcome

    assert words in refusal_of(fakes, Counting)


class Telling:
    """Strategies that tell what they take outside the time."""

    def __init__(self, fakes: Any, untimed: Any) -> None:
        class Told(fakes.Honest):  # type: ignore[misc]
            def execute(self, block: Block, state: State, workers: int) -> Outcome:
                outcome: Outcome = super().execute(block, state, workers)
                outcome.untimed = untimed
                return outcome

        self.strategy = Told


def test_a_sample_tells_what_was_taken_outside_the_time(fakes: Any) -> None:
    kind = Telling(fakes, {"workspace": np.float64(0.5), "receipts": 2}).strategy
    bench = Bench(lambda name: get("serial") if name == "serial" else kind, lambda name: fakes.Ledger)
    bench.prepare(LEDGER, 1, 10)
    for _ in range(2):
        untimed = bench.run(CellKey("planted", 1)).untimed
        assert set(untimed) == {"workspace", "receipts", "reset", "verification"}
        # Those of this run alone: nothing is summed up from one run to the next.
        assert (untimed["workspace"], untimed["receipts"]) == (0.5, 2.0)
        assert untimed["reset"] > 0
        assert untimed["verification"] > 0
        assert {type(seconds) for seconds in untimed.values()} == {float}
    assert set(bench.run(CellKey("serial", 1)).untimed) >= {"snapshot", "changes", "reset", "verification"}
    bench.close()


@pytest.mark.parametrize(
    ("untimed", "words"),
    [
        ({"snapshot": -0.1}, "untimed 'snapshot' is -0.1: untimed seconds are finite numbers from 0"),
        ({"snapshot": "long"}, "untimed 'snapshot' is 'long'"),
        ({"snapshot": float("inf")}, "untimed 'snapshot' is inf"),
        ({"reset": 0.1}, "untimed 'reset' is the harness's own"),
    ],
)
def test_untimed_seconds_that_cannot_be_are_refused(fakes: Any, untimed: Any, words: str) -> None:
    assert words in refusal_of(fakes, Telling(fakes, untimed).strategy)


def test_malformed_abort_locations_are_the_strategys_failure(fakes: Any) -> None:
    class Blaming(fakes.Honest):  # type: ignore[misc]
        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            outcome: Outcome = super().execute(block, state, workers)
            outcome.abort_locations = "somewhere"  # type: ignore[assignment]
            return outcome

    assert refusal_of(fakes, Blaming)


def test_what_is_no_outcome_is_named(fakes: Any) -> None:
    class Nothing(fakes.Honest):  # type: ignore[misc]
        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            return None  # type: ignore[return-value]

    assert refusal_of(fakes, Nothing) == "execute returned NoneType, not an Outcome"


def refusal_of(fakes: Any, strategy: type[Strategy]) -> str:
    bench = Bench(lambda name: get("serial") if name == "serial" else strategy, lambda name: fakes.Ledger)
    bench.prepare(LEDGER, 1, 10)
    with pytest.raises(RunError) as refusal:
        bench.run(CellKey("planted", 1))
    bench.close()
    return str(refusal.value)


def test_an_error_names_its_place_in_the_plug_in(bench: Bench) -> None:
    bench.prepare(LEDGER, 1, 10)
    with pytest.raises(RunError, match=r"ZeroDivisionError: planted in two lines \(contend_fakes.py, line \d+\)$"):
        bench.run(CellKey("raising", 1))


def test_a_run_in_an_order_of_its_own_has_figures_of_its_own(bench: Bench) -> None:
    facts = bench.prepare(LEDGER, 1, 100)
    counters = bench.run(CellKey("reordering", 1)).counters
    assert (counters["own_order_gas"], counters["own_order_failed"]) == (facts.gas, 0)
    assert "own_order_gas" not in bench.run(CellKey("honest", 1)).counters


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        ("leaking", "its invariant fails after the serial run: supply is 3, not 4"),
        ("unbuildable", "ValueError: planted"),
    ],
)
def test_a_workload_that_cannot_be_measured_says_why(bench: Bench, workload: str, words: str) -> None:
    with pytest.raises(WorkloadError, match=words):
        bench.prepare(WorkloadPlan(workload, {"accounts": 20}), 1, 10)
    with pytest.raises(RuntimeError, match="prepare a workload first"):
        bench.run(CellKey("honest", 1))


def test_a_cell_keeps_its_strategy_from_one_workload_to_the_next(fakes: Any) -> None:
    made, closed = [], []

    class Counted(fakes.Honest):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

        def close(self) -> None:
            closed.append(self)
            super().close()

    bench = Bench(lambda name: get("serial") if name == "serial" else Counted, lambda name: fakes.Ledger)
    for seed in (1, 2):
        bench.prepare(LEDGER, seed, 10)
        bench.run(CellKey("counted", 1))
        bench.run(CellKey("counted", 2))
    assert len(made) == 2
    assert closed == []
    bench.close()
    assert len(closed) == 2


def test_the_first_run_of_a_cell_takes_the_compile_lock(fakes: Any) -> None:
    locked = []

    @contextmanager
    def compile_lock(name: str) -> Iterator[None]:
        locked.append(name)
        yield

    kinds = {"serial": get("serial"), "honest": fakes.Honest}
    bench = Bench(kinds.__getitem__, lambda name: fakes.Ledger, compile_lock)
    bench.prepare(LEDGER, 1, 10)
    bench.warm_up(CellKey("honest", 2))
    bench.run(CellKey("honest", 2))
    assert locked == ["serial", "honest"]
    bench.close()
