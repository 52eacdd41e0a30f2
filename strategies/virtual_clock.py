"""The virtual clock: any number of simulated workers, driven one step at a time in the order of their times.

A discrete-event simulation whose model is the strategy's own code. Each worker has a time. The earliest worker is
stepped (the lowest of several), its interaction with what is shared happens there and then, and its next step is later
by the cost of this one. So a storage read happens at its own virtual time, between whatever the other workers do at
theirs, and nothing depends on the machine that computes it.

A worker that finds nothing to do would look again and again. It is put aside instead until something has changed that
could give it work (`Team.signals`), and notices that some nanoseconds later (class "idle"). Of all that would look at
that moment one looks first, the one that has waited longest; the next one looks if it has found something, and so on:
where it has not, the others would not either. Where each waits for something of its own (`Team.alike` is False) all of
them look. A worker with a network continues when its next message arrives.

What is not simulated: caches, memory bandwidth, contention for locks and cache lines, other processes. Costs are those
of one worker that runs alone. So these figures are an upper bound of what the same code would reach on as many real
cores; how far they are off where real cores can be had is measured by ``contend validate-clock``.

The earliest worker is found in a tournament tree (Knuth, The Art of Computer Programming, vol. 3, section 5.4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm import atomics
from evm.jit import kernel
from evm.pointers import call_2, call_3, view_i64, view_u64
from strategies import costs
from strategies.clocks import ACT_SCHEDULE, NO_ACTIVITY, Clock, Network, Team
from strategies.costs import Costs, default_costs
from strategies.shared import FAILED, IDLE
from strategies.virtual_network import NetworkModel

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
Integers = npt.NDArray[np.int64]

NEVER = np.int64(1 << 62)
PICOSECONDS = 1e12
FULL_SPEED = 1_000  # of a slow-down in thousandths
STEPS_AT_ONCE = 200_000  # between two looks at what Python has to do: signals, for one
FIRST_TRACE_ROWS = 1 << 16

# A worker: running, put aside in the queue, put aside until a message arrives, or ended.
RUNNING, PARKED, LISTENING, ENDED = range(4)

# Registers of the loop, kept between two calls.
(
    R_ALIVE,
    R_SIGNAL,  # sum of the signals when they were looked at last
    R_SCOUT,  # the worker of the queue that looks next, plus one; or zero
    R_QUEUE_HEAD,
    R_QUEUE_SIZE,
    R_TRACED,
    R_STEPS,
    R_FAILED,
    R_END,  # when the last worker has ended
    R_BUSY,  # picoseconds that all workers together were not idle
    R_WORDS,
) = range(11)

# Why the loop returned.
ALL_ENDED, OUT_OF_STEPS, TRACE_FULL, STUCK = range(4)

# Parameters of the loop.
(
    P_STEP,
    P_SHARED,
    P_ACTIVITY,
    P_IDLE,
    P_SLOWDOWN,
    P_NETWORK,
    P_ADVANCE,
    P_SETTLE,
    P_ARRIVAL,
    P_WAKES,
    P_ALIKE,
    P_WORDS,
) = range(12)


@kernel()
def _play(tree, due, worker):
    """Play a worker's matches again after its time has changed; each node keeps the earlier of its two sides."""
    node = (worker + due.size) >> 1
    while node >= 1:
        left, right = tree[2 * node], tree[2 * node + 1]
        tree[node] = left if due[left] <= due[right] else right
        node >>= 1


@kernel()
def _sum_signals(signals):
    total = U(0)
    for i in range(signals.size):
        total += atomics.load(view_u64(signals[i], 1), 0)
    return I(total)


@kernel()
def _park(queue, registers, worker):
    """Put a worker aside, behind those that have waited longer."""
    queue[(registers[R_QUEUE_HEAD] + registers[R_QUEUE_SIZE]) % queue.size] = worker
    registers[R_QUEUE_SIZE] += 1


@kernel()
def _send_scout(tree, due, modes, queue, registers, time):
    """Let the worker that has waited longest look again at `time`."""
    if registers[R_QUEUE_SIZE] == 0:
        registers[R_SCOUT] = 0
        return
    worker = queue[registers[R_QUEUE_HEAD]]
    registers[R_QUEUE_HEAD] = (registers[R_QUEUE_HEAD] + 1) % queue.size
    registers[R_QUEUE_SIZE] -= 1
    registers[R_SCOUT] = worker + 1
    modes[worker], due[worker] = RUNNING, time
    _play(tree, due, worker)


@kernel()
def _wake_all(tree, due, modes, queue, registers, time):
    """Let every worker that was put aside look again at `time`."""
    for i in range(registers[R_QUEUE_SIZE]):
        worker = queue[(registers[R_QUEUE_HEAD] + i) % queue.size]
        modes[worker], due[worker] = RUNNING, time
        _play(tree, due, worker)
    registers[R_QUEUE_SIZE] = 0


@kernel()
def _deliver(parameters, tree, due, modes, worker, end):
    """Send off what a step has sent, and wake those to whom it comes earlier than what they wait for."""
    count = call_3(parameters[P_SETTLE], parameters[P_NETWORK], worker, end)
    wakes = view_i64(parameters[P_WAKES], 2 * count)
    for i in range(count):
        receiver, at = wakes[U(2 * i)], wakes[U(2 * i + 1)]
        if modes[receiver] == LISTENING and at < due[receiver]:
            due[receiver] = at
            _play(tree, due, receiver)


@kernel()
def run_events(parameters, workers, signals, tree, due, modes, queue, ended, registers, trace):
    """Step workers until all have ended, the trace is full, or `STEPS_AT_ONCE` steps have been made; says which."""
    step, shared, network = parameters[P_STEP], parameters[P_SHARED], parameters[P_NETWORK]
    idle, slowdown, activity = parameters[P_IDLE], parameters[P_SLOWDOWN], parameters[P_ACTIVITY]
    for _ in range(STEPS_AT_ONCE):
        if registers[R_ALIVE] == 0:
            return ALL_ENDED
        worker = tree[1]
        time = due[worker]
        if time >= NEVER:
            return STUCK
        if trace.shape[0] != 0 and registers[R_TRACED] == trace.shape[0]:
            return TRACE_FULL
        modes[worker] = RUNNING
        if network != 0:
            call_3(parameters[P_ADVANCE], network, worker, time)
        cost = call_2(step, shared, workers[worker])
        registers[R_STEPS] += 1
        end = time
        if cost > 0:
            end = time + max(cost * slowdown // FULL_SPEED, 1)
            due[worker] = end
            registers[R_BUSY] += end - time
            if trace.shape[0] != 0:
                row = registers[R_TRACED]
                trace[row, 0], trace[row, 2], trace[row, 3] = worker, time, end
                trace[row, 1] = I(view_u64(workers[worker] + 8 * activity, 1)[0])
                registers[R_TRACED] = row + 1
        elif cost == IDLE:
            due[worker] = NEVER
            if network == 0:
                modes[worker] = PARKED
                _park(queue, registers, worker)
            else:
                modes[worker] = LISTENING
                at = call_3(parameters[P_ARRIVAL], network, worker, time)
                if at >= 0:
                    due[worker] = max(at, time + 1)
        else:
            modes[worker], ended[worker], due[worker] = ENDED, cost, NEVER
            registers[R_END] = max(registers[R_END], time)
            registers[R_ALIVE] -= 1
            if cost == FAILED and registers[R_FAILED] == 0:
                # Who listens would hear nothing more: everyone looks once, and finds the fault.
                registers[R_FAILED] = 1
                for other in range(modes.size):
                    if modes[other] == LISTENING:
                        modes[other], due[other] = RUNNING, time
                        _play(tree, due, other)
        _play(tree, due, worker)
        if registers[R_SCOUT] == worker + 1:
            if cost == IDLE:
                registers[R_SCOUT] = 0
            else:
                _send_scout(tree, due, modes, queue, registers, time)
        if network != 0 and cost != IDLE:
            _deliver(parameters, tree, due, modes, worker, end)
        signal = _sum_signals(signals)
        if signal != registers[R_SIGNAL]:
            registers[R_SIGNAL] = signal
            if parameters[P_ALIKE] == 0:
                _wake_all(tree, due, modes, queue, registers, time + idle)
            elif registers[R_SCOUT] == 0:
                _send_scout(tree, due, modes, queue, registers, time + idle)
    return OUT_OF_STEPS


@dataclass(frozen=True)
class Timeline:
    """What workers did when.

    Attributes
    ----------
    rows : ndarray of int64, shape (k, 4)
        Worker, activity (index into `strategies.clocks.ACTIVITIES`), begin and end in picoseconds since the clock
        was made. In the gaps a worker had nothing to do. What is done in one piece (`Clock.spend`) is worker 0's.
    """

    rows: Integers


class VirtualClock(Clock):
    """Simulated time.

    Parameters
    ----------
    costs : Costs, optional
        By default the table that is part of the project.
    traced : bool
        Whether to keep a timeline.
    network : NetworkModel, optional
        Between workers that exchange messages; by default what the strategy takes for one machine.
    """

    name: ClassVar[str] = "virtual"

    def __init__(self, costs: Costs | None = None, traced: bool = False, network: NetworkModel | None = None) -> None:
        self.costs: Costs = costs or default_costs()
        self.network = network
        self.steps = 0
        self._busy = 0
        self._now = 0
        self._traced = traced
        self._traces: list[Integers] = []

    def now(self) -> float:
        """Simulated seconds."""
        return self._now / PICOSECONDS

    @property
    def busy(self) -> float:
        """Simulated seconds that all workers together were at work; looking for work in vain is none."""
        return self._busy / PICOSECONDS

    @property
    def picoseconds(self) -> int:
        """Simulated time, exactly."""
        return self._now

    def spend(self, picoseconds: int, activity: int = ACT_SCHEDULE) -> None:
        """Let simulated time pass; see `Clock.spend`."""
        if self._traced and picoseconds:
            self._traces.append(np.array([[0, activity, self._now, self._now + int(picoseconds)]]))
        self._now += int(picoseconds)
        self._busy += int(picoseconds)

    def mark(self) -> object:
        """Remember this moment; see `Clock.mark`."""
        return self._now, self._busy, self.steps, len(self._traces)

    def rewind(self, mark: object) -> None:
        """Go back to a marked moment; see `Clock.rewind`."""
        assert isinstance(mark, tuple)
        self._now, self._busy, self.steps, traces = mark
        del self._traces[traces:]

    @property
    def timeline(self) -> Timeline:
        """What workers have done so far; empty unless the clock is traced."""
        return Timeline(np.concatenate([np.zeros((0, 4), np.int64), *self._traces]))

    def run(self, team: Team) -> list[int]:
        """Step the team's workers in the order of their times; see `Clock.run`.

        Raises
        ------
        RuntimeError
            If all workers that have not ended wait for each other: an error in the strategy.
        """
        count = len(team.workers)
        leaves = 1 << max(count - 1, 1).bit_length()
        workers = np.array(team.workers, np.int64)
        due = np.full(leaves, NEVER, np.int64)
        due[:count] = 0
        tree = np.zeros(2 * leaves, np.int64)
        tree[leaves:] = np.arange(leaves)
        for node in range(leaves - 1, 0, -1):
            left, right = tree[2 * node], tree[2 * node + 1]
            tree[node] = left if due[left] <= due[right] else right
        modes, queue, ended = (np.zeros(count, np.int64) for _ in range(3))
        signals = np.array(team.signals, np.int64)
        registers = np.zeros(R_WORDS, np.int64)
        registers[R_ALIVE], registers[R_SIGNAL] = count, _sum_signals(signals)
        traced = self._traced and team.activity != NO_ACTIVITY
        trace = np.zeros((FIRST_TRACE_ROWS if traced else 0, 4), np.int64)
        parameters = self._parameters(team)
        while True:
            why = run_events(parameters, workers, signals, tree, due, modes, queue, ended, registers, trace)
            if why == ALL_ENDED:
                break
            if why == TRACE_FULL:
                trace = np.concatenate([trace, np.zeros_like(trace)])
            elif why == STUCK:
                raise RuntimeError(f"{int(registers[R_ALIVE])} of {count} workers wait for each other for ever")
        self.steps += int(registers[R_STEPS])
        self._busy += int(registers[R_BUSY])
        rows = trace[: registers[R_TRACED]]
        if traced:
            rows[:, 2:] += self._now
            self._traces.append(rows)
        self._now += int(registers[R_END])
        return [int(code) for code in ended]

    def _parameters(self, team: Team) -> Integers:
        slowdown = self.costs.slowdown.get(len(team.workers), FULL_SPEED)
        found = np.zeros(P_WORDS, np.int64)
        found[P_STEP], found[P_SHARED], found[P_ACTIVITY] = team.step.address, team.shared, team.activity
        found[P_IDLE] = max(int(self.costs.table[costs.IDLE]), 1)
        found[P_SLOWDOWN], found[P_ALIKE] = slowdown, team.alike
        network: Network | None = team.network
        if network is not None:
            found[P_NETWORK], found[P_WAKES] = network.address, network.wakes
            found[P_ADVANCE], found[P_SETTLE] = network.advance.address, network.settle.address
            found[P_ARRIVAL] = network.arrival.address
        return found
