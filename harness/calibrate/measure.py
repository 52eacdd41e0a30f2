"""Measurements for calibration: seconds of blocks and programs here, and how much work of each class they are.

How much work a run is, a clock itself tells: under a table in which one class costs something and all others nothing,
time is the amount of that class. A run is observed in two parts, its preparation and all behind it: how many locations
a list has and how many a transaction reads goes by the workload, so that by whole runs alone the costs of the one and
of the other cannot be told apart. One worker makes the same steps whatever they cost. So do several that take turns on
one thread (`strategies.clocks.round_robin`): they show what conflicts cost, which one worker alone does not have.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from contend.harness.calibrate.list_scan import ListScan
from contend.harness.calibrate.programs import programs
from contend.harness.calibrate.subject import Floats, Subject
from contend.harness.verify.knowledge import BlockKnowledge
from contend.node.registry import node_of
from contend.node.signatures.making import available
from contend.strategies import registry as strategies
from contend.strategies.base import Strategy
from contend.strategies.clocks import WALL
from contend.strategies.clocks.base import PS_PER_SECOND
from contend.strategies.clocks.cost_table import CLASSES, PS_PER_NS, CostTable, default_costs
from contend.strategies.clocks.round_robin import RoundRobin
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.given import BLOCK, TEMPLATE
from contend.strategies.serial import Serial
from contend.workloads import registry as workloads
from contend.workloads import resolve_dials
from contend.workloads.registry import DEFAULT

SIZE = 2_000
SEED = 5
ROUNDS = 9
# A step without cost still counts one picosecond: the cost in question must outweigh as many as there are steps.
_WEIGHT = 1 << 24
ALONE = (
    "serial",
    "block_stm",
    "block_stm+block",
    "static_partition",
    "static_partition+block",
    "static_partition+template",
    "sharded",
    "bal",
    "placeholder",
    "placeholder+template",
    "groups",
    "locks",
    "occ_window",
    "block_stm_v2",
    "aria",
    "aria_in_place",
)
"""Contenders whose work with one worker is measured."""
IN_TURN = (
    "block_stm",
    "static_partition",
    "bal",
    "placeholder",
    "placeholder+dry_run",
    "groups",
    "locks",
    "occ_window",
    "block_stm_v2",
    "aria",
    "aria_in_place",
)
"""Contenders whose work with `TURNS` workers on one thread is measured."""
LISTING = ("serial", "block_stm")
"""Contenders that are measured as well while they make the block's access list."""
SIGNED = "serial"
"""Contender that is measured as well with signatures, from which the senders are found first."""
TURNS = 4
LOADS: tuple[tuple[str, dict[str, int | float | str]], ...] = (
    ("payments", {"erc20": 0.0}),
    ("payments", {"erc20": 1.0}),
    ("swaps", {}),
    ("nft", {}),
    ("dao", {}),
)


def subjects() -> Iterator[Subject]:
    """Make everything that is measured: the programs serially, blocks of workloads under every compiled strategy."""
    serial = Serial()
    reference = ""
    for program in programs():
        name = f"program {program.name}"
        reference = reference or name
        yield Subject(name, program.block, program.state, program.state.snapshot(), serial, reference=reference)
    kept: dict[str, Strategy] = {}
    for workload, dials in LOADS:
        kind = workloads.get(workload)
        scenario = kind().build(resolve_dials(kind, dials), SEED, SIZE, blocks=2)
        (first, second), state = scenario.blocks, scenario.genesis
        before = state.snapshot()
        known = BlockKnowledge(scenario.blocks, state, serial)
        text = " ".join([workload, *(f"{name}={value:g}" for name, value in dials.items())])
        ways = [(name, 1, False) for name in ALONE]
        ways += [(name, TURNS, False) for name in IN_TURN]
        ways += [(name, 1, True) for name in LISTING]
        for name, workers, lists in ways:
            if name not in kept:
                kept[name] = strategies.get(name)()
            strategy = kept[name]
            how = f", {workers} in turn" if workers > 1 else ", with a list" if lists else ""
            given = known.of(0, strategy.given)
            block, earlier = (second, first) if strategy.given == TEMPLATE else (first, None)
            yield Subject(
                f"{text} {name}{how}", block, state, before, strategy, given, workers, lists, earlier, f"{text} serial"
            )
        scan = f"{text} list, scanned"
        yield ListScan(scan, first, state, before, Serial(), known.of(0, BLOCK), reference=f"{text} serial")
        # A signature costs the same whatever it signs, and many times what it is measured beside.
        for asked in available() if (workload, dials) == LOADS[0] else ():
            node, how = node_of(asked, [first], state, SEED), " ".join(asked.values())
            title = f"{text} {SIGNED}, {how}"
            yield Subject(title, first, state, before, kept[SIGNED], reference=f"{text} serial", node=node)
        title, node = f"{text} serial, root", node_of({"root": "mpt"}, [first], state, SEED)
        yield Subject(title, first, state, before, kept["serial"], reference=f"{text} serial", node=node)


def amounts(subject: Subject, classes: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Count the work of one run by class, in its preparation and in the rest.

    Parameters
    ----------
    subject : Subject
    classes : ndarray of bool, shape (classes,)
        Which to count.

    Returns
    -------
    counts : ndarray, shape (2, classes)
        Zero for classes that are not counted.
    rest : ndarray, shape (2,)
        Seconds that the work of all other classes takes by the project's table.
    """
    counts = np.zeros((2, len(CLASSES)))
    _warm_up(subject)
    for number in np.flatnonzero(classes):
        one = dict.fromkeys(CLASSES, 0.0) | {CLASSES[number]: _WEIGHT / PS_PER_NS}
        counts[:, number] = np.rint(_simulated(subject, one) * PS_PER_SECOND) // _WEIGHT
    others = {name: 0.0 if classes[k] else default_costs().nanoseconds[name] for k, name in enumerate(CLASSES)}
    rest = np.zeros(2) if classes.all() else _simulated(subject, others)
    subject.strategy.clock = WALL
    return counts, rest


def _simulated(subject: Subject, nanoseconds: dict[str, float]) -> Floats:
    """Seconds of a run by a cost table."""
    costs = CostTable(nanoseconds)
    subject.strategy.clock = VirtualClock(costs) if subject.workers == 1 else RoundRobin(costs)
    return subject.run()


def ratio(subject: Subject, reference: Subject, rounds: int = ROUNDS) -> tuple[Floats, float]:
    """How long the two parts of a subject take over what a reference takes, the two in turns.

    Machines that others use as well change their speed within seconds, and by more than what is to be learned; so
    nothing is held against what was measured at another time.

    Returns
    -------
    ratio : ndarray, shape (2,)
        Medians of the rounds.
    seconds : float
        Of the reference, median.
    """
    _warm_up(reference)
    _warm_up(subject)
    ratios, times = [], []
    for _ in range(rounds):
        before = float(_timed(reference).sum())
        ratios.append(_timed(subject) / before)
        times.append(before)
    return np.median(ratios, axis=0), float(np.median(times))


def _timed(subject: Subject) -> Floats:
    gc.collect()
    gc.disable()
    try:
        return subject.run()
    finally:
        gc.enable()


def _warm_up(subject: Subject) -> None:
    """Run as it will be measured, without measuring."""
    subject.strategy.clock = WALL if subject.workers == 1 else RoundRobin()
    subject.run()


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
        alone = crew[0].run().sum()
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
