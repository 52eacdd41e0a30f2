"""Base of all strategies over compiled code: memory that is made larger when a block does not fit, and block images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from time import perf_counter
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from contend.evm import Block, CapacityError, Changes, Snapshot, State, layout
from contend.evm.block_image import BlockImage
from contend.evm.drivers.block_admission import Admission
from contend.evm.forks import fork_named
from contend.evm.receipts import ReceiptTable
from contend.evm.state import intern_location, key_tuple, location_key
from contend.evm.vm import precompiles
from contend.strategies.backing import Backing
from contend.strategies.base import Outcome, Strategy
from contend.strategies.clocks import ACT_COMMIT, ACT_SCHEDULE, cost_table

LOCATIONS_PER_TRANSACTION = 12
SPARE_LOCATIONS = 1 << 12
LARGEST_SCALE = 64


class NoAccessListError(ValueError):
    """A strategy was asked for a block's access list, and cannot make one (`Strategy.lists_accesses`)."""


class CompiledStrategy(Strategy):
    """A strategy whose kernels work in memory of fixed size.

    Kernels never allocate. When something is full they stop with a fault; the state is put back, everything is made
    twice as large, and the block is executed again. The timed run is the one that fitted, since the room stays for
    the next block.

    Likewise, where transactions do not fit into the block by their limits, it is executed again without them
    (`evm.drivers.block_admission`); that is timed.
    """

    clocks: ClassVar[tuple[str, ...]] = ("wall", "virtual")
    divides_state: ClassVar[bool] = False
    """Whether it executes on parts of the state, each of which then has a backing of its own."""
    delegates: ClassVar[bool] = False
    """Whether it hands blocks over to other strategies."""

    def __init__(self) -> None:
        self.backing: Backing | None = None
        """What lies behind the state of the next block; None where all of it is in memory."""
        self._scale = 1
        self._image: BlockImage | None = None
        self._admission: Admission
        self._laid_out: dict[int, tuple[BlockImage, Admission]] = {}  # by the blocks' identities
        self._before: Snapshot | None = None  # the state before the last block
        self._is_repeated = False  # whether the attempt in hand follows another one at the same block

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        """Execute `block` on `state`; see `Strategy.execute`."""
        if workers < 1:
            raise ValueError(f"workers = {workers}: at least 1 is needed")
        if self.makes_access_list and not self.lists_accesses:
            raise NoAccessListError(f"strategy {self.name} makes no access list")
        began = perf_counter()
        with self.clock.outside():
            self._before = before = state.snapshot()
        untimed = {"snapshot": perf_counter() - began}
        if self.clock.costs is not None:
            state.codes.set_cost_model(self.clock.costs.table)
        image, admission = self.image_of(block), self._admission
        admission.forget()
        earlier, destroys_all = dict[str, float](), fork_named(block.environment.fork).destroys_all
        mark, scale = self.clock.mark(), self._scale
        self._is_repeated = False
        while True:
            is_settled_anew = state.settle_generations(destroys_all)
            with self.clock.outside():
                state.codes.reserve(self._scale)
                state.reserve(state.count + self._scale * (LOCATIONS_PER_TRANSACTION * len(block) + SPARE_LOCATIONS))
            try:
                outcome = self._attempt(image, state, workers, before)
            except CapacityError:
                # First of all, so that no error leaves a state that is executed by half.
                state.restore(before)
                self._is_repeated = True
                precompiles.raise_failure()
                if self._scale < LARGEST_SCALE:
                    self._scale *= 2
                elif self.forgo_list():
                    # Without it the block is executed in the room that it had, and so are those after it.
                    self._scale = scale
                else:
                    raise
                self.clock.rewind(mark)
                continue
            if self.parallel and admission.matters:
                began_admission = self.clock.now()
                self.spend(cost_table.FEE, len(block), ACT_COMMIT)
                is_settled = admission.settle(outcome.receipts)
                outcome.phases["commit"] = outcome.phases.get("commit", 0.0) + self.clock.now() - began_admission
                for name, seconds in outcome.phases.items():
                    earlier[name] = earlier.get(name, 0.0) + seconds
                if not is_settled:
                    state.restore(before)
                    self._is_repeated = True
                    mark = self.clock.mark()
                    continue
                outcome.phases = earlier
            outcome.untimed.update(untimed)
            if outcome.changes is None or is_settled_anew:
                began = perf_counter()
                with self.clock.outside():
                    outcome.changes = state.changes_since(before) if is_settled_anew else self._changes(state, before)
                outcome.untimed["changes"] = perf_counter() - began
            return outcome

    def _attempt(self, image: BlockImage, state: State, workers: int, before: Snapshot) -> Outcome:
        """Execute once, with what lies behind the state, if anything does."""
        backing = self.backing
        if backing is None or self.divides_state:
            return self.attempt(image, state, workers, self._scale)
        backing.begin(image, state, self.clock)
        try:
            began = self.clock.now()
            backing.read_ahead(image, state, workers, self.clock)
            seconds = self.clock.now() - began
            outcome = self.attempt(image, state, workers, self._scale)
        finally:
            backing.end(image, state, before, self.clock)
        if backing.reads_ahead:
            outcome.phases = {"read": seconds, **outcome.phases}
        return outcome

    def image_of(self, block: Block) -> BlockImage:
        """The block as it will be executed, made when it is first asked for: whoever recovers senders writes there."""
        if self._image is None or self._image.block is not block:
            kept = self._laid_out.get(id(block))
            image, admission = _with_admission(block) if kept is None or kept[0].block is not block else kept
            self._image, self._admission = image, admission
        return self._image

    def take_over(self, other: CompiledStrategy) -> None:
        """Stand in for another strategy at the block that it has in hand, with all that it was told."""
        self.clock, self.knowledge, self.backing = other.clock, other.knowledge, other.backing
        self.makes_access_list = other.makes_access_list
        self._image, self._admission, self._laid_out = other._image, other._admission, other._laid_out

    def lay_out(self, blocks: Sequence[Block]) -> list[BlockImage]:
        """Have images of several blocks, which `image_of` then gives until others are laid out.

        For a node in which another stage is at work on the next block's image while this one is executed.
        """
        known = [self._laid_out.get(id(block)) for block in blocks]
        if any(one is None or one[0].block is not block for one, block in zip(known, blocks, strict=True)):
            self._laid_out = {id(block): _with_admission(block) for block in blocks}
            self._image = None
        return [self._laid_out[id(block)][0] for block in blocks]

    def forgo_list(self) -> bool:
        """Go on without the access list that came with the block, if one did; False where it makes no difference.

        Asked where the block does not fit into the largest room. What a list names is bounded by nothing but its bytes,
        and a wrong one must not end the run.
        """
        return False

    def is_last_round(self, receipts: ReceiptTable) -> bool:
        """Whether what an attempt used changes nobody's admission, so that the block is not executed once more."""
        rows = receipts.rows[: len(self._image or ())]
        return not self.parallel or self._admission.is_settled(rows["status"], rows["gas_used"])

    def _changes(self, state: State, before: Snapshot) -> Changes:
        locations = self.written_locations()
        if locations is None:
            return state.changes_since(before)
        words = state.values[locations]
        words_before = np.zeros_like(words)
        known = locations < before.count
        words_before[known] = before.values[locations[known]]
        changed = (words != words_before).any(axis=1)
        return Changes.sorted(state.keys[locations[changed]], words[changed])

    def written_locations(self) -> npt.NDArray[np.int64] | None:
        """Locations whose words the last attempt may have changed, each once; None where the whole state is compared.

        For the oracle's copy of the changes, which is taken outside the time.
        """
        return None

    def spend(self, cost_class: int, amount: int, activity: int = ACT_SCHEDULE) -> None:
        """Let the clock's time pass for so much work of a class of the cost table, done by one worker alone."""
        if self.clock.costs is not None:
            self.clock.spend(int(self.clock.costs.table[cost_class]) * amount, activity)

    @abstractmethod
    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once with room for `scale` times the usual.

        Returns
        -------
        Outcome
            With ``changes`` None where `state` itself was changed: they are then read off it, outside the time.

        Raises
        ------
        CapacityError
            If something was too small.
        """


def _with_admission(block: Block) -> tuple[BlockImage, Admission]:
    image = BlockImage(block)
    return image, Admission(image)


def beneficiary_location(image: BlockImage, state: State) -> int:
    """The location that is the beneficiary's balance."""
    key: npt.NDArray[np.uint64] = location_key(image.block.environment.coinbase, layout.KIND_BALANCE)
    return int(intern_location(state.address, key_tuple(key)))
