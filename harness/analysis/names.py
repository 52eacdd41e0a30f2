"""Names of locations: contracts by the workload, variables by the compiler's layout, keys by `slots`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from contend.evm import Block, Changes, Location
from contend.evm.drivers.recorder import Recording
from contend.harness.analysis.slot_search import Slot, SlotSearch
from contend.workloads.base import STORAGE_CLASSES, Scenario, Workload
from contend.workloads.contracts.storage_layout import storage_variables
from contend.workloads.contracts.storage_variable import StorageVariable

CLASSES = ("nonce", "balance", *STORAGE_CLASSES, "code")
OTHER_STORAGE = "other storage"


class Namer:
    """Names and classes of the locations of one block.

    Parameters
    ----------
    workload : Workload
    scenario : Scenario
        Its genesis as it was before the block.
    block : Block
    recording : Recording
        Of `block`.
    changes : Changes
        What the block changed.
    patience : int, optional
        As for `SlotSearch`; locations are then only searched for as far as `look_for` asks.
    """

    def __init__(
        self,
        workload: Workload,
        scenario: Scenario,
        block: Block,
        recording: Recording,
        changes: Changes,
        patience: int | None = None,
    ) -> None:
        self._classes: Mapping[str, str] = workload.classes
        named = scenario.accounts | scenario.contracts
        self._accounts = {bytes(address): name for name, address in named.items()}
        self._coinbase = block.environment.coinbase
        self._artifacts: dict[bytes, str] = {}
        layouts: dict[str, tuple[StorageVariable, ...]] = {}
        for name, address in scenario.contracts.items():
            artifact = workload.artifact(name)
            if artifact is not None:
                self._artifacts[bytes(address)] = artifact.contract
                if artifact.contract not in layouts:
                    layouts[artifact.contract] = storage_variables(artifact)
        contracts = {address: layouts[name] for address, name in self._artifacts.items()}
        self._search = SlotSearch(
            contracts, block, scenario.genesis, recording, changes, workload.computed_keys, patience,
            self._accounts,
        )  # fmt: skip
        self._slots: Mapping[tuple[bytes, int], Slot] = self._search.find() if patience is None else {}

    def look_for(self, locations: Collection[Location]) -> None:
        """Search for these; the state must be as it was before the block."""
        self._slots = self._search.find(locations)

    def name(self, location: Location) -> str:
        """Name of a location, for instance ``pool 3.packed`` or ``0xc0ffee.. balance``."""
        who = self._who(location.address)
        if location.kind != "storage":
            return f"{who} {location.kind}"
        found = self._slots.get((location.address, location.slot))
        if found is None:
            return f"{who} slot {_short(location.slot)}"
        keys = tuple(self._key(kind, key) for kind, key in zip(found.variable.key_types, found.keys, strict=True))
        return f"{who}.{found.variable.slot_name(keys, found.offset)}"

    def class_of(self, location: Location) -> str:
        """Class of a location, one of `CLASSES`."""
        if location.kind != "storage":
            return location.kind
        found = self._slots.get((location.address, location.slot))
        if found is None:
            return OTHER_STORAGE
        return self._classes.get(f"{self._artifacts[location.address]}.{found.variable.name}", OTHER_STORAGE)

    def is_named(self, location: Location) -> bool:
        """Whether a slot has a variable's name, or needs none."""
        return location.kind != "storage" or (location.address, location.slot) in self._slots

    def _who(self, address: bytes) -> str:
        name = self._accounts.get(address)
        if name is None:
            return "beneficiary" if address == self._coinbase else f"0x{address[:4].hex()}.."
        artifact = self._artifacts.get(address)
        return name if artifact is None or artifact == name.partition(" ")[0] else f"{name} ({artifact})"

    def _key(self, kind: str, key: int) -> str:
        """A mapping's key as text."""
        if kind != "address":
            return _short(key)
        address = key.to_bytes(20, "big")
        return self._accounts.get(address) or f"0x{address[:4].hex()}.."


def _short(number: int) -> str:
    return str(number) if number < 1 << 64 else f"0x{number:064x}"[:10] + ".."
