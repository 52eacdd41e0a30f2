"""Random schedule: which worker is stepped next is drawn from a seed, so that a seed is an interleaving.

Uniform choices hardly ever let one worker run far ahead of another, which is where concurrent programs break. So the
schedule changes its policy every few steps (after Burckhardt et al., "A randomized scheduler with probabilistic
guarantees of finding bugs", ASPLOS 2010, which also favours few, far switches): all workers alike, all but one, one
alone, or two in turn. Time is the number of steps.

A step is the unit, unless the workers' code calls `preempt` between two accesses of what is shared, as copies of it
with such points do (`strategies.clocks.preemption`): the schedule may then cut the step in two and let others make
whole steps there, which can be cut in their turn: a stack of workers, each in the middle of a step.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import call_2, call_3, view_i64
from contend.evm.runtime.structs import I64, U64, Struct
from contend.strategies.clocks.base import IDLE, Clock, Workers
from contend.strategies.clocks.network_model import NetworkModel
from contend.strategies.clocks.rng import draw, seeded

Integers = npt.NDArray[np.int64]

# Policies of choosing.
ALL_ALIKE, ALL_BUT_ONE, ONE_ALONE, TWO_IN_TURN, POLICIES = range(5)
LONGEST_SPELL = 48  # steps for which a policy lasts
PATIENCE = 4_000  # steps in a row, for each worker, in which nobody did anything
MOST_STEPS = 500_000  # of one run; a block of some twenty transactions takes hundreds, or a few thousand

# A step is cut in two at one point of preemption in so many, drawn anew for each spell: 0 for none.
MOST_CUT = 8  # as a power of two
MOST_DEPTH = 3  # cut steps at once
LONGEST_VISIT = 5  # steps that others make in the middle of one, as a power of two
RARER = 8  # times, at each further depth: or cut steps would go on breeding cut steps

ALL_ENDED, NOBODY_WORKS, NO_END = range(3)

SCHEDULE_LOOP = Struct(
    "ScheduleLoop",
    # What is driven, see `Workers` and `NetworkHooks`.
    step=I64,
    shared=I64,
    network=I64,
    advance=I64,
    settle=I64,
    patience=I64,
    most_steps=I64,
    cuts_steps=I64,  # whether steps are cut
    # Arrays of int64 by number of the worker, by address.
    worker_count=I64,
    workers=I64,  # the workers' headers
    in_step=I64,  # whether it is in the middle of a step
    results=I64,  # what its last step returned
    living=I64,  # numbers of those alive
    # How far the loop has come.
    random=U64,  # state of the generator
    steps=I64,
    spell=I64,  # steps left with this policy
    policy=I64,
    one=I64,  # whom the policy is about
    other=I64,
    idle_steps=I64,  # in a row in which nobody did anything
    alive=I64,
    cut_chance=I64,  # of a point of preemption: one in so many, or 0 for none
    depth=I64,  # cut steps that have not ended
    cuts=I64,  # steps that were cut
)


@kernel()
def _choose(loop):
    """Position among those alive of the worker to be stepped next."""
    alive = loop.alive
    if loop.spell == 0:
        loop.spell = 1 + draw(loop, LONGEST_SPELL)
        loop.policy = draw(loop, POLICIES)
        loop.one = draw(loop, alive)
        loop.other = draw(loop, alive)
    loop.spell -= 1
    one = loop.one % alive
    if loop.policy == ONE_ALONE:
        return one
    if loop.policy == TWO_IN_TURN:
        return one if loop.spell % 2 == 0 else loop.other % alive
    chosen = draw(loop, alive)
    if loop.policy == ALL_BUT_ONE and chosen == one:
        return (chosen + 1) % alive
    return chosen


@kernel()
def _end(loop, number, result):
    """Take a worker that has ended out of those alive."""
    view_i64(loop.results, loop.worker_count)[U(number)] = result
    living = view_i64(loop.living, loop.worker_count)
    position = 0
    while living[U(position)] != number:
        position += 1
    loop.alive -= 1
    living[U(position)] = living[U(loop.alive)]
    loop.spell = 0


@kernel()
def _step_someone(loop):
    """Draw a worker and step it. False if it is in the middle of a step already."""
    count = loop.worker_count
    number = view_i64(loop.living, count)[U(_choose(loop))]
    in_step = view_i64(loop.in_step, count)
    if in_step[U(number)] != 0:
        loop.spell = 0
        return False
    loop.steps += 1
    if loop.network != 0:
        call_3(loop.advance, loop.network, number, loop.steps)
    in_step[U(number)] = 1
    cost = call_2(loop.step, loop.shared, view_i64(loop.workers, count)[U(number)])
    in_step[U(number)] = 0
    if loop.network != 0:
        call_3(loop.settle, loop.network, number, loop.steps)
    loop.idle_steps = loop.idle_steps + 1 if cost == IDLE else 0
    if cost < 0:
        _end(loop, number, cost)
    elif cost == IDLE and loop.policy == ONE_ALONE:
        # Alone it would find nothing to do until the spell is over.
        loop.spell = 0
    return True


@kernel()
def run_schedule(address):
    """Step workers in random order until all have ended, nobody does anything, or there is no end to it; says which."""
    loop = SCHEDULE_LOOP.at(address)
    while loop.alive > 0:
        if loop.idle_steps > loop.patience:
            return NOBODY_WORKS
        if loop.steps >= loop.most_steps:
            return NO_END
        if loop.spell == 0 and loop.cuts_steps != 0:
            loop.cut_chance = (1 << draw(loop, MOST_CUT + 1)) >> 1
        _step_someone(loop)
    return ALL_ENDED


@native("int64(int64)")
def preempt(current_address):
    """Between two accesses of what is shared: perhaps let others make some steps. How many they made.

    The worker whose step is cut here goes on only when those steps have ended: they lie above it on the stack.

    Parameters
    ----------
    current_address : int
        Address of the word that holds the address of the loop, or zero while no steps are cut.
    """
    address = view_i64(current_address, 1)[U(0)]
    if address == 0:
        return 0
    loop = SCHEDULE_LOOP.at(address)
    if loop.cut_chance == 0 or loop.depth >= MOST_DEPTH:
        return 0
    chance = loop.cut_chance
    for _ in range(loop.depth):
        chance *= RARER
    if draw(loop, chance) != 0:
        return 0
    loop.depth += 1
    made = 0
    for _ in range(1 + draw(loop, 1 << draw(loop, LONGEST_VISIT + 1))):
        if loop.steps >= loop.most_steps:
            break
        if _step_someone(loop):
            made += 1
    loop.depth -= 1
    if made > 0:
        loop.cuts += 1
    return made


# What points of preemption look at: the address of the loop that is running and cuts steps, or zero.
CURRENT: Integers = np.zeros(1, np.int64)


class LivelockError(RuntimeError):
    """Workers are stepped again and again, and do nothing, or what they do comes to no end."""


class Schedule(Clock):
    """A clock whose time is steps, and whose order of steps is drawn from a seed.

    Parameters
    ----------
    seed : int
        Non-negative. The same seed on the same block makes the same steps.
    jitter : int
        Messages between shards arrive up to so many steps later than they were sent.
    most_steps : int
        Of one run. Workers that take more are said to be in a livelock: those that abort each other for ever
        are never idle. Far larger blocks than the fuzzer's need more.
    cut : bool
        Whether to cut steps in two, where the workers' code has points of preemption. One schedule at a time can.
    """

    name: ClassVar[str] = "schedule"
    network: NetworkModel | None = NetworkModel(0.0, 0.0)

    def __init__(self, seed: int, jitter: int = 40, most_steps: int = MOST_STEPS, cut: bool = False) -> None:
        self.seed = seed
        self.jitter = jitter
        self.most_steps = most_steps
        self.cut = cut
        self.steps = 0
        self.cuts = 0
        self._random = seeded(seed)

    def now(self) -> float:
        """Steps so far."""
        return float(self.steps)

    def mark(self) -> object:
        """Remember this moment; see `Clock.mark`."""
        return self.steps, self.cuts, self._random

    def rewind(self, mark: object) -> None:
        """Go back to a marked moment, so that a seed replays whatever room there was; see `Clock.rewind`."""
        assert isinstance(mark, tuple)
        self.steps, self.cuts, self._random = mark[0], mark[1], mark[2]

    def run(self, workers: Workers) -> list[int]:
        """Step workers in random order; see `Clock.run`.

        Raises
        ------
        LivelockError
            If nobody does anything any more, or the steps are too many.
        """
        count = len(workers.addresses)
        arrays: dict[str, Integers] = {
            "workers": np.array(workers.addresses, np.int64),
            "in_step": np.zeros(count, np.int64),
            "results": np.zeros(count, np.int64),
            "living": np.arange(count, dtype=np.int64),
        }
        fields: dict[str, int] = {name: int(array.ctypes.data) for name, array in arrays.items()}
        fields |= {"step": workers.step.address, "shared": workers.shared, "worker_count": count, "alive": count}
        fields |= {"patience": PATIENCE * count, "most_steps": self.most_steps, "cuts_steps": self.cut}
        fields |= {"random": self._random}
        if workers.network is not None:
            hooks = workers.network
            fields |= {"network": hooks.address, "advance": hooks.advance.address, "settle": hooks.settle.address}
        memory = SCHEDULE_LOOP.zeros()
        row: Any = memory[0]
        for name, value in fields.items():
            row[name] = value
        CURRENT[0] = memory.ctypes.data if self.cut else 0
        try:
            why = run_schedule(int(memory.ctypes.data))
        finally:
            CURRENT[0] = 0
        self._random = int(row["random"])
        self.steps += int(row["steps"])
        self.cuts += int(row["cuts"])
        if why == NO_END:
            raise LivelockError(f"livelock: {self.most_steps:,} steps, and workers are still at work")
        if why == NOBODY_WORKS:
            raise LivelockError(f"livelock: {PATIENCE * count:,} steps in a row in which no worker did anything")
        return [int(result) for result in arrays["results"]]
