"""Contract storage read and written directly, by the compiler's own layout.

A genesis with thousands of balances would take minutes if each were minted by a transaction; writing the slots gives
the same state. Tests ask the contracts themselves, through their methods, whether it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workloads.abi import Artifact

if TYPE_CHECKING:
    from evm import State


class Storage:
    """The storage of one contract.

    Parameters
    ----------
    state : State
    address : bytes
        Of the contract.
    artifact : Artifact
        Where its variables lie.
    """

    def __init__(self, state: State, address: bytes, artifact: Artifact) -> None:
        from evm import mapping_slot

        self.state = state
        self.address = address
        self._slots = artifact.slots
        self._mapping_slot = mapping_slot

    def slot(self, variable: str, *keys: int | bytes) -> int:
        """Slot of a variable, or of an element of a ``HashMap`` (of ``HashMap``) by its keys.

        Parameters
        ----------
        variable : str
        *keys : int or bytes
            Integers, or addresses of 20 bytes.
        """
        words = [key if isinstance(key, int) else int.from_bytes(key, "big") for key in keys]
        return self._mapping_slot(self._slots[variable], *words)

    def get(self, variable: str, *keys: int | bytes, offset: int = 0) -> int:
        """The word of a variable or element; `offset` reaches the following slots of a struct or an array."""
        return self.state.storage(self.address, self.slot(variable, *keys) + offset)

    def set(self, value: int, variable: str, *keys: int | bytes, offset: int = 0) -> None:
        """Write the word of a variable or element."""
        self.state.set_storage(self.address, self.slot(variable, *keys) + offset, value)
