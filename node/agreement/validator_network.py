"""Validator network: a discrete-event simulation of validators that send each other messages.

Messages take times as `strategies.clocks.network_model.NetworkModel` has it: each keeps a worker of its sender and one
of its receiver busy for an overhead, and travels for a latency, which may be drawn (`node.agreement.jitter`). Before a
message is acted on, its signatures are checked by the receiver's workers; those of a certificate are shared among them.
Work waits in the order of its arrival. A validator itself takes no time. Timers wait for no worker.

A validator that has crashed does nothing from that moment on: what would leave it later does not, though earlier
copies of the same message are under way.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contend.node.agreement.validator import Post, Validator

_ARRIVAL, _DONE, _FREE, _TIMER = range(4)


@dataclass(frozen=True)
class Prices:
    """What takes how long, in picoseconds.

    Attributes
    ----------
    latency_ps : int
        Of a message, on average.
    overhead_ps : int
        Of a message, at its sender and at its receiver.
    check_ps : int
        Of a signature.
    workers : int
        Of each validator.
    """

    latency_ps: int
    overhead_ps: int = 0
    check_ps: int = 0
    workers: int = 1

    def delays_ps(self, delays: int, validators: int) -> int:
        """Time for so many delays in a row, in each of which everyone hears from everyone and checks what it hears."""
        return delays * (self.latency_ps + validators * (2 * self.overhead_ps + self.check_ps))


@dataclass(slots=True)
class _Work:
    """A message at its receiver, and how many of the workers among which its checks were shared are not done."""

    message: Any
    shares: int


@dataclass(slots=True)
class _Crew:
    """The workers of a validator.

    `sent` counts what was sent since the event in hand.
    """

    idle: int
    queue: deque[tuple[_Work, int]] = field(default_factory=deque)
    sent: int = 0


class ValidatorNetwork(Post):
    """A network and the workers of its validators.

    Parameters
    ----------
    prices : Prices
    latency : callable
        Draws the latency of a message, in picoseconds.
    crashes : mapping, optional
        When validators crash, in picoseconds by number; 0 for one that never says anything.

    Attributes
    ----------
    now_ps : int
    messages : int
        That have been sent.
    checks : int
        Signatures that have been checked, or are going to be.
    decided_ps : dict
        When each validator has decided, in picoseconds by number.
    busy_ps : list of int
        For which the workers of each validator were busy.
    """

    def __init__(self, prices: Prices, latency: Callable[[], int], crashes: Mapping[int, int] | None = None) -> None:
        self.now_ps = 0
        self.messages = self.checks = 0
        self.decided_ps: dict[int, int] = {}
        self.busy_ps: list[int] = []
        self._prices, self._latency, self._crashes = prices, latency, dict(crashes or {})
        self._machines: Sequence[Validator] = ()
        self._crews: list[_Crew] = []
        # By time, then by order of entry.
        self._events: list[tuple[int, int, int, int, Any]] = []
        self._entered = 0

    def run(self, machines: Sequence[Validator]) -> None:
        """Let machines start, and go on until all that do not crash have decided.

        Parameters
        ----------
        machines : sequence of Validator
            By number.

        Raises
        ------
        RuntimeError
            If nothing happens any more and somebody has not decided: an error in the protocol.
        """
        self._machines = machines
        self._crews = [_Crew(self._prices.workers) for _ in machines]
        self.busy_ps = [0] * len(machines)
        crashes, events = self._crashes, self._events
        waiting = {one.number for one in machines} - crashes.keys()
        for one in machines:
            if crashes.get(one.number) != 0:
                self._crews[one.number].sent = 0
                one.start()
                self._note(one)
        waiting -= self.decided_ps.keys()
        decided = len(self.decided_ps)
        while waiting:
            if not events:
                raise RuntimeError(f"{len(waiting)} of {len(machines)} validators wait for each other for ever")
            self.now_ps, _, kind, number, content = heapq.heappop(events)
            if number in crashes and crashes[number] <= self.now_ps:
                continue
            if kind == _ARRIVAL:
                self._arrive(number, content)
            elif kind == _DONE:
                self._go_on(number, self._finish(number, content))
            elif kind == _FREE:
                self._go_on(number, self.now_ps)
            else:
                self._crews[number].sent = 0
                self._machines[number].expire(content)
                self._note(self._machines[number])
            if len(self.decided_ps) != decided:
                decided = len(self.decided_ps)
                waiting -= self.decided_ps.keys()

    def send(self, sender: int, receiver: int, message: Any) -> None:
        """Send a message off; see `Post.send`."""
        crew, overhead = self._crews[sender], self._prices.overhead_ps
        crew.sent += 1
        leaves = self.now_ps + crew.sent * overhead
        if sender in self._crashes and self._crashes[sender] <= leaves:
            return
        self.busy_ps[sender] += overhead
        self.messages += 1
        self._enter(leaves + self._latency(), _ARRIVAL, receiver, message)

    def set_timer(self, number: int, delays: int, timer: Any) -> None:
        """Have a validator called later; see `Post.set_timer`."""
        wait = self._prices.delays_ps(delays, len(self._crews))
        self._enter(self.now_ps + max(wait, 1), _TIMER, number, timer)

    def _enter(self, time_ps: int, kind: int, number: int, content: Any) -> None:
        self._entered += 1
        heapq.heappush(self._events, (time_ps, self._entered, kind, number, content))

    def _note(self, validator: Validator) -> None:
        if validator.decision is not None:
            self.decided_ps.setdefault(validator.number, self.now_ps)

    def _arrive(self, number: int, message: Any) -> None:
        """Share a message's checks among the workers."""
        prices, checks = self._prices, self._machines[number].checks(message)
        self.checks += checks
        shares = min(prices.workers, max(checks, 1))
        each, more = divmod(checks, shares)
        work = _Work(message, shares)
        for share in range(shares):
            took = (each + (share < more)) * prices.check_ps + (prices.overhead_ps if share == 0 else 0)
            self.busy_ps[number] += took
            self._offer(number, work, took)

    def _offer(self, number: int, work: _Work, took: int) -> None:
        """Give a worker something to do, or put it where the next one that is free finds it."""
        crew = self._crews[number]
        if crew.idle == 0:
            crew.queue.append((work, took))
            return
        crew.idle -= 1
        if took:
            self._enter(self.now_ps + took, _DONE, number, work)
        else:
            self._go_on(number, self._finish(number, work))

    def _finish(self, number: int, work: _Work) -> int:
        """Have a message acted on, if nothing of its work is left; when the worker has sent what follows from it."""
        work.shares -= 1
        if work.shares:
            return self.now_ps
        crew, machine = self._crews[number], self._machines[number]
        crew.sent = 0
        machine.receive(work.message)
        self._note(machine)
        return self.now_ps + crew.sent * self._prices.overhead_ps

    def _go_on(self, number: int, free_ps: int) -> None:
        """Let a worker that is free at `free_ps` take what waits."""
        crew = self._crews[number]
        while free_ps == self.now_ps:
            if not crew.queue:
                crew.idle += 1
                return
            work, took = crew.queue.popleft()
            if took:
                self._enter(self.now_ps + took, _DONE, number, work)
                return
            free_ps = self._finish(number, work)
        self._enter(free_ps, _FREE, number, None)
