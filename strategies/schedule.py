"""A random schedule: which worker is stepped next is drawn from a seed, so that a seed is an interleaving.

Uniform choices hardly ever let one worker run far ahead of another, which is where concurrent programs break. So the
schedule changes its manner every few steps (after Burckhardt et al., "A randomized scheduler with probabilistic
guarantees of finding bugs", ASPLOS 2010, which also favours few, far switches): all workers alike, all but one, one
alone, or two in turn. Time is the number of steps.

A step is the unit: what happens within one step is not interleaved. That is left to real threads.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
from numpy import uint64 as U

from evm.jit import kernel
from evm.pointers import call_2, call_3
from strategies.clocks import Clock, Team
from strategies.shared import IDLE
from strategies.virtual_network import NetworkModel

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module
Integers = npt.NDArray[np.int64]

# Manners of choosing.
ALIKE, ALL_BUT_ONE, ONE_ALONE, TWO_IN_TURN, MANNERS = range(5)
LONGEST_SPELL = 48  # steps for which a manner lasts
PATIENCE = 4_000  # steps in a row, for each worker, in which nobody did anything
MOST_STEPS = 500_000  # of one run; a block of some twenty transactions takes hundreds, or a few thousand

# Parameters of the loop.
P_STEP, P_SHARED, P_NETWORK, P_ADVANCE, P_SETTLE, P_PATIENCE, P_MOST, P_WORDS = range(8)
# Its registers.
R_STEPS, R_SPELL, R_MANNER, R_ONE, R_OTHER, R_IDLE, R_WORDS = range(7)
ALL_ENDED, NOBODY_WORKS, NO_END = range(3)


@kernel(inline=True)
def _draw(random, bound):
    """A number below `bound`, by a xorshift generator (Marsaglia, Journal of Statistical Software 2003)."""
    x = random[0]
    x ^= x << U(13)
    x ^= x >> U(7)
    x ^= x << U(17)
    random[0] = x
    return I((x >> U(33)) % U(bound))


@kernel()
def _choose(random, registers, alive):
    """Place among those alive of the worker to be stepped next."""
    if registers[R_SPELL] == 0:
        registers[R_SPELL] = 1 + _draw(random, LONGEST_SPELL)
        registers[R_MANNER] = _draw(random, MANNERS)
        registers[R_ONE], registers[R_OTHER] = _draw(random, alive), _draw(random, alive)
    registers[R_SPELL] -= 1
    manner, one = registers[R_MANNER], registers[R_ONE] % alive
    if manner == ONE_ALONE:
        return one
    if manner == TWO_IN_TURN:
        return one if registers[R_SPELL] % 2 == 0 else registers[R_OTHER] % alive
    chosen = _draw(random, alive)
    if manner == ALL_BUT_ONE and chosen == one:
        return (chosen + 1) % alive
    return chosen


@kernel()
def run_schedule(parameters, workers, numbers, ended, registers, random):
    """Step workers in random order until all have ended, nobody does anything, or there is no end to it; says which."""
    network, alive = parameters[P_NETWORK], workers.size
    while alive > 0:
        if registers[R_IDLE] > parameters[P_PATIENCE]:
            return NOBODY_WORKS
        if registers[R_STEPS] >= parameters[P_MOST]:
            return NO_END
        place = _choose(random, registers, alive)
        number = numbers[place]
        registers[R_STEPS] += 1
        if network != 0:
            call_3(parameters[P_ADVANCE], network, number, registers[R_STEPS])
        cost = call_2(parameters[P_STEP], parameters[P_SHARED], workers[number])
        if network != 0:
            call_3(parameters[P_SETTLE], network, number, registers[R_STEPS])
        registers[R_IDLE] = registers[R_IDLE] + 1 if cost == IDLE else 0
        if cost < 0:
            ended[number] = cost
            alive -= 1
            numbers[place] = numbers[alive]
            registers[R_SPELL] = 0
        elif cost == IDLE and registers[R_MANNER] == ONE_ALONE:
            # Alone it would find nothing to do until the spell is over.
            registers[R_SPELL] = 0
    return ALL_ENDED


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
    """

    name: ClassVar[str] = "schedule"
    network = NetworkModel(0.0, 0.0)

    def __init__(self, seed: int, jitter: int = 40, most_steps: int = MOST_STEPS) -> None:
        self.seed = seed
        self.jitter = jitter
        self.most_steps = most_steps
        self.steps = 0
        # Never zero, which the generator would stay at; and neighbouring seeds have nothing in common.
        mixed = (2 * seed + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        self._random = np.array([mixed ^ (mixed >> 31)], np.uint64)

    def now(self) -> float:
        """Steps so far."""
        return float(self.steps)

    def mark(self) -> object:
        """Remember this moment; see `Clock.mark`."""
        return self.steps, self._random.copy()

    def rewind(self, mark: object) -> None:
        """Go back to a marked moment, so that a seed replays whatever room there was; see `Clock.rewind`."""
        assert isinstance(mark, tuple)
        self.steps, self._random = mark[0], mark[1].copy()

    def run(self, team: Team) -> list[int]:
        """Step the team's workers in random order; see `Clock.run`.

        Raises
        ------
        LivelockError
            If nobody does anything any more, or the steps are too many.
        """
        count = len(team.workers)
        parameters: Integers = np.zeros(P_WORDS, np.int64)
        parameters[P_STEP], parameters[P_SHARED] = team.step.address, team.shared
        parameters[P_PATIENCE], parameters[P_MOST] = PATIENCE * count, self.most_steps
        if team.network is not None:
            parameters[P_NETWORK] = team.network.address
            parameters[P_ADVANCE], parameters[P_SETTLE] = team.network.advance.address, team.network.settle.address
        workers, numbers = np.array(team.workers, np.int64), np.arange(count, dtype=np.int64)
        ended, registers = np.zeros(count, np.int64), np.zeros(R_WORDS, np.int64)
        why = run_schedule(parameters, workers, numbers, ended, registers, self._random)
        self.steps += int(registers[R_STEPS])
        if why == NO_END:
            raise LivelockError(f"livelock: {self.most_steps:,} steps, and workers are still at work")
        if why == NOBODY_WORKS:
            raise LivelockError(f"livelock: {PATIENCE * count:,} steps in a row in which no worker did anything")
        return [int(code) for code in ended]
