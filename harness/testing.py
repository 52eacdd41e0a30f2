"""Tests of plug-ins: a strategy against the serial result, and a workload against what it promises.

Plug-ins import these as `contend.testing`. They raise AssertionError with what differs, and where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from contend.evm import Block, Receipts, State
from contend.harness.verify.given_damage import has_hints
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.oracle.oracle import Oracle
from contend.harness.verify.schedule_fuzzer.campaign import WORKERS, batches
from contend.harness.verify.schedule_fuzzer.cases import ADVERSARIAL, scene_of
from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker
from contend.strategies.base import Outcome, Strategy
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial
from contend.workloads import registry
from contend.workloads.base import DialValue, Scenario, Workload
from contend.workloads.dials import resolve_dials


class Equivalence:
    """Runs strategies on blocks and compares every outcome with a serial run.

    Parameters
    ----------
    contracts : mapping
        Addresses by name, so that a failure names what differs.
    """

    def __init__(self, contracts: Mapping[str, bytes] | None = None) -> None:
        self._serial = Serial()
        self._contracts = dict(contracts or {})

    def check(self, strategy: Strategy, block: Block, genesis: State, workers: int, repeat: int = 1) -> Outcome:
        """Execute a block and compare.

        Parameters
        ----------
        strategy : Strategy
        block : Block
        genesis : State
            Left as it was.
        workers : int
        repeat : int
            Runs, each compared.

        Returns
        -------
        Outcome
            Of the last run.

        Raises
        ------
        AssertionError
            With the first differences.
        """
        state = genesis.copy()
        snapshot = state.snapshot()
        oracle = Oracle(block, state, snapshot, self._serial, self._contracts)
        strategy.knowledge = BlockKnowledge([block], state, self._serial).of(0, strategy.given)
        for _ in range(repeat):
            state.restore(snapshot)
            outcome = strategy.execute(block, state, workers)
            differences = oracle.check(outcome, state.changes_since(snapshot))
            if differences:
                raise AssertionError(f"{strategy.name} with {workers} workers: " + "; ".join(differences))
        return outcome


def assert_equals_serial(
    strategy: type[Strategy],
    workloads: Sequence[str | type[Workload]] = registry.DEFAULT,
    seeds: Sequence[int] = (1, 2),
    workers: Sequence[int] = (1, 2, 3, 8),
    block_size: int = 200,
    schedules: int = 400,
) -> None:
    """Check that a strategy gives the serial result: in threads, under the virtual clock, and in random schedules.

    Parameters
    ----------
    strategy : type
        Subclass of `Strategy`. Those that run under the wall clock only are not simulated.
    workloads : sequence of str or type
        Names, or classes that need not be registered. Their dials have their defaults.
    seeds : sequence of int
        Of the workloads.
    workers : sequence of int
        Worker counts; more than there are cores make unlucky interleavings frequent.
    block_size : int
        Transactions in each workload's block.
    schedules : int
        Random schedules of small blocks that are made to go wrong, as ``contend fuzz`` runs them.

    Raises
    ------
    AssertionError
        Naming workload, seed, workers and clock, and the first differences; for a schedule, the shortest block found
        that fails.
    """
    virtual = "virtual" in strategy.clocks
    with ExitStack() as kept:
        # One instance for each clock and number of workers, as a run has them.
        made: dict[tuple[int, bool], Strategy] = {}
        for workload in workloads:
            for seed in seeds:
                scenario = build_scenario(workload, {}, seed, block_size)
                name = workload if isinstance(workload, str) else workload.name
                runner = Equivalence(scenario.contracts)
                for count in workers:
                    for clock in (WALL, VirtualClock()) if virtual else (WALL,):
                        key = count, clock.simulated
                        if key not in made:
                            made[key] = kept.enter_context(strategy())
                        _check_one(runner, made[key], scenario, count, clock, f"{name}, seed {seed}")
    if virtual and strategy.parallel:
        _check_schedules(strategy, schedules)


def build_scenario(
    workload: str | type[Workload],
    dials: Mapping[str, DialValue] | None = None,
    seed: int = 1,
    block_size: int = 200,
    blocks: int = 1,
) -> Scenario:
    """Build genesis and blocks of a workload.

    Parameters
    ----------
    workload : str or type
        Name, or class, which need not be registered.
    dials : mapping, optional
        Values by dial; the others keep their defaults. ``preset`` names a preset.
    seed, block_size, blocks : int
        As in `Workload.build`.

    Raises
    ------
    LookupError
        If there is no workload of this name.
    ValueError
        If a dial is unknown, or cannot take the value.
    """
    kind = registry.get(workload) if isinstance(workload, str) else workload
    return kind().build(resolve_dials(kind, dials), seed, block_size, blocks)


def _check_one(
    runner: Equivalence, strategy: Strategy, scenario: Scenario, workers: int, clock: Clock, where: str
) -> None:
    strategy.clock = clock
    try:
        runner.check(strategy, scenario.blocks[0], scenario.genesis, workers)
    except AssertionError as error:
        raise AssertionError(f"{where}, {clock.name} clock: {error}") from None


def _check_schedules(strategy: type[Strategy], schedules: int) -> None:
    checker = ScheduleChecker(lambda name: strategy)
    try:
        hinted = [strategy.name] if has_hints(strategy) else []
        for batch in batches([strategy.name], [ADVERSARIAL], WORKERS, schedules, 1, hinted):
            for case in batch.cases():
                if checker.differences(case):
                    small = checker.shrink(case)
                    found = "; ".join(checker.differences(small))
                    lines = [f"{place}: {transaction}" for place, transaction in enumerate(scene_of(small).block)]
                    raise AssertionError(f"{small}: {found}\n" + "\n".join(lines))
    finally:
        checker.close()


def assert_workload_holds(
    workload: type[Workload],
    dials: Mapping[str, DialValue] | None = None,
    seeds: Sequence[int] = (1, 2),
    block_size: int = 200,
    blocks: int = 3,
) -> None:
    """Check what a workload promises.

    The same seed gives the same bytes and another one other bytes; blocks have the size asked for; every sender's
    nonces follow each other; after serial runs its invariant holds, and it notices a transaction that was lost.

    Parameters
    ----------
    workload : type
        Subclass of `Workload`.
    dials : mapping, optional
        Values by dial; the others keep their defaults. ``preset`` names a preset.
    seeds : sequence of int
        At least two.
    block_size, blocks : int
        Of each scenario.

    Raises
    ------
    AssertionError
        Naming what is broken.
    """
    digests = set()
    for seed in seeds:
        scenario, again = (build_scenario(workload, dials, seed, block_size, blocks) for _ in range(2))
        _expect(
            _digests(scenario) == _digests(again), f"{workload.name}: seed {seed} gives other bytes the second time"
        )
        digests.add(_digests(scenario))
        sizes = [len(block) for block in scenario.blocks]
        _expect(sizes == [block_size] * blocks, f"{workload.name}: blocks of {sizes} transactions, not {block_size}")
        _check_nonces(workload, scenario)
        last = scenario.blocks[-1]
        lost = Block(last.environment, last.transactions[:-1])
        state, receipts = _executed(scenario.genesis, scenario.blocks)
        broken = workload().check(scenario, state) + workload().check_receipts(scenario, receipts)
        _expect(not broken, f"{workload.name}, seed {seed}: broken after a serial run: {'; '.join(broken)}")
        state, _ = _executed(scenario.genesis, [*scenario.blocks[:-1], lost])
        _expect(
            bool(workload().check(scenario, state)),
            f"{workload.name}, seed {seed}: the invariant does not notice that the last transaction is missing",
        )
    _expect(len(digests) == len(set(seeds)), f"{workload.name}: two of the seeds {list(seeds)} give the same bytes")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def _digests(scenario: Scenario) -> tuple[str, ...]:
    return scenario.genesis.digest(), *(block.digest for block in scenario.blocks)


def _check_nonces(workload: type[Workload], scenario: Scenario) -> None:
    sent: Counter[bytes] = Counter()
    for number, block in enumerate(scenario.blocks):
        for place, transaction in enumerate(block):
            sender = transaction.sender
            expected = scenario.genesis.nonce(sender) + sent[sender]
            _expect(
                transaction.nonce == expected,
                f"{workload.name}: block {number}, transaction {place}: nonce {transaction.nonce} of sender "
                f"{sender.hex()} where {expected} is next",
            )
            sent[sender] += 1


def _executed(genesis: State, blocks: Sequence[Block]) -> tuple[State, Receipts]:
    """The state after serial runs of the blocks, and the receipts of the first."""
    state = genesis.copy()
    with Serial() as serial:
        receipts = [serial.execute(block, state, 1).receipts for block in blocks]
    return state, receipts[0]
