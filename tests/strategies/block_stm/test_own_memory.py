"""What a plug-in's step has of its own in the shared memory: fields for all workers and for each, and signals."""

from __future__ import annotations

import numpy as np
import pytest
from adversarial import adversarial_state, hot

from contend.plugin import (
    I64,
    LINE_U64,
    SHARED,
    U1,
    U64,
    WAKE_COUNTERS,
    WORKER,
    BlockImage,
    OptimisticStrategy,
    State,
    Struct,
    U,
    VirtualClock,
    Workspace,
    atomics,
    block_stm_step,
    call_2,
    native,
    words,
)
from contend.testing import Equivalence

OWN = Struct("CountingShared", step=I64, steps=LINE_U64, turn=LINE_U64, last=LINE_U64)
OWN_WORKER = Struct("CountingWorker", steps=U64, histogram=words(20), last=U64)


@native("int64(int64, int64)")
def counting_step(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    """Block-STM's step, counted in every place that is a strategy's own."""
    own, own_worker = OWN.at(SHARED.at(shared_address).own), OWN_WORKER.at(WORKER.at(worker_address).own)
    atomics.add(own, "steps", U1)
    atomics.add(own, "last", U1)
    own_worker.steps += U1
    own_worker.histogram[U(19)] += U1
    own_worker.last += U1
    return call_2(own.step, shared_address, worker_address)


class Counting(OptimisticStrategy):
    """Block-STM that counts its steps."""

    name = "counting"
    step = counting_step
    own_shared = OWN
    own_worker = OWN_WORKER
    wake_counters = (*WAKE_COUNTERS, "turn")

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        assert not space.own_shared["steps"]
        space.own_shared["step"] = block_stm_step.address
        self.space = space


class Misspelt(Counting):
    """A strategy whose signal is nowhere."""

    name = "misspelt"
    wake_counters = (*WAKE_COUNTERS, "trun")


@pytest.mark.parametrize("workers", [1, 3])
def test_it_is_there_and_zero_when_a_block_begins(workers: int) -> None:
    counted = []
    strategy = Counting()
    strategy.clock = VirtualClock()
    for _ in range(2):
        Equivalence().check(strategy, hot("keyed", 50), adversarial_state(), workers)
        own, each = strategy.space.own_shared, strategy.space.own_workers
        steps = int(own["steps"])
        assert int(own["last"]) == steps
        assert each["steps"].sum() == each["last"].sum() == each["histogram"][:, 19].sum() == steps
        assert (each["steps"] > 0).all()
        counted.append(steps)
    strategy.close()
    assert counted[0] == counted[1] > 50


def test_what_several_write_lies_on_lines_of_its_own() -> None:
    rows = OWN_WORKER.lines(3)
    first, stride = rows.ctypes.data, rows.strides[0]
    assert first % 64 == stride % 64 == 0
    assert stride >= OWN_WORKER.words * 8
    assert len({OWN.offsets[name] // 8 for name in OWN.offsets}) == len(OWN.offsets)
    rows["last"] = np.arange(3)
    assert rows["last"].tolist() == [0, 1, 2]


def test_a_signal_that_is_no_field_is_named() -> None:
    with pytest.raises(ValueError, match="wake counter 'trun' is no field of the shared memory; known: decrease_cnt"):
        Misspelt().execute(hot("keyed", 4), adversarial_state(), 1)
