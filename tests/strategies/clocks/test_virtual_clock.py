"""Under the virtual clock the same steps give the serial result with any number of workers, in the same time always."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from assembler import assemble
from equivalence import Equivalence
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import native
from contend.evm.runtime.memory_views import view_u64
from contend.strategies.base import Outcome, Strategy
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.clocks import ACT_EXECUTE, ACT_VALIDATE, ACT_WASTED, FINISHED, IDLE, Workers
from contend.strategies.clocks.cost_table import CLASSES, CostTable, CostTableError, default_costs
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.hints.predicted_sets import Hints
from contend.strategies.planned.engine import PlannedStrategy
from contend.strategies.planned.plan import Plan
from contend.strategies.planned.static_partition import StaticPartition
from contend.strategies.serial import Serial
from contend.strategies.sharded import Sharded

WORLD = adversarial_state()


class Graph(PlannedStrategy):
    """The hinted dependency graph: each idle worker waits for a place of its own in the queue."""

    name = "graph"

    def plan(self, hints: Hints, workers: int) -> Plan:
        return Plan(edges=hints.conflict_edges())


KINDS: list[type[Strategy]] = [Serial, BlockSTM, StaticPartition]
EVERY: list[type[Strategy]] = [*KINDS, Graph]
MANY_WORKERS = [1, 2, 3, 32, 1024]


def simulate(kind: type[Strategy], block: Block, workers: int, clock: VirtualClock | None = None) -> Outcome:
    with kind() as strategy:
        strategy.clock = clock or VirtualClock()
        return Equivalence(CONTRACTS).check(strategy, block, WORLD, workers)


@settings(max_examples=60)
@given(block=blocks, workers=st.sampled_from([1, 2, 5, 64]))
def test_any_small_block(block: Block, workers: int) -> None:
    for kind in EVERY:
        simulate(kind, block, workers)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("workers", MANY_WORKERS)
@pytest.mark.parametrize("name", ["counter", "chaser", "reverter", "miner_watcher", "keyed"])
def test_hot_contracts(kind: type[Strategy], workers: int, name: str) -> None:
    simulate(kind, hot(name, 300), workers)


@pytest.mark.parametrize("kind", EVERY)
def test_the_same_figures_every_time(kind: type[Strategy]) -> None:
    block = hot("chaser", 120)
    first, second = (simulate(kind, block, 7) for _ in range(2))
    assert first.phases == second.phases
    assert first.counters == second.counters
    assert first.seconds > 0


@pytest.mark.parametrize("kind", [*KINDS, Sharded])
def test_a_schedule_is_the_same_where_room_had_to_be_made_first(kind: type[Strategy]) -> None:
    block, state = spacious()
    seen = []
    with kind() as strategy:
        for _ in range(2):
            clock = strategy.clock = Schedule(seed=5, most_steps=50_000_000)
            outcome = Equivalence(CONTRACTS).check(strategy, block, state, 3)
            order = None if outcome.order is None else outcome.order.tolist()
            seen.append((outcome.counters, clock.steps, order))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("kind", KINDS)
def test_figures_do_not_tell_that_room_had_to_be_made_first(kind: type[Strategy]) -> None:
    block, state = spacious()
    figures = []
    with kind() as strategy:
        for _ in range(2):
            clock = strategy.clock = VirtualClock()
            outcome = Equivalence(CONTRACTS).check(strategy, block, state, 3)
            figures.append((outcome.phases, outcome.counters, clock.busy, clock.steps, clock.picoseconds))
    assert figures[0] == figures[1]


def spacious() -> tuple[Block, State]:
    """A block that needs more room than strategies have at first, and the state before it."""
    state = WORLD.copy()
    writer = bytes([0xCC]) * 20
    state.set_code(
        writer, assemble("0 CALLDATALOAD 9000 loop: DUP2 DUP2 ADD 1 SWAP1 SSTORE 1 SWAP1 SUB DUP1 :loop JUMPI")
    )
    for sender in SENDERS:
        state.set_balance(sender, 10**24)
    block = block_of([Act(sender, writer, word(i * 10_000), gas=400_000_000) for i, sender in enumerate(SENDERS)])
    return block, state


def independent(count: int) -> Block:
    senders = [bytes([0xA0, i]) + bytes(18) for i in range(len(SENDERS))]
    return block_of([Act(senders[i % 4], CONTRACTS["keyed"], word(100 + i)) for i in range(count)])


def test_workers_share_the_work_of_independent_transactions() -> None:
    # Four senders are four chains of nonces: four workers have something to do, and eight no more than they.
    block = independent(400)
    one, four, eight = (simulate(BlockSTM, block, workers).phases["execute"] for workers in (1, 4, 8))
    assert 2.5 < one / four <= 4.0
    assert one / eight < 5.5


def test_one_worker_costs_what_serial_costs_and_its_bookkeeping() -> None:
    block = independent(200)
    serial, one = simulate(Serial, block, 1).seconds, simulate(BlockSTM, block, 1).seconds
    assert serial < one < 3 * serial


def test_time_follows_the_table() -> None:
    prices = default_costs().nanoseconds
    doubled = CostTable({name: 2 * price for name, price in prices.items()})
    block = hot("counter", 50)
    for kind in KINDS:
        once, twice = simulate(kind, block, 3), simulate(kind, block, 3, VirtualClock(doubled))
        assert twice.seconds == pytest.approx(2 * once.seconds)
        slow = CostTable(prices, slowdown={3: 2000})
        slowed = simulate(kind, block, 3, VirtualClock(slow))
        if kind is Serial:
            assert slowed.seconds == once.seconds
        else:
            assert slowed.seconds > 1.8 * once.seconds
        assert simulate(kind, block, 2, VirtualClock(slow)).seconds == simulate(kind, block, 2).seconds


def test_a_timeline_tells_what_workers_did() -> None:
    clock = VirtualClock(traced=True)
    outcome = simulate(BlockSTM, hot("counter", 40), 3, clock)
    rows = clock.timeline.rows
    assert (rows[:, 3] > rows[:, 2]).all()
    assert rows[:, 3].max() <= clock.now() * 1e12 + 1
    assert set(rows[:, 0]) == {0, 1, 2}
    for worker in range(3):
        own = rows[rows[:, 0] == worker]
        assert (own[1:, 2] >= own[:-1, 3]).all()  # one thing at a time
    assert (rows[:, 1] == ACT_VALIDATE).sum() == outcome.counters["validations"]
    executing = rows[np.isin(rows[:, 1], [ACT_EXECUTE, ACT_WASTED])]
    assert len(executing) >= outcome.counters["executions"]


# Toy workers: worker 0 counts to a limit and moves a wake counter every tenth step, worker 1 waits for it.
@native("int64(int64, int64)")
def _counting(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    shared, worker = view_u64(shared_address, 3), view_u64(worker_address, 2)
    if worker[0] == U(0):
        shared[0] += U(1)
        if shared[0] % U(10) == U(0):
            shared[1] += U(1)
        return FINISHED if shared[0] > U(100) else 1_000_000
    worker[1] += U(1)
    if shared[1] == U(10):
        return FINISHED
    return IDLE


@native("int64(int64, int64)")
def _waiting(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    return IDLE


def toy_workers(
    step: object, workers: int, wake_counters: Callable[[int], tuple[int, ...]]
) -> tuple[Workers, list[np.ndarray]]:
    shared = np.zeros(3, np.uint64)
    headers = [np.array([number, 0], np.uint64) for number in range(workers)]
    address = int(shared.ctypes.data)
    found = Workers(step, address, [int(header.ctypes.data) for header in headers], wake_counters(address))  # type: ignore[arg-type]  # a Native
    return found, [shared, *headers]


def test_idle_workers_look_again_only_when_a_wake_counter_has_changed() -> None:
    clock = VirtualClock()
    crew, arrays = toy_workers(_counting, 5, lambda shared: (shared + 8,))
    assert clock.run(crew) == [FINISHED] * 5
    # At the start, then after each of ten changes: one looks and finds nothing, but at the last, when all find the end.
    assert [int(header[1]) for header in arrays[2:]] != [0] * 4
    assert sum(int(header[1]) for header in arrays[2:]) == 4 + 9 + 4
    assert clock.now() == pytest.approx(100e-6)


def test_workers_that_wait_for_each_other_are_an_error() -> None:
    crew, arrays = toy_workers(_waiting, 3, lambda shared: (shared,))
    with pytest.raises(RuntimeError, match="3 of 3 workers wait for each other"):
        VirtualClock().run(crew)
    assert len(arrays) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", 'no object "nanoseconds"'),
        ('{"nanoseconds": {}}', "class 'block' has no cost"),
        (json.dumps({"nanoseconds": {**dict.fromkeys(CLASSES, 1.0), "wings": 1}}), "class 'wings' is not known"),
        (json.dumps({"nanoseconds": {**dict.fromkeys(CLASSES, 1.0), "task": -1}}), "class 'task': -1 is no cost"),
        (json.dumps({"nanoseconds": {**dict.fromkeys(CLASSES, 1.0), "task": "x"}}), "class 'task': 'x' is no cost"),
        (json.dumps({"nanoseconds": dict.fromkeys(CLASSES, 1.0), "slowdown": {"2": 0}}), "slowdown '2': 0"),
        (json.dumps({"nanoseconds": dict.fromkeys(CLASSES, 1.0), "slowdown": 3}), "slowdown '': 3"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "costs.json"
    file.write_text(content)
    with pytest.raises(CostTableError, match=message) as caught:
        CostTable.read(file)
    assert str(file) in str(caught.value)
    with pytest.raises(CostTableError, match=r"none\.json"):
        CostTable.read(tmp_path / "none.json")


def test_the_table_of_the_project_has_a_price_above_zero_for_every_class() -> None:
    table = default_costs().table
    assert table.shape == (len(CLASSES),)
    assert (table > 0).all()
    assert len(default_costs().digest) == 16
