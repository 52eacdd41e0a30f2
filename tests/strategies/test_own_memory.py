"""What a plug-in's step has of its own in the shared memory: counters, words of a worker, and an address."""

from __future__ import annotations

import numpy as np
from adversarial import hot, world
from equivalence import Equivalence

from evm import State, atomics
from evm.atomics import CACHE_LINE
from evm.image import BlockImage
from evm.jit import native
from evm.pointers import call_2, view_u64
from strategies import block_stm
from strategies import shared as s
from strategies.incarnation import open_shared, open_worker
from strategies.optimistic import OptimisticStrategy, Workspace
from strategies.scheduler import counters_of

I, U = np.int64, np.uint64  # noqa: E741  # as in kernel modules
S_OWN, W_OWN, LAST_COUNTER, LAST_WORD = s.S_OWN, s.W_OWN, s.C_OWN + 3 * CACHE_LINE, s.W_OWN + 7


@native("int64(int64, int64)")
def counting_step(shared_address, worker_address):  # type: ignore[no-untyped-def]  # a kernel
    """Block-STM's step, counted in every place that is a strategy's own."""
    shared, worker = open_shared(shared_address), open_worker(worker_address)
    own = view_u64(I(shared[U(S_OWN)]), 2)
    atomics.add(own, 1, U(1))
    atomics.add(counters_of(shared), LAST_COUNTER, U(1))
    worker[U(W_OWN)] += U(1)
    worker[U(LAST_WORD)] += U(1)
    return call_2(I(own[0]), shared_address, worker_address)


class Counting(OptimisticStrategy):
    """Block-STM that counts its steps."""

    name = "counting"
    step = counting_step

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        self.own = np.array([block_stm.step.address, 0], np.uint64)
        self.space = space
        space.header[s.S_OWN] = self.own.ctypes.data


def test_it_is_there_and_zero_when_a_block_begins() -> None:
    counted = []
    strategy = Counting()
    for _ in range(2):
        Equivalence().check(strategy, hot("keyed", 50), world(), 1)
        steps = int(strategy.own[1])
        words = strategy.space.workers[:, [W_OWN, LAST_WORD]].sum(axis=0).tolist()
        assert [steps, *words] == [int(strategy.space.counters[LAST_COUNTER])] * 3
        counted.append(steps)
    strategy.close()
    assert counted[0] == counted[1] > 50
