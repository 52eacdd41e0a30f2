"""Workload base class: dials and a seed in, a scenario of genesis and blocks out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:  # Naming workloads and their dials must not wait for the compiler.
    import numpy as np
    import numpy.typing as npt

    from contend.evm import Block, Receipts, State, Transaction
    from contend.workloads.around_block import AroundBlock
    from contend.workloads.contracts.abi import Artifact

    Milliseconds = npt.NDArray[np.int64]

DialValue = int | float | str

STORAGE_CLASSES = ("token balance", "pool reserve", "counter", "allowance", "other storage")
"""Storage classes of variables. Nonces, balances and codes are classes of their own."""


@dataclass(frozen=True)
class Dial:
    """Parameter of a workload that moves contention.

    Attributes
    ----------
    name : str
    default : int, float or str
        Its type is the dial's type.
    summary : str
        One line for help and documents.
    low, high : int or float
        Inclusive range of a numeric dial.
    choices : tuple[str, ...]
        Allowed values of a text dial.
    """

    name: str
    default: DialValue
    summary: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @classmethod
    def zipf(cls, name: str, default: float, what: str) -> Dial:
        """Dial of the Zipf exponent of something, from 0 to 5."""
        return cls(name, default, f"Zipf exponent of {what}; 0 is uniform", 0.0, 5.0)

    @classmethod
    def share(cls, name: str, default: float, summary: str) -> Dial:
        """Dial of a share, from 0 to 1."""
        return cls(name, default, summary, 0.0, 1.0)

    @classmethod
    def weight(cls, name: str, default: float, what: str) -> Dial:
        """Dial of the weight of one kind of operation among others, from 0 to 1,000."""
        return cls(name, default, f"weight of {what}", 0.0, 1_000.0)


@dataclass(frozen=True)
class Preset:
    """Named set of values for some dials of a workload.

    Attributes
    ----------
    name : str
    summary : str
        One line that says what it stands for, and its source.
    dials : mapping
        Value by dial; the other dials keep their defaults.
    """

    name: str
    summary: str
    dials: Mapping[str, DialValue]


@dataclass
class Scenario:
    """Genesis and the blocks that follow it.

    Attributes
    ----------
    genesis : State
        State before the first block.
    blocks : list[Block]
    dials : dict
        Value of every dial of the workload, the defaults included.
    contracts : dict[str, bytes]
        Address, 20 bytes, of each deployed contract by name, for explanations.
    notes : dict[str, Any]
        Data of the workload's own for its `check`.
    arrivals : list of ndarray of int64, shape (transactions of the block,)
        Arrival times of each block's transactions, in milliseconds since the first block's interval began, ascending;
        empty where the workload has none.
    accounts : dict[str, bytes]
        Address, 20 bytes, of each account with a role by name, for explanations.
    access_lists : list of bytes or None
        Encoded access list (EIP-7928) that came with each block; empty where none did.
    around : AroundBlock or None
        What the one block does besides its transactions; None where it does nothing else.
    """

    genesis: State
    blocks: list[Block]
    dials: dict[str, DialValue]
    contracts: dict[str, bytes] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    arrivals: list[Milliseconds] = field(default_factory=list)
    accounts: dict[str, bytes] = field(default_factory=dict)
    access_lists: list[bytes | None] = field(default_factory=list)
    around: AroundBlock | None = None


class Workload(ABC):
    """Seeded generator of a genesis state and of blocks of real contract calls.

    Attributes
    ----------
    name, summary : str
    title : str
        What charts call it, where that is not its name.
    dials : tuple of Dial
    presets : tuple of Preset
    ends : tuple of two mappings, or None
        The same dials at a low and at a high end of contention, between which a search can aim at a given contention.
    artifacts : mapping
        Artifact of each contract in `Scenario.contracts`, by the first word of its name there; for explanations.
    classes : mapping
        Storage class of variables, one of `STORAGE_CLASSES`, by ``artifact.variable``; for explanations. What is not
        named is other storage.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    title: ClassVar[str] = ""
    dials: ClassVar[tuple[Dial, ...]]
    presets: ClassVar[tuple[Preset, ...]] = ()
    artifacts: ClassVar[Mapping[str, str]] = {}
    classes: ClassVar[Mapping[str, str]] = {}
    ends: ClassVar[tuple[Mapping[str, DialValue], Mapping[str, DialValue]] | None] = None

    def artifact(self, contract: str) -> Artifact | None:
        """Artifact of a contract by its name in `Scenario.contracts`; None where no layout is known.

        A plug-in with contracts of its own overrides this.
        """
        from contend.workloads.contracts.abi import load

        name = self.artifacts.get(contract.partition(" ")[0])
        return None if name is None else load(name)

    def computed_keys(self, transaction: Transaction) -> Iterable[tuple[int, ...]]:
        """Mapping keys that contracts compute from a transaction's data; for explanations.

        A tuple has an integer for each level of a mapping whose keys are integers. Keys that appear as they are
        (accounts, call data, words read, counters) are found without. Most workloads compute none.
        """
        return ()

    @abstractmethod
    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """Build a scenario: the same arguments give the same bytes on every machine.

        Parameters
        ----------
        dials : mapping
            Complete and already checked (`resolve_dials`).
        seed : int
            Non-negative.
        block_size : int
            Transactions in each block.
        blocks : int
            Number of blocks, each continuing where the one before ended.

        Returns
        -------
        Scenario
        """

    @abstractmethod
    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Violations of the workload's invariant, a line each; empty when it holds.

        Parameters
        ----------
        scenario : Scenario
        state : State
            After all blocks of `scenario`.
        """

    def check_receipts(self, scenario: Scenario, receipts: Receipts) -> list[str]:
        """Violations found in receipts, a line each. By default nothing is expected of them.

        Parameters
        ----------
        scenario : Scenario
        receipts : Receipts
            Of the first block, run serially.
        """
        return []
