"""A random schedule: which worker is stepped next is drawn from a seed, so that a seed is an interleaving.

Uniform choices hardly ever let one worker run far ahead of another, which is where concurrent programs break. So the
schedule changes its manner every few steps (after Burckhardt et al., "A randomized scheduler with probabilistic
guarantees of finding bugs", ASPLOS 2010, which also favours few, far switches): all workers alike, all but one, one
alone, or two in turn. Time is the number of steps.

A step is the unit, unless the workers' code calls `preempt` between two accesses of what is shared, as copies of it
with such points do (`strategies.preemption`): the schedule may then cut the step in two and let others make whole
steps there, which can be cut in their turn: a stack of workers, each in the middle of a step.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm.jit import kernel, native
from evm.pointers import call_2, call_3, view_i64, view_u64
from strategies.clocks import Clock, Team
from strategies.draws import draw, seeded
from strategies.shared import IDLE
from strategies.virtual_network import NetworkModel

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
Integers = npt.NDArray[np.int64]

# Manners of choosing.
ALIKE, ALL_BUT_ONE, ONE_ALONE, TWO_IN_TURN, MANNERS = range(5)
LONGEST_SPELL = 48  # steps for which a manner lasts
PATIENCE = 4_000  # steps in a row, for each worker, in which nobody did anything
MOST_STEPS = 500_000  # of one run; a block of some twenty transactions takes hundreds, or a few thousand

# A step is cut in two at one point of preemption in so many, drawn anew for each spell: 0 for none.
MOST_CUT = 8  # as a power of two
MOST_DEPTH = 3  # cut steps at once
LONGEST_VISIT = 5  # steps that others make in the middle of one, as a power of two
RARER = 8  # times, at each further depth: or cut steps would go on breeding cut steps

# Parameters of the loop.
(
    P_STEP,
    P_SHARED,
    P_NETWORK,
    P_ADVANCE,
    P_SETTLE,
    P_PATIENCE,
    P_MOST,
    P_CUT,  # whether steps are cut
    P_COUNT,  # workers
    P_WORKERS,  # arrays by number of the worker: address,
    P_BUSY,  # in the middle of a step
    P_ENDED,  # what its last step returned
    P_NUMBERS,  # numbers of those alive
    P_REGISTERS,
    P_RANDOM,  # state of the generator
    P_WORDS,
) = range(16)
# Its registers.
R_STEPS, R_SPELL, R_MANNER, R_ONE, R_OTHER, R_IDLE, R_ALIVE, R_CUT, R_DEPTH, R_CUTS, R_WORDS = range(11)
ALL_ENDED, NOBODY_WORKS, NO_END = range(3)


@kernel()
def _choose(random, registers, alive):
    """Place among those alive of the worker to be stepped next."""
    if registers[R_SPELL] == 0:
        registers[R_SPELL] = 1 + draw(random, 0, LONGEST_SPELL)
        registers[R_MANNER] = draw(random, 0, MANNERS)
        registers[R_ONE], registers[R_OTHER] = draw(random, 0, alive), draw(random, 0, alive)
    registers[R_SPELL] -= 1
    manner, one = registers[R_MANNER], registers[R_ONE] % alive
    if manner == ONE_ALONE:
        return one
    if manner == TWO_IN_TURN:
        return one if registers[R_SPELL] % 2 == 0 else registers[R_OTHER] % alive
    chosen = draw(random, 0, alive)
    if manner == ALL_BUT_ONE and chosen == one:
        return (chosen + 1) % alive
    return chosen


@kernel()
def _end(parameters, registers, number, result):
    """Take a worker that has ended out of those alive."""
    count = parameters[U(P_COUNT)]
    view_i64(parameters[U(P_ENDED)], count)[U(number)] = result
    numbers = view_i64(parameters[U(P_NUMBERS)], count)
    place = 0
    while numbers[U(place)] != number:
        place += 1
    registers[U(R_ALIVE)] -= 1
    numbers[U(place)] = numbers[U(registers[U(R_ALIVE)])]
    registers[U(R_SPELL)] = 0


@kernel()
def _step_someone(parameters, registers, random):
    """Draw a worker and step it. False if it is in the middle of a step already."""
    count, network = parameters[U(P_COUNT)], parameters[U(P_NETWORK)]
    place = _choose(random, registers, registers[U(R_ALIVE)])
    number = view_i64(parameters[U(P_NUMBERS)], count)[U(place)]
    busy = view_i64(parameters[U(P_BUSY)], count)
    if busy[U(number)] != 0:
        registers[U(R_SPELL)] = 0
        return False
    registers[U(R_STEPS)] += 1
    if network != 0:
        call_3(parameters[U(P_ADVANCE)], network, number, registers[U(R_STEPS)])
    busy[U(number)] = 1
    address = view_i64(parameters[U(P_WORKERS)], count)[U(number)]
    cost = call_2(parameters[U(P_STEP)], parameters[U(P_SHARED)], address)
    busy[U(number)] = 0
    if network != 0:
        call_3(parameters[U(P_SETTLE)], network, number, registers[U(R_STEPS)])
    registers[U(R_IDLE)] = registers[U(R_IDLE)] + 1 if cost == IDLE else 0
    if cost < 0:
        _end(parameters, registers, number, cost)
    elif cost == IDLE and registers[U(R_MANNER)] == ONE_ALONE:
        # Alone it would find nothing to do until the spell is over.
        registers[U(R_SPELL)] = 0
    return True


@kernel()
def run_schedule(address):
    """Step workers in random order until all have ended, nobody does anything, or there is no end to it; says which."""
    parameters = view_i64(address, P_WORDS)
    registers = view_i64(parameters[U(P_REGISTERS)], R_WORDS)
    random = view_u64(parameters[U(P_RANDOM)], 1)
    while registers[U(R_ALIVE)] > 0:
        if registers[U(R_IDLE)] > parameters[U(P_PATIENCE)]:
            return NOBODY_WORKS
        if registers[U(R_STEPS)] >= parameters[U(P_MOST)]:
            return NO_END
        if registers[U(R_SPELL)] == 0 and parameters[U(P_CUT)] != 0:
            registers[U(R_CUT)] = (1 << draw(random, 0, MOST_CUT + 1)) >> 1
        _step_someone(parameters, registers, random)
    return ALL_ENDED


@native("int64(int64)")
def preempt(current_address):
    """Between two accesses of what is shared: perhaps let others make some steps. How many they made.

    The worker whose step is cut here goes on only when those steps have ended: they lie above it on the stack.

    Parameters
    ----------
    current_address : int
        Address of the word that holds the address of the loop's parameters, or zero while no steps are cut.
    """
    address = view_i64(current_address, 1)[U(0)]
    if address == 0:
        return 0
    parameters = view_i64(address, P_WORDS)
    registers = view_i64(parameters[U(P_REGISTERS)], R_WORDS)
    random = view_u64(parameters[U(P_RANDOM)], 1)
    if registers[U(R_CUT)] == 0 or registers[U(R_DEPTH)] >= MOST_DEPTH:
        return 0
    chance = registers[U(R_CUT)]
    for _ in range(registers[U(R_DEPTH)]):
        chance *= RARER
    if draw(random, 0, chance) != 0:
        return 0
    registers[U(R_DEPTH)] += 1
    made = 0
    for _ in range(1 + draw(random, 0, 1 << draw(random, 0, LONGEST_VISIT + 1))):
        if registers[U(R_STEPS)] >= parameters[U(P_MOST)]:
            break
        if _step_someone(parameters, registers, random):
            made += 1
    registers[U(R_DEPTH)] -= 1
    if made > 0:
        registers[U(R_CUTS)] += 1
    return made


# What points of preemption look at: the parameters of the loop that is running and cuts steps, or zero.
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
        Of one run of a team. Workers that take more are said to be in a livelock: those that abort each other for ever
        are never idle. Far larger blocks than the fuzzer's need more.
    cut : bool
        Whether to cut steps in two, where the workers' code has points of preemption. One schedule at a time can.
    """

    name: ClassVar[str] = "schedule"
    network = NetworkModel(0.0, 0.0)

    def __init__(self, seed: int, jitter: int = 40, most_steps: int = MOST_STEPS, cut: bool = False) -> None:
        self.seed = seed
        self.jitter = jitter
        self.most_steps = most_steps
        self.cut = cut
        self.steps = 0
        self.cuts = 0
        self._random = np.array([seeded(seed)], np.uint64)

    def now(self) -> float:
        """Steps so far."""
        return float(self.steps)

    def mark(self) -> object:
        """Remember this moment; see `Clock.mark`."""
        return self.steps, self.cuts, self._random.copy()

    def rewind(self, mark: object) -> None:
        """Go back to a marked moment, so that a seed replays whatever room there was; see `Clock.rewind`."""
        assert isinstance(mark, tuple)
        self.steps, self.cuts, self._random = mark[0], mark[1], mark[2].copy()

    def run(self, team: Team) -> list[int]:
        """Step the team's workers in random order; see `Clock.run`.

        Raises
        ------
        LivelockError
            If nobody does anything any more, or the steps are too many.
        """
        count = len(team.workers)
        workers, numbers = np.array(team.workers, np.int64), np.arange(count, dtype=np.int64)
        busy, ended, registers = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(R_WORDS, np.int64)
        registers[R_ALIVE] = count
        parameters: Integers = np.zeros(P_WORDS, np.int64)
        for field, value in (
            (P_STEP, team.step.address),
            (P_SHARED, team.shared),
            (P_PATIENCE, PATIENCE * count),
            (P_MOST, self.most_steps),
            (P_CUT, self.cut),
            (P_COUNT, count),
            (P_WORKERS, workers.ctypes.data),
            (P_BUSY, busy.ctypes.data),
            (P_ENDED, ended.ctypes.data),
            (P_NUMBERS, numbers.ctypes.data),
            (P_REGISTERS, registers.ctypes.data),
            (P_RANDOM, self._random.ctypes.data),
        ):
            parameters[field] = value
        if team.network is not None:
            parameters[P_NETWORK] = team.network.address
            parameters[P_ADVANCE], parameters[P_SETTLE] = team.network.advance.address, team.network.settle.address
        CURRENT[0] = parameters.ctypes.data if self.cut else 0
        try:
            why = run_schedule(int(parameters.ctypes.data))
        finally:
            CURRENT[0] = 0
        self.steps += int(registers[R_STEPS])
        self.cuts += int(registers[R_CUTS])
        if why == NO_END:
            raise LivelockError(f"livelock: {self.most_steps:,} steps, and workers are still at work")
        if why == NOBODY_WORKS:
            raise LivelockError(f"livelock: {PATIENCE * count:,} steps in a row in which no worker did anything")
        return [int(code) for code in ended]
