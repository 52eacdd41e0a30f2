"""Virtual clock: any number of simulated workers, driven one step at a time in the order of their times.

A discrete-event simulation whose model is the strategy's own code. Each worker has a time. The earliest worker is
stepped (the lowest of several), its interaction with what is shared happens there and then, and its next step is later
by the cost of this one. So a storage read happens at its own virtual time, between whatever the other workers do at
theirs, and nothing depends on the machine that computes it.

A worker that finds nothing to do would look again and again. It is put aside instead until something has changed that
could give it work (`Workers.wake_counters`), and notices that some nanoseconds later (class "idle"). Of all that would
look at that moment one looks first, the probe: the one that has waited longest. The next one looks if it has found
something, and so on: where it has not, the others would not either. Where each waits for something of its own
(`Workers.interchangeable` is False) all of them look. A worker with a network continues when its next message arrives.

What is not simulated: caches, memory bandwidth, contention for locks and cache lines, other processes. Costs are those
of one worker that runs alone. So these figures are an upper bound of what the same code would reach on as many real
cores; how far they are off where real cores can be had is measured by ``contend validate-clock``.

The earliest worker is found in a tournament tree (Knuth, The Art of Computer Programming, vol. 3, section 5.4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import call_2, call_3, view_i64
from contend.evm.runtime.structs import I64, Struct
from contend.strategies.clocks import cost_table
from contend.strategies.clocks.base import (
    ACT_EXECUTE,
    ACT_SCHEDULE,
    ACT_WASTED,
    FAILED,
    IDLE,
    NO_ACTIVITY,
    PS_PER_SECOND,
    Clock,
    Workers,
)
from contend.strategies.clocks.cost_table import CostTable, default_costs
from contend.strategies.clocks.network_model import NetworkModel
from contend.strategies.clocks.wake_counters import sum_at

Integers = npt.NDArray[np.int64]

NEVER = np.int64(1 << 62)
FULL_SPEED = 1_000  # of a slow-down in thousandths
STEPS_AT_ONCE = 200_000  # between two looks at what Python has to do: signals, for one
FIRST_TRACE_ROWS = 1 << 16
TRACE_COLUMNS = 6  # those of `Timeline`, transaction, and number of the execution

# A worker: running, put aside in the queue, put aside until a message arrives, or ended.
RUNNING, PARKED, LISTENING, ENDED = range(4)

# Why the loop returned.
ALL_ENDED, OUT_OF_STEPS, TRACE_FULL, STUCK = range(4)

EVENT_LOOP = Struct(
    "EventLoop",
    # What is driven, see `Workers` and `NetworkHooks`.
    step=I64,
    shared=I64,
    activity=I64,
    transaction=I64,
    execution=I64,
    interchangeable=I64,
    network=I64,
    advance=I64,
    settle=I64,
    arrival=I64,
    wakes=I64,
    idle_ps=I64,
    slowdown=I64,
    instant=I64,  # address of a word that tells the time of the step, `began_ps` being when the loop began
    began_ps=I64,
    cores=I64,  # when each core is free, where several workers share one; of so many, or of none
    core_count=I64,
    waited=I64,  # address of a word to which a step adds what of its cost it has only waited for
    # Arrays of int64, by address.
    workers=I64,  # the workers' headers
    worker_count=I64,
    wake_counters=I64,
    wake_counter_count=I64,
    tree=I64,  # tournament tree of workers, twice as many nodes as leaves
    due_ps=I64,  # when each is to be stepped
    leaves=I64,
    modes=I64,
    queue=I64,  # ring of workers put aside, the one that has waited longest first
    results=I64,  # what the last step of each returned
    trace=I64,  # rows of `TRACE_COLUMNS`
    trace_rows=I64,
    # How far the loop has come, kept between two calls.
    alive=I64,
    wake_sum=I64,  # sum of the wake counters when they were looked at last
    probe=I64,  # the worker of the queue that looks next, plus one; or zero
    queue_head=I64,
    queue_size=I64,
    traced=I64,
    steps=I64,
    failed=I64,
    end_ps=I64,  # when the last worker has ended
    busy_ps=I64,  # for which all workers together were not idle
)


@macro
def _due_of(loop):
    return view_i64(loop.due_ps, loop.leaves)


@macro
def _modes_of(loop):
    return view_i64(loop.modes, loop.worker_count)


@kernel()
def _play(loop, worker):
    """Play a worker's matches again after its time has changed; each node keeps the earlier of its two sides."""
    due, tree = _due_of(loop), view_i64(loop.tree, 2 * loop.leaves)
    node = (worker + due.size) >> 1
    while node >= 1:
        left, right = tree[2 * node], tree[2 * node + 1]
        tree[node] = left if due[left] <= due[right] else right
        node >>= 1


@kernel()
def _park(loop, worker):
    """Put a worker aside, behind those that have waited longer."""
    queue = view_i64(loop.queue, loop.worker_count)
    queue[(loop.queue_head + loop.queue_size) % queue.size] = worker
    loop.queue_size += 1


@kernel()
def _wake(loop, worker, time):
    """Let a worker look again at `time`."""
    _modes_of(loop)[worker] = RUNNING
    _due_of(loop)[worker] = time
    _play(loop, worker)


@kernel()
def _send_probe(loop, time):
    """Let the worker that has waited longest look again at `time`."""
    if loop.queue_size == 0:
        loop.probe = 0
        return
    worker = view_i64(loop.queue, loop.worker_count)[loop.queue_head]
    loop.queue_head = (loop.queue_head + 1) % loop.worker_count
    loop.queue_size -= 1
    loop.probe = worker + 1
    _wake(loop, worker, time)


@kernel()
def _wake_all(loop, time):
    """Let every worker that was put aside look again at `time`."""
    queue = view_i64(loop.queue, loop.worker_count)
    for i in range(loop.queue_size):
        _wake(loop, queue[(loop.queue_head + i) % queue.size], time)
    loop.queue_size = 0


@kernel()
def _wake_listeners(loop, time):
    """Let every worker that waits for a message look at `time`, though none may come."""
    modes = _modes_of(loop)
    for worker in range(modes.size):
        if modes[worker] == LISTENING:
            _wake(loop, worker, time)


@kernel()
def _deliver(loop, worker, end):
    """Send off what a step has sent, and wake those to whom it comes earlier than what they wait for."""
    due, modes = _due_of(loop), _modes_of(loop)
    count = call_3(loop.settle, loop.network, worker, end)
    wakes = view_i64(loop.wakes, 2 * count)
    for i in range(count):
        receiver, at = wakes[U(2 * i)], wakes[U(2 * i + 1)]
        if modes[receiver] == LISTENING and at < due[receiver]:
            due[receiver] = at
            _play(loop, receiver)


@kernel()
def _note_work(loop, worker, begin, end):
    """Account for a step that did something: when its worker is due next, and a row of the timeline."""
    _due_of(loop)[worker] = end
    loop.busy_ps += end - begin
    if loop.trace_rows != 0:
        trace, at = view_i64(loop.trace, TRACE_COLUMNS * loop.trace_rows), TRACE_COLUMNS * loop.traced
        header = view_i64(loop.workers, loop.worker_count)[worker]
        trace[at], trace[at + 2], trace[at + 3] = worker, begin, end
        trace[at + 1] = view_i64(header, loop.activity + 1)[loop.activity]
        trace[at + 4] = view_i64(header, loop.transaction + 1)[loop.transaction]
        trace[at + 5] = view_i64(header, loop.execution + 1)[loop.execution]
        loop.traced += 1


@kernel()
def _put_aside(loop, worker, time):
    """Let a worker that found nothing to do wait: for a wake counter, or for its next message."""
    due, modes = _due_of(loop), _modes_of(loop)
    due[worker] = NEVER
    if loop.network == 0:
        modes[worker] = PARKED
        _park(loop, worker)
        return
    modes[worker] = LISTENING
    at = call_3(loop.arrival, loop.network, worker, time)
    if at >= 0:
        due[worker] = max(at, time + 1)


@kernel()
def _end(loop, worker, time, result):
    """Take a worker that has ended out of the simulation."""
    _modes_of(loop)[worker] = ENDED
    _due_of(loop)[worker] = NEVER
    view_i64(loop.results, loop.worker_count)[worker] = result
    loop.end_ps = max(loop.end_ps, time)
    loop.alive -= 1
    if result == FAILED and loop.failed == 0:
        # Who listens would hear nothing more: everyone looks once, and finds the fault.
        loop.failed = 1
        _wake_listeners(loop, time)


@kernel()
def run_events(loop_address):
    """Step workers until all have ended, the trace is full, or `STEPS_AT_ONCE` steps have been made; says which."""
    loop = EVENT_LOOP.at(loop_address)
    workers, due, modes = view_i64(loop.workers, loop.worker_count), _due_of(loop), _modes_of(loop)
    tree = view_i64(loop.tree, 2 * loop.leaves)
    step, shared, network, slowdown = loop.step, loop.shared, loop.network, loop.slowdown
    instant, began_ps = view_i64(loop.instant, 1), loop.began_ps
    core_count = loop.core_count
    cores, waited = view_i64(loop.cores, core_count), view_i64(loop.waited, 1)
    for _ in range(STEPS_AT_ONCE):
        if loop.alive == 0:
            return ALL_ENDED
        worker = tree[1]
        time = due[worker]
        if time >= NEVER:
            return STUCK
        if loop.trace_rows != 0 and loop.traced == loop.trace_rows:
            return TRACE_FULL
        if core_count > 0:
            free = cores[worker % core_count]
            if free > time:
                # Another one is at work there.
                due[worker] = free
                _play(loop, worker)
                continue
        modes[worker] = RUNNING
        if network != 0:
            call_3(loop.advance, network, worker, time)
        instant[0] = began_ps + time
        cost = call_2(step, shared, workers[worker])
        loop.steps += 1
        end = time
        if cost > 0:
            end = time + max(cost * slowdown // FULL_SPEED, 1)
            if core_count > 0:
                cores[worker % core_count] = end - min(waited[0], end - time)
                waited[0] = 0
            _note_work(loop, worker, time, end)
        elif cost == IDLE:
            _put_aside(loop, worker, time)
        else:
            _end(loop, worker, time, cost)
        _play(loop, worker)
        if loop.probe == worker + 1:
            if cost == IDLE:
                loop.probe = 0
            else:
                _send_probe(loop, time)
        if network != 0 and cost != IDLE:
            _deliver(loop, worker, end)
        wake_sum = sum_at(loop.wake_counters, loop.wake_counter_count)
        if wake_sum != loop.wake_sum:
            loop.wake_sum = wake_sum
            if loop.interchangeable == 0:
                _wake_all(loop, time + loop.idle_ps)
            elif loop.probe == 0:
                _send_probe(loop, time + loop.idle_ps)
    return OUT_OF_STEPS


@dataclass(frozen=True)
class Timeline:
    """Timeline: what workers did when.

    Attributes
    ----------
    rows : ndarray of int64, shape (k, 4)
        Worker, activity (index into `strategies.clocks.base.ACTIVITIES`), begin and end in picoseconds since the clock
        was made. In the gaps a worker had nothing to do. What is done in one piece (`Clock.spend`) is worker 0's. An
        execution whose transaction was executed again later is `ACT_WASTED`, from its beginning to its end.
    """

    rows: Integers


def mark_wasted(rows: Integers) -> None:
    """Make the activity of wasted executions `ACT_WASTED`: of each transaction the execution that began last stands.

    Parameters
    ----------
    rows : ndarray of int64, shape (k, 6)
        Those of one run of workers, in any order; altered in place.
    """
    executing = np.flatnonzero(rows[:, 1] == ACT_EXECUTE)
    own = rows[executing]
    _, first, which = np.unique(own[:, [0, 5]], axis=0, return_index=True, return_inverse=True)
    begins = np.full(len(first), NEVER)
    np.minimum.at(begins, which.ravel(), own[:, 2])
    transactions = own[first, 4]
    in_order = np.lexsort((begins, transactions))
    stands = np.ones(len(first), bool)
    stands[in_order[:-1]] = np.diff(transactions[in_order]) != 0
    rows[executing[~stands[which.ravel()]], 1] = ACT_WASTED


class VirtualClock(Clock):
    """Simulated time.

    Parameters
    ----------
    costs : CostTable, optional
        By default the table that is part of the project.
    traced : bool
        Whether to keep a timeline.
    network : NetworkModel, optional
        Between workers that exchange messages; by default what the strategy takes for one machine.
    """

    name: ClassVar[str] = "virtual"

    def __init__(
        self, costs: CostTable | None = None, traced: bool = False, network: NetworkModel | None = None
    ) -> None:
        self.costs: CostTable = costs or default_costs()
        self.network = network
        self.steps = 0
        self._busy_ps = 0
        self._now_ps = 0
        self._instant, self._waited = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self._traced = traced
        self._traces: list[Integers] = []

    def now(self) -> float:
        """Simulated seconds."""
        return self._now_ps / PS_PER_SECOND

    @property
    def busy(self) -> float:
        """Simulated seconds that all workers together were at work; to look for work and find none is no work."""
        return self._busy_ps / PS_PER_SECOND

    @property
    def picoseconds(self) -> int:
        """Simulated time, exactly."""
        return self._now_ps

    @property
    def instant(self) -> int:
        """Address of a word with the time; see `Clock.instant`."""
        return int(self._instant.ctypes.data)

    def go_on_from(self, picoseconds: int, instant: Integers) -> None:
        """Let time begin at a moment, and be told where somebody else tells his.

        Parameters
        ----------
        picoseconds : int
        instant : ndarray of int64, shape (1,)
        """
        self._now_ps, self._instant = int(picoseconds), instant
        instant[0] = self._now_ps

    @property
    def waited(self) -> int:
        """Address of a word with what a step has waited for; see `Clock.waited`."""
        return int(self._waited.ctypes.data)

    def spend(self, picoseconds: int, activity: int = ACT_SCHEDULE) -> None:
        """Let simulated time pass; see `Clock.spend`."""
        if self._traced and picoseconds:
            self._traces.append(np.array([[0, activity, self._now_ps, self._now_ps + int(picoseconds)]]))
        self._now_ps += int(picoseconds)
        self._instant[0] = self._now_ps
        self._busy_ps += int(picoseconds)

    def wait(self, picoseconds: int, busy_picoseconds: int = 0) -> None:
        """Let simulated time pass; see `Clock.wait`."""
        self._now_ps += int(picoseconds)
        self._instant[0] = self._now_ps
        self._busy_ps += int(busy_picoseconds)

    def mark(self) -> object:
        """Remember this moment; see `Clock.mark`."""
        return self._now_ps, self._busy_ps, self.steps, len(self._traces)

    def rewind(self, mark: object) -> None:
        """Go back to a marked moment; see `Clock.rewind`."""
        assert isinstance(mark, tuple)
        self._now_ps, self._busy_ps, self.steps, traces = mark
        self._instant[0] = self._now_ps
        del self._traces[traces:]

    @property
    def timeline(self) -> Timeline:
        """Timeline of the workers so far; empty unless the clock is traced."""
        return Timeline(np.concatenate([np.zeros((0, 4), np.int64), *self._traces]))

    def run(self, workers: Workers) -> list[int]:
        """Step workers in the order of their times; see `Clock.run`.

        Raises
        ------
        RuntimeError
            If all workers that have not ended wait for each other: an error in the strategy.
        """
        loop = _EventLoop(workers, self.costs, self._traced)
        loop.row["instant"], loop.row["began_ps"], loop.row["waited"] = self.instant, self._now_ps, self.waited
        self._waited[0] = 0
        free = np.zeros(self.cores, np.int64)
        if 0 < self.cores < len(workers.addresses):
            loop.row["cores"], loop.row["core_count"] = free.ctypes.data, self.cores
        loop.run()
        row = loop.row
        self.steps += int(row["steps"])
        self._busy_ps += int(row["busy_ps"])
        if loop.is_traced:
            rows = loop.trace[: int(row["traced"])]
            if workers.execution is not None:
                mark_wasted(rows)
            rows[:, 2:4] += self._now_ps
            self._traces.append(rows[:, :4])
        self._now_ps += int(row["end_ps"])
        self._instant[0] = self._now_ps
        return [int(result) for result in loop.results]


class _EventLoop:
    """The memory of one simulation.

    Attributes
    ----------
    row : numpy structured scalar of `EVENT_LOOP`
    results : ndarray of int64, shape (workers,)
    trace : ndarray of int64, shape (k, 6)
        Rows as in `Timeline`, transaction and number of the execution, of which ``row["traced"]`` are used.
    """

    def __init__(self, workers: Workers, costs: CostTable, traced: bool) -> None:
        count = len(workers.addresses)
        leaves = 1 << max(count - 1, 1).bit_length()
        due = np.full(leaves, NEVER, np.int64)
        due[:count] = 0
        modes, queue, self.results = (np.zeros(count, np.int64) for _ in range(3))
        arrays = {
            "workers": np.array(workers.addresses, np.int64),
            "wake_counters": np.array(workers.wake_counters, np.int64),
            "tree": _tournament(due),
            "due_ps": due,
            "modes": modes,
            "queue": queue,
            "results": self.results,
        }
        self._kept = arrays
        self.is_traced = traced and workers.activity != NO_ACTIVITY
        self._memory = EVENT_LOOP.zeros()
        self.row: Any = self._memory[0]
        for name, array in arrays.items():
            self.row[name] = array.ctypes.data
        fields = {
            "step": workers.step.address,
            "shared": workers.shared,
            "activity": workers.activity,
            "transaction": workers.activity if workers.execution is None else workers.execution[0],
            "execution": workers.activity if workers.execution is None else workers.execution[1],
            "interchangeable": workers.interchangeable,
            "idle_ps": max(int(costs.table[cost_table.IDLE]), 1),
            "slowdown": costs.slowdown.get(count, FULL_SPEED),
            "worker_count": count,
            "wake_counter_count": len(workers.wake_counters),
            "leaves": leaves,
            "alive": count,
        }
        if workers.network is not None:
            hooks = workers.network
            fields |= {"network": hooks.address, "wakes": hooks.wakes, "advance": hooks.advance.address}
            fields |= {"settle": hooks.settle.address, "arrival": hooks.arrival.address}
        for name, value in fields.items():
            self.row[name] = value
        self._set_trace(np.zeros((FIRST_TRACE_ROWS if self.is_traced else 0, TRACE_COLUMNS), np.int64))

    def _set_trace(self, trace: Integers) -> None:
        self.trace = trace
        self.row["trace"], self.row["trace_rows"] = trace.ctypes.data, len(trace)

    def run(self) -> None:
        """Run to the end; see `VirtualClock.run`."""
        address = int(self._memory.ctypes.data)
        self.row["wake_sum"] = sum_at(int(self.row["wake_counters"]), int(self.row["wake_counter_count"]))
        while (why := run_events(address)) != ALL_ENDED:
            if why == TRACE_FULL:
                self._set_trace(np.concatenate([self.trace, np.zeros_like(self.trace)]))
            elif why == STUCK:
                waiting, count = int(self.row["alive"]), len(self.results)
                raise RuntimeError(f"{waiting} of {count} workers wait for each other for ever")


def _tournament(due: Integers) -> Integers:
    """The tree of who is due first: leaf k stands at ``len(due) + k``, the winner at 1."""
    leaves = len(due)
    tree = np.zeros(2 * leaves, np.int64)
    tree[leaves:] = np.arange(leaves)
    for node in range(leaves - 1, 0, -1):
        left, right = tree[2 * node], tree[2 * node + 1]
        tree[node] = left if due[left] <= due[right] else right
    return tree
