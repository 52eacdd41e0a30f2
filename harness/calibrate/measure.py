"""Measurements for calibration: seconds of blocks and programs here, and how much work of each class they are.

How much work a run is, the virtual clock itself tells: under a table in which one class costs something and all others
nothing, time is the amount of that class. One worker makes the same steps whatever they cost.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from contend.evm import Block, Snapshot, State
from contend.harness.calibrate.programs import programs
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies import registry as strategies
from contend.strategies.base import Strategy
from contend.strategies.clocks import WALL
from contend.strategies.clocks.cost_table import CLASSES, PS_PER_NS, CostTable
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import Knowledge
from contend.strategies.serial import Serial
from contend.workloads import registry as workloads
from contend.workloads import resolve_dials
from contend.workloads.registry import DEFAULT

Floats = npt.NDArray[np.float64]

SIZE = 2_000
SEED = 5
ROUNDS = 9
# A step without cost still counts one picosecond: the cost in question must outweigh as many as there are steps.
_WEIGHT = 1 << 24
CONTENDERS = ("serial", "block_stm", "static_partition", "sharded")
"""Strategies whose work is measured, with what they are given where that is not their usual source."""
LOADS: tuple[tuple[str, dict[str, int | float | str]], ...] = (
    ("payments", {"erc20": 0.0}),
    ("payments", {"erc20": 1.0}),
    ("swaps", {}),
    ("nft", {}),
    ("dao", {}),
)


@dataclass
class Subject:
    """Something that is run with one worker.

    Attributes
    ----------
    name : str
    block : Block
    state : State
    before : Snapshot
    strategy : Strategy
    knowledge : Knowledge
        What the strategy is given of the block.
    """

    name: str
    block: Block
    state: State
    before: Snapshot
    strategy: Strategy
    knowledge: Knowledge = field(default_factory=Knowledge)

    def run(self) -> float:
        """Execute the block; seconds of the strategy's clock."""
        self.state.restore(self.before)
        self.strategy.knowledge = self.knowledge
        return self.strategy.execute(self.block, self.state, 1).seconds


def subjects() -> Iterator[Subject]:
    """Make everything that is measured: the programs serially, blocks of workloads under every compiled strategy."""
    serial = Serial()
    for program in programs():
        yield Subject(f"program {program.name}", program.block, program.state, program.state.snapshot(), serial)
    kept: dict[str, Strategy] = {}
    for workload, dials in LOADS:
        kind = workloads.get(workload)
        scenario = kind().build(resolve_dials(kind, dials), SEED, SIZE)
        block, state = scenario.blocks[0], scenario.genesis
        before = state.snapshot()
        known = BlockKnowledge([block], state, serial)
        for name in CONTENDERS:
            if name not in kept:
                kept[name] = strategies.get(name)()
            if "virtual" in kept[name].clocks:
                given = known.of(0, kept[name].given)
                yield Subject(f"{workload} {name}", block, state, before, kept[name], given)


def amounts(subject: Subject) -> Floats:
    """Count the work of one run by class, shape (classes,)."""
    found = np.zeros(len(CLASSES))
    for number, name in enumerate(CLASSES):
        costs = dict.fromkeys(CLASSES, 0.0) | {name: _WEIGHT / PS_PER_NS}
        clock = VirtualClock(CostTable(costs))
        subject.strategy.clock = clock
        subject.run()
        found[number] = clock.picoseconds // _WEIGHT
    subject.strategy.clock = WALL
    return found


def seconds(subject: Subject, rounds: int = ROUNDS) -> float:
    """Median time of one run."""
    subject.strategy.clock = WALL
    times = []
    for _ in range(rounds + 1):
        gc.collect()
        gc.disable()
        try:
            times.append(subject.run())
        finally:
            gc.enable()
    return float(np.median(times[1:]))


def slowdown(workers: int, rounds: int = ROUNDS) -> int:
    """By how much serial executions slow each other down when so many run at once, each on a state of its own.

    Cheap transactions wait for memory and feel each other most; so it is measured on each of the default workloads.

    Returns
    -------
    int
        Thousandths, at least 1000: the median of the workloads.
    """
    return max(round(1000 * float(np.median([_slowdown(name, workers, rounds) for name in DEFAULT]))), 1000)


def _slowdown(workload: str, workers: int, rounds: int) -> float:
    """Median ratio of the time of an execution among so many to that of one alone."""
    kind = workloads.get(workload)
    scenario = kind().build(resolve_dials(kind, {}), SEED, SIZE)
    block = scenario.blocks[0]
    states = [scenario.genesis.copy() for _ in range(workers)]
    crew = [Subject("", block, state, state.snapshot(), Serial()) for state in states]
    for subject in crew:
        subject.run()
    ratios = []
    for _ in range(rounds):
        alone = crew[0].run()
        together = [0.0] * workers
        barrier = threading.Barrier(workers)

        def work(number: int, times: list[float] = together, start: threading.Barrier = barrier) -> None:
            crew[number].state.restore(crew[number].before)
            start.wait()
            times[number] = crew[number].strategy.execute(block, crew[number].state, 1).seconds

        threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ratios.append(float(np.mean(together)) / alone)
    return float(np.median(ratios))
