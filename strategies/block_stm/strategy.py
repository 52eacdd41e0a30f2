"""Block-STM as a strategy, and the base of all strategies whose workers execute over multi-version memory."""

from __future__ import annotations

from time import perf_counter
from typing import ClassVar

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.runtime.jit import Native
from contend.evm.runtime.structs import Struct
from contend.evm.state import word_to_int
from contend.strategies import clocks
from contend.strategies.base import Outcome
from contend.strategies.block_stm.commit import commit_step
from contend.strategies.block_stm.estimates import estimate_step
from contend.strategies.block_stm.list_of_block import build_access_list
from contend.strategies.block_stm.worker import step
from contend.strategies.block_stm.workspace import WAKE_COUNTERS, Locations, Workspace
from contend.strategies.clocks import cost_table
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.compiled import CompiledStrategy
from contend.strategies.given import BLOCK, DECLARED, DRY_RUN, NONE, TEMPLATE, TRUTH, HintSource, source_of


class OptimisticStrategy(CompiledStrategy):
    """A strategy whose workers execute over multi-version memory and validate.

    Attributes
    ----------
    step : Native
        What a worker does: ``step(shared, worker) -> cost``, see `strategies.clocks.Workers`.
    commit_step : Native
        What a worker does when the block is executed: it writes final words to the state, until there are no more.
    own_shared : Struct or None
        Memory that the strategy itself brings for all workers: counters, each on a cache line (`LINE_U64`), addresses,
        whatever it needs. A kernel reaches it by ``OWN.at(shared.own)``, `prepare` by ``space.own_shared["name"]``.
        Zero when a block begins.
    own_worker : Struct or None
        The same for each worker: ``OWN_WORKER.at(worker.own)``, ``space.own_workers["name"]``.
    wake_counters : tuple of str
        Fields of the shared header (`strategies.block_stm.layout.SHARED`) or of `own_shared` of which one changes
        whenever a worker that was idle may find something to do. A step that is idle for want of anything else waits
        for ever under the virtual clock.
    machines_per_worker : int
        Machines for each worker, so that it can go on with another transaction while one waits.
    interchangeable : bool
        Whether idle workers all wait for the same; False where each waits for something of its own, its turn for one.
    expects_writes : bool
        Whether `prepare` always calls `mark_expected_writes` behind `gather_hints`. Then a source that can lay versions
        out better than from its table may do so. It is said of one `prepare`: a class that brings its own says it
        again, or it does not hold.
    """

    lists_accesses: ClassVar[bool] = True
    step: ClassVar[Native]
    commit_step: ClassVar[Native] = commit_step
    own_shared: ClassVar[Struct | None] = None
    own_worker: ClassVar[Struct | None] = None
    wake_counters: ClassVar[tuple[str, ...]] = WAKE_COUNTERS
    machines_per_worker: ClassVar[int] = 1
    interchangeable: bool = True
    expects_writes: ClassVar[bool] = False

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "prepare" in vars(cls) and "expects_writes" not in vars(cls):
            cls.expects_writes = False

    def __init__(self) -> None:
        super().__init__()
        self._workspace: Workspace | None = None
        self._source: HintSource | None = source_of(self.given)
        if self._source is not None:
            self._source.wants_versions = self.expects_writes

    def workspace(self, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        """The workspace for these sizes: the last one if it fits. Outside the time."""
        wanted = (len(image), workers, scale)
        if self._workspace is None or self._workspace.fits != wanted:
            own = self.own_shared, self.own_worker
            self._workspace = Workspace(*wanted, image, state, *own, self.machines_per_worker)
        self._workspace.fit_lists(self.makes_access_list)
        if self._source is not None:
            self._workspace.make_hint_table()
        return self._workspace

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once; see `CompiledStrategy.attempt`."""
        making = perf_counter()
        with self.clock.outside():
            space = self.workspace(image, state, workers, scale)
        untimed = {"workspace": perf_counter() - making}
        began = self.clock.now()
        if self._source is not None:
            self._source.has_learned &= self._is_repeated
        space.reset(image, state, self.clock.costs or default_costs())
        self.prepare(space, image, state)
        prepared = self.clock.now()
        balance = word_to_int(state.values[int(space.shared["coinbase"])])
        self.run_block(space)
        executed = self.clock.now()
        if self._source is not None and not self._source.has_learned and self.is_last_round(space.receipts):
            self.learn(space, image, state)
            self._source.has_learned = True
        self.commit_block(space, state)
        access_list = None if space.lists is None else self.build_list(space, image, state, balance)
        committed = self.clock.now()
        collecting = perf_counter()
        with self.clock.outside():
            receipts, aborted = space.receipts.collect(len(image)), space.abort_locations(state)
        untimed["receipts"] = perf_counter() - collecting
        hinted = None
        if self.reports_hints and self._source is not None:
            collecting = perf_counter()
            with self.clock.outside():
                hinted = space.hinted_sets(state)
            untimed["hints"] = perf_counter() - collecting
        flaw = None if self._source is None else self._source.flaw(len(image))
        phases = {"prepare": prepared - began, "execute": executed - prepared, "commit": committed - executed}
        counters = self.counted(space)
        return Outcome(
            None,
            receipts,
            phases,
            counters,
            abort_locations=aborted,
            untimed=untimed,
            hinted=hinted,
            refused_list=flaw,
            access_list=access_list,
        )

    def build_list(self, space: Workspace, image: BlockImage, state: State, balance: int) -> bytes:
        """Make the block's access list of what was logged, by all workers."""
        compared, joined = build_access_list(space, state, image.block.environment.coinbase, balance, self.clock)
        self.spend(cost_table.LIST_SORT, compared * compared.bit_length(), clocks.ACT_COMMIT)
        self.spend(cost_table.LIST_ACCESS, joined, clocks.ACT_COMMIT)
        assert space.lists is not None
        return space.lists.bytes()

    def run_block(self, space: Workspace) -> None:
        """Execute the block by all workers. Timed."""
        space.run(self.step, self.clock, self.wake_counters, self.interchangeable)

    def commit_block(self, space: Workspace, state: State) -> None:
        """Write what the block has changed to the state. Timed."""
        space.commit(state, self.clock, self.commit_step)
        self.spend(cost_table.FEE, space.fits[0], clocks.ACT_COMMIT)

    def gather_hints(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Fill the hint table from what the strategy is given, by all workers. For `prepare`.

        Raises
        ------
        RuntimeError
            If it is given nothing.
        """
        if self._source is None:
            raise RuntimeError(f"{self.name}: given {self.given}, so there are no hints to be had")
        self._source.fill(space, image, state, self.knowledge, self.clock)
        space.shared["expects"] = 1

    def forgo_list(self) -> bool:
        """Go on without the block's access list; see `CompiledStrategy.forgo_list`."""
        return self._source is not None and self._source.forgo_list()

    def learn(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Let the source of the hints learn from the block, which has been executed for the last time. Timed."""
        if self._source is not None:
            self._source.learn(space, image, state, self.clock)

    def mark_expected_writes(self, space: Workspace) -> None:
        """Let what the hint table expects to be written stand as ESTIMATEs, by all workers. For `prepare`."""
        if self._source is None or not self._source.versions_stand:
            space.run_hint_step(estimate_step, self.clock)

    def hint_counters(self) -> dict[str, int]:
        """What the source of the hints counted."""
        return {} if self._source is None else self._source.counters()

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers counted; see `strategies.accounting`."""
        return space.counted()

    def written_locations(self) -> Locations | None:
        """Locations that the last attempt may have changed; see `CompiledStrategy.written_locations`."""
        return None if self._workspace is None else self._workspace.written_locations()

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Preparation before the workers start. Timed. The default has nothing to do."""


class BlockSTM(OptimisticStrategy):
    """Optimistic concurrency in the block's order: execute, validate, and execute again what was wrong.

    Attributes
    ----------
    compares_values : bool
        Whether a read is stale only where the word has changed, as far as that can be told, or wherever another version
        is read now, as in the paper.
    """

    name: ClassVar[str] = "block_stm"
    summary: ClassVar[str] = "optimistic, multi-version memory and collaborative scheduler (arXiv 2203.06871)"
    takes: ClassVar[tuple[str, ...]] = (NONE, DRY_RUN, TEMPLATE, DECLARED, BLOCK, TRUTH)
    step = step
    expects_writes: ClassVar[bool] = True
    compares_values: bool = False

    def prepare(self, space: Workspace, image: BlockImage, state: State) -> None:
        """Mark what is expected to be written, where anything is known; see `OptimisticStrategy.prepare`."""
        # A source looks at the state before the block even when that has executed.
        space.speculate(self.clock, settles=self._source is None)
        space.shared["compares_values"] = self.compares_values
        if self._source is not None:
            self.gather_hints(space, image, state)
            self.mark_expected_writes(space)
            space.shared["first_doubt"] = len(image)

    def counted(self, space: Workspace) -> dict[str, int]:
        """What the workers and the source of the hints counted."""
        return space.counted() | self.hint_counters()
