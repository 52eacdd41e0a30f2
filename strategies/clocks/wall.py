"""Wall clock: W threads, each looping over a compiled step without the GIL until the step says that it is done."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from contend.evm.runtime.jit import Native, kernel
from contend.evm.runtime.memory_views import call_2
from contend.strategies.clocks.base import IDLE, Clock, Workers

SPINS_BEFORE_YIELD = 100


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def yield_processor(typing_context: Any) -> Any:
    """Let another thread run: a worker that waits must not hold up the one it waits for, where cores are few."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        function = builder.module.globals.get("sched_yield") or ir.Function(builder.module, kind, "sched_yield")
        builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), generate


@kernel()
def drive(step, shared, worker):
    """Call ``step(shared, worker)`` until it returns a negative number, which is returned."""
    idle = 0
    while True:
        cost = call_2(step, shared, worker)
        if cost < 0:
            return cost
        if cost != IDLE:
            idle = 0
        else:
            idle += 1
            if idle >= SPINS_BEFORE_YIELD:
                yield_processor()


def run_threads(step: Native, shared: int, workers: list[int]) -> list[int]:
    """Drive one step by as many threads as there are workers, this thread being the first of them.

    Parameters
    ----------
    step : Native
        ``step(shared, worker) -> cost``.
    shared : int
        Address of the header that all share.
    workers : list of int
        Addresses of the workers' headers.

    Returns
    -------
    list of int
        What each worker's last step returned.
    """
    address = step.address
    ended: npt.NDArray[np.int64] = np.zeros(len(workers), np.int64)

    def work(number: int) -> None:
        ended[number] = drive(address, shared, workers[number])

    threads = [threading.Thread(target=work, args=(i,), name=f"worker-{i}") for i in range(1, len(workers))]
    for thread in threads:
        thread.start()
    work(0)
    for thread in threads:
        thread.join()
    return [int(code) for code in ended]


class WallClock(Clock):
    """Real time: a thread for each worker."""

    name: ClassVar[str] = "wall"
    simulated: ClassVar[bool] = False
    takes_turns: ClassVar[bool] = False

    def now(self) -> float:
        """Seconds of the machine's clock."""
        return perf_counter()

    def run(self, workers: Workers) -> list[int]:
        """Drive each worker by a thread; see `Clock.run`."""
        return run_threads(workers.step, workers.shared, workers.addresses)


WALL = WallClock()
