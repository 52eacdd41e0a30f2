"""The common face of all workloads: dials in, a scenario out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:  # Naming workloads and their dials must not wait for the compiler.
    import numpy as np
    import numpy.typing as npt

    from evm import Block, Receipts, State, Transaction
    from workloads.abi import Artifact

    Milliseconds = npt.NDArray[np.int64]

DialValue = int | float | str

STORAGE_CLASSES = ("token balance", "pool reserve", "counter", "allowance", "other storage")
"""Classes of storage variables. Nonces, balances and codes are classes of their own."""


@dataclass(frozen=True)
class Dial:
    """A workload parameter that moves contention.

    Attributes
    ----------
    default : int, float or str
        Its type is the dial's type.
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


@dataclass(frozen=True)
class Preset:
    """Values for some dials of a workload, under a name.

    Attributes
    ----------
    name : str
    summary : str
        What it stands for, and its source.
    dials : mapping
        Value by dial; the other dials keep their defaults.
    """

    name: str
    summary: str
    dials: Mapping[str, DialValue]


@dataclass
class Scenario:
    """A genesis and the blocks that follow it.

    Attributes
    ----------
    genesis : State
        The state before the first block.
    blocks : list[Block]
    dials : dict
        Every dial of the workload with the value in force, the defaults included.
    contracts : dict[str, bytes]
        Addresses of the deployed contracts by name, for explanations.
    accounts : dict[str, bytes]
        Addresses of accounts with a role, by name, for explanations.
    notes : dict[str, Any]
        Whatever the workload's own `check` needs again.
    arrivals : list of ndarray of int64
        For each block, when its transactions arrived, in milliseconds since the first block's interval began and
        ascending; empty where the workload does not say.
    """

    genesis: State
    blocks: list[Block]
    dials: dict[str, DialValue]
    contracts: dict[str, bytes] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    arrivals: list[Milliseconds] = field(default_factory=list)
    accounts: dict[str, bytes] = field(default_factory=dict)


class Workload(ABC):
    """A seeded generator of a genesis state and of blocks of real contract calls.

    Attributes
    ----------
    name, summary : str
    dials : tuple of Dial
    presets : tuple of Preset
    ends : tuple of two mappings, or None
        The same dials at a calm and at a hot end, between which contention can be aimed at (`harness.analysis.target`).
    artifacts : mapping
        For explanations: the artifact of each contract in `Scenario.contracts`, by the first word of its name there.
    classes : mapping
        For explanations: what a variable is to those who conflict at it, by ``artifact.variable``: one of
        `STORAGE_CLASSES`. What is not named is other storage.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    dials: ClassVar[tuple[Dial, ...]]
    presets: ClassVar[tuple[Preset, ...]] = ()
    artifacts: ClassVar[Mapping[str, str]] = {}
    classes: ClassVar[Mapping[str, str]] = {}
    ends: ClassVar[tuple[Mapping[str, DialValue], Mapping[str, DialValue]] | None] = None

    def artifact(self, contract: str) -> Artifact | None:
        """Artifact of a contract by its name in `Scenario.contracts`; None where no layout is known.

        A package whose contracts are its own overrides this.
        """
        from workloads.abi import load

        name = self.artifacts.get(contract.partition(" ")[0])
        return None if name is None else load(name)

    def computed_keys(self, transaction: Transaction) -> Iterable[tuple[int, ...]]:
        """Numbers that contracts compute of what a transaction brings, and use as keys of mappings: for explanations.

        A tuple has a number for each level of a mapping whose keys are numbers. Keys that are in sight (accounts, call
        data, words read, counters) are found without. Most workloads have none.
        """
        return ()

    @abstractmethod
    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """Make a scenario: the same arguments give the same bytes on every machine.

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
        """

    @abstractmethod
    def check(self, scenario: Scenario, state: State) -> list[str]:
        """The invariant: what `state`, after all blocks of `scenario`, violates. Empty when all is well."""

    def check_receipts(self, scenario: Scenario, receipts: Receipts) -> list[str]:
        """What the receipts of the first block, run serially, violate. By default nothing is expected of them."""
        return []
