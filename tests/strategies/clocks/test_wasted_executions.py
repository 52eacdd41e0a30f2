"""Timelines tell executions that were thrown away from those that stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from adversarial import SENDERS, Act, adversarial_state, block_of, hot
from hypothesis import given
from hypothesis import strategies as st

from contend.strategies import registry
from contend.strategies.clocks import ACT_EXECUTE, ACT_VALIDATE, ACT_WASTED, virtual
from contend.strategies.clocks.virtual import VirtualClock, mark_wasted

Rows = npt.NDArray[np.int64]

# Of each transaction the workers that executed it, one after the other, and in how many steps each.
executions = st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=4), max_size=6)


@given(executed=executions, random=st.randoms(use_true_random=False))
def test_of_each_transaction_the_last_execution_stands(executed: list[list[tuple[int, int]]], random: Any) -> None:
    rows, numbers, stand = [], [0] * 4, set()
    for transaction, tries in enumerate(executed):
        time = random.randrange(50)
        for worker, steps in tries:
            numbers[worker] += 1
            for _ in range(steps):
                rows.append([worker, ACT_EXECUTE, time, time + 2, transaction, numbers[worker]])
                time += 2
        stand.add((worker, numbers[worker]))
    # What a worker does besides, an execution's number still in its header, is left as it is.
    rows += [[0, ACT_VALIDATE, 1_000, 1_001, 0, numbers[0]]]
    random.shuffle(rows)
    table = np.array(rows, np.int64)
    mark_wasted(table)
    assert (table[:, [0, 2, 3, 4, 5]] == np.array(rows)[:, [0, 2, 3, 4, 5]]).all()
    for worker, activity, _, _, _, number in table.tolist():
        expected = ACT_EXECUTE if (worker, number) in stand else ACT_WASTED
        assert activity in (expected, ACT_VALIDATE)
    assert (table[:, 1] == ACT_VALIDATE).sum() == 1


@pytest.mark.parametrize("name", ["block_stm", "static_partition", "sharded", "sharded_ordered"])
@pytest.mark.parametrize("contract", ["chaser", "miner_watcher"])
def test_a_timeline_has_as_many_wasted_executions_as_were_counted(
    monkeypatch: pytest.MonkeyPatch, name: str, contract: str
) -> None:
    seen: list[Rows] = []

    def marked(rows: Rows) -> None:
        mark_wasted(rows)
        seen.append(rows.copy())

    monkeypatch.setattr(virtual, "mark_wasted", marked)
    clock, block = VirtualClock(traced=True), hot(contract, 40)
    with registry.get(name)() as strategy:
        strategy.clock = clock
        counters = strategy.execute(block, adversarial_state(), 4).counters
    rows = np.concatenate(seen)
    counts = [len(np.unique(rows[rows[:, 1] == one][:, [0, 5]], axis=0)) for one in (ACT_EXECUTE, ACT_WASTED)]
    assert counts == [len(block), counters["executions"] - len(block)]
    assert (clock.timeline.rows[:, 1] == ACT_WASTED).any() == (counts[1] > 0)


def test_nothing_is_wasted_where_nothing_is_executed_twice() -> None:
    clock = VirtualClock(traced=True)
    with registry.get("block_stm")() as strategy:
        strategy.clock = clock
        strategy.execute(block_of([Act(sender, sender) for sender in SENDERS]), adversarial_state(), 2)
    assert ACT_EXECUTE in clock.timeline.rows[:, 1]
    assert ACT_WASTED not in clock.timeline.rows[:, 1]
