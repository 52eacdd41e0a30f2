"""What a strategy is given beside the transactions: from where, in which role, and in what form it gets it.

Knowledge and scheduling are two things. A strategy declares what it can use (`Strategy.takes`); a run says what it
gets (`Strategy.given`); and figures of different roles are never ranked together:

builder
    Knows only the transactions, and what it finds out itself, within the time.
validator
    Has an access list that came with the block, and whose bytes had to come with it.
ceiling
    Has what was recorded when the block was executed before: nobody has that, so it bounds what knowledge can give.

Whatever is given is a hint, and never trusted: what it gets wrong costs time, and never the result.

A strategy with what it is given is a *contender*, written ``strategy+source``; where the source is the strategy's
usual one, or it uses none, its name is the strategy's alone.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from contend.evm import State
    from contend.evm.block_image import BlockImage
    from contend.evm.drivers.recorder import Recording
    from contend.strategies.clocks import Clock

NOTHING = "nothing"
"""What a strategy that uses no hints is given."""
NONE, DRY_RUN, TEMPLATE, DECLARED, BLOCK, TRUTH = "none", "dry_run", "template", "declared", "block", "truth"
SOURCES: dict[str, str] = {
    NONE: "the transactions and nothing else",
    DRY_RUN: "executions on the state before the block, timed",
    TEMPLATE: "predictions learned from earlier blocks, learning and prediction timed",
    DECLARED: "the transactions' own access lists (EIP-2930)",
    BLOCK: "the access list that came with the block (EIP-7928), its bytes counted",
    TRUTH: "the recorded access sets",
}

BUILDER, VALIDATOR, CEILING = "builder", "validator", "ceiling"
ROLES = (BUILDER, VALIDATOR, CEILING)

FULL, LOCATIONS, READS, INDEXED = "full", "locations", "reads", "indexed"
WITH_VALUES = (FULL, INDEXED)
LIST_KINDS: dict[str, str] = {
    FULL: "as EIP-7928 has it: writes with their index and value, reads",
    LOCATIONS: "writes with their index, without values",
    READS: "locations that are touched, and no more: for prefetching",
    INDEXED: "full, and the index of every reader: an extension of this project",
}

SEPARATOR = "+"
# Where each source is implemented. By name: sources are over the strategies' engine, and this is below it.
_IMPLEMENTED = {
    DRY_RUN: "contend.strategies.hints.dry_run:DryRun",
    TEMPLATE: "contend.strategies.hints.template:Template",
    DECLARED: "contend.strategies.hints.declared:Declared",
    BLOCK: "contend.strategies.hints.listed:Listed",
    TRUTH: "contend.strategies.hints.recorded:Recorded",
}


def role_of(source: str) -> str:
    """Role of who is given this: ``builder``, ``validator`` or ``ceiling``."""
    return {BLOCK: VALIDATOR, TRUTH: CEILING}.get(source, BUILDER)


def contender(strategy: str, source: str, usual: str) -> str:
    """Name of a strategy with what it is given.

    Parameters
    ----------
    strategy : str
    source : str
        One of `SOURCES`, or `NOTHING`.
    usual : str
        What the strategy is given where nobody says.
    """
    return strategy if source in (usual, NOTHING) else f"{strategy}{SEPARATOR}{source}"


@dataclass(frozen=True)
class RecordedSets:
    """Recorded access sets of a block's transactions, by keys of locations, so that they hold for any state.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n + 1,)
        Transaction i has entries ``offsets[i]`` to ``offsets[i + 1]``.
    entries : ndarray of int64, shape (m,)
        Rows of `keys`.
    writes : ndarray of bool, shape (m,)
        Whether the entry's location is written.
    keys : ndarray of uint64, shape (k, 7)
        Keys of the locations (`evm.state.location_key`), each once.
    costs : ndarray of int64, shape (n,)
        Gas used.
    work : ndarray of int64, shape (n,)
        Picoseconds of a serial run by the cost table.
    """

    offsets: npt.NDArray[np.int64]
    entries: npt.NDArray[np.int64]
    writes: npt.NDArray[np.bool_]
    keys: npt.NDArray[np.uint64]
    costs: npt.NDArray[np.int64]
    work: npt.NDArray[np.int64]

    @classmethod
    def of(cls, recording: Recording) -> RecordedSets:
        """Take them from a recording; its locations that nobody touches are left out."""
        used, entries = np.unique(recording.locations, return_inverse=True)
        return cls(
            recording.offsets,
            entries.astype(np.int64),
            recording.writes,
            np.ascontiguousarray(recording.keys[used]),
            recording.costs,
            recording.work,
        )


@dataclass(frozen=True)
class Knowledge:
    """What came with a block, or is known about it.

    Set by the harness before each run; a strategy uses of it only what it is given.

    Attributes
    ----------
    access_list : bytes or None
        The block's access list, encoded (`evm.access_list`).
    list_kind : str
        One of `LIST_KINDS`.
    list_maker : str or None
        Who made the list, where the block came without one: ``serial``, outside the time.
    recorded : RecordedSets or None
        The truth.
    """

    access_list: bytes | None = None
    list_kind: str = FULL
    list_maker: str | None = None
    recorded: RecordedSets | None = None


class HintSource(ABC):
    """Fills a block's hint table (`strategies.block_stm.layout.HINT`), by all workers, within the time.

    One instance belongs to one strategy object and may keep what it has learned from one block to the next.

    Attributes
    ----------
    wants_versions : bool
        Set by the strategy: whether versions are to stand for what is expected to be written
        (`strategies.block_stm.estimates`), which the source may see to while it fills the table.
    versions_stand : bool
        Set by `fill`: whether it did. If not, the strategy makes them of the table.
    has_learned : bool
        Set by the strategy: whether it has learned from this block already, in an attempt for which there was too
        little room in the end.
    """

    wants_versions: bool = False
    versions_stand: bool = False
    has_learned: bool = False

    @abstractmethod
    def fill(self, space: Any, image: BlockImage, state: State, knowledge: Knowledge, clock: Clock) -> None:
        """Fill the hint table of a workspace that has been reset.

        Parameters
        ----------
        space : strategies.block_stm.workspace.Workspace
            Its ``shared["hints"]`` is the address of a row for each transaction, all zero; each worker has a list for
            entries (``hint_list``, ``hint_room``, ``hint_count``).
        image : BlockImage
        state : State
            Before the block.
        knowledge : Knowledge
        clock : Clock

        Raises
        ------
        CapacityError
            If a list was too small.
        MissingKnowledgeError
            If what the source needs did not come with the block.
        """

    def watch(self, space: Any, image: BlockImage) -> None:  # noqa: B027  # most have nothing to learn
        """Get ready to learn from a block that is executed without hints, in place of `fill`; most need not."""

    def learn(self, space: Any, image: BlockImage, state: State, clock: Clock) -> None:  # noqa: B027  # most do not
        """Learn from a block that has been executed. Timed; the default learns nothing.

        Every transaction has its final read and write set, and nothing can be aborted any more, but the words are not
        written to the state yet: it is still the one before the block, which predictions are made from. Called once a
        block, however often that is executed: not in a round that another one follows (`evm.drivers.block_admission`).
        """

    def forgo_list(self) -> bool:
        """Give nothing of the block's access list: it may name more than there is room for. False if it gave none."""
        return False

    def flaw(self, transactions: int) -> str | None:
        """What is wrong with the access list of the last block, of so many transactions, if it was of no use.

        Outside the time.
        """
        return None

    def counters(self) -> dict[str, int]:
        """What the source counted in the last block, for the outcome; the default nothing."""
        return {}


class MissingKnowledgeError(ValueError):
    """What a strategy is to be given is not there: a block that came without an access list, for one."""


def source_of(given: str) -> HintSource | None:
    """Make the source of what a strategy is given; None where that is nothing."""
    if given not in _IMPLEMENTED:
        return None
    module, name = _IMPLEMENTED[given].split(":")
    found: HintSource = getattr(importlib.import_module(module), name)()
    return found
