"""The common face of all strategies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from contend.evm import Block, Changes, Receipts, State
from contend.strategies.clocks import WALL, Clock
from contend.strategies.given import LIST_KINDS, NOTHING, Knowledge


@dataclass(frozen=True)
class HintedSets:
    """Hints as a strategy used them, by keys of locations.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n + 1,)
        Transaction i has entries ``offsets[i]`` to ``offsets[i + 1]``.
    keys : ndarray of uint64, shape (m, 7)
        Of each entry's location (`evm.state.location_key`).
    writes : ndarray of bool, shape (m,)
        Whether the location is expected to be written.
    """

    offsets: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    writes: npt.NDArray[np.bool_]


@dataclass
class Outcome:
    """Outcome of one execution of a block.

    Attributes
    ----------
    changes : Changes or None
        Locations whose word differs from the state before the block, with their new words, in canonical order.
    receipts : Receipts
        One per transaction, by the transaction's index in the block whatever the order of execution.
    phases : dict[str, float]
        Seconds of the strategy's clock in ``prepare``, ``execute`` and ``commit``. Their sum is the time of the block:
        whatever a node would have to do is in one of them. Copying receipts and changes out for the oracle is in none:
        a node would use them where they lie.
    counters : dict[str, int]
        What the strategy counts: executions and what became of them, which must add up as `strategies.accounting`
        says, or the outcome has failed; validations, and so on.
    order : ndarray of int64, shape (n,), or None
        The serialisation order, where it is not the block's: ``order[k]`` is the index in the block of the
        transaction that comes k-th. It leaves each sender's transactions in their order, and a binding order as it is.
    abort_locations : tuple of two ndarrays, or None
        Where the strategy tells: keys of the locations that aborts were due to, uint64, shape (k, 7), and how many
        aborts each, int64, shape (k,). They add up to the aborts and repairs that it counts.
    untimed : dict[str, float]
        Real seconds, whatever the strategy's clock, of what the harness needs around the run and a node would not do,
        by name: a ``snapshot`` of the state to go back to, a larger ``workspace``, ``receipts`` and ``changes`` copied
        out for the oracle. They grow with the state, which the phases do not.
    hinted : HintedSets or None
        The hints that it used, where `Strategy.reports_hints` asked for them: copied outside the time.
    refused_list : str or None
        What is wrong with the access list that came with the block, in words; None where it is right, or was not
        checked.
    access_list : bytes or None
        The block's access list (EIP-7928) as the strategy found it, where `Strategy.makes_access_list` asked for it.
    """

    changes: Changes | None
    receipts: Receipts
    phases: dict[str, float]
    counters: dict[str, int] = field(default_factory=dict)
    order: npt.NDArray[np.int64] | None = None
    abort_locations: tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]] | None = None
    untimed: dict[str, float] = field(default_factory=dict)
    hinted: HintedSets | None = None
    refused_list: str | None = None
    access_list: bytes | None = None

    @property
    def seconds(self) -> float:
        """Seconds of the strategy's clock, all phases together."""
        return sum(self.phases.values())


class Strategy(ABC):
    """An algorithm that executes a block with W workers and gives the serial result.

    Attributes
    ----------
    clock : Clock
        What drives its workers and tells the time of its phases. To be set before the first block, to one that is
        named in `clocks`.
    takes : tuple of str
        What it can use beside the transactions (`strategies.given.SOURCES`), the usual one first; empty for a strategy
        that uses nothing.
    given : str
        Which of them it is given: the usual one, unless the registry made it otherwise (``strategy+source``); or
        `strategies.given.NOTHING`.
    list_kinds : tuple of str
        Kinds of access lists (`strategies.given.LIST_KINDS`) that it can use, where it is given the block's.
    uses_values : bool
        Whether it takes from such a list the values that transactions write, and so need not wait for any of them: the
        bound is another one then.
    redoes_operations : bool
        Whether, where a transaction has read something stale, it executes again only what depends on that: then a chain
        of transactions does not hold it up as long as the bound with locations says.
    knowledge : Knowledge
        What came with the block. Set before each block by who gives anything.
    reports_hints : bool
        Whether outcomes are to have `Outcome.hinted`.
    lists_accesses : bool
        Whether it can make a block's access list while it executes.
    makes_access_list : bool
        Whether outcomes are to have `Outcome.access_list`, made within the time.

    A strategy object may keep threads, processes and buffers from one call to the next: a node would. It keeps no
    result: the next run is of the same block, and would not be one. It is a context manager; `close` ends whatever it
    keeps.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""

    @abstractmethod
    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        """Execute `block` on `state`, which is left as it is after the block.

        Parameters
        ----------
        block : Block
        state : State
            The state before the block; altered in place. Callers that repeat a run restore a snapshot first.
        workers : int
            At least 1. A strategy that has one worker only (``parallel`` is False) ignores it.
        """

    parallel: ClassVar[bool] = True
    lists_accesses: ClassVar[bool] = False
    clocks: ClassVar[tuple[str, ...]] = ("wall",)
    clock: Clock = WALL
    takes: ClassVar[tuple[str, ...]] = ()
    given: ClassVar[str] = NOTHING
    list_kinds: ClassVar[tuple[str, ...]] = tuple(LIST_KINDS)
    uses_values: ClassVar[bool] = False
    redoes_operations: ClassVar[bool] = False
    knowledge: Knowledge = Knowledge()
    reports_hints: bool = False
    makes_access_list: bool = False

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "takes" in vars(cls) and "given" not in vars(cls):
            cls.given = cls.takes[0] if cls.takes else NOTHING

    def close(self) -> None:  # noqa: B027  # most strategies keep nothing that must be ended
        """End threads and processes, free buffers. Called once; the default has nothing to end."""

    def __enter__(self) -> Strategy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
