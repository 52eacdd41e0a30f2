"""Contract storage, read and written directly by the compiler's own layout.

A genesis with thousands of balances would take minutes if each were minted by a transaction; writing the slots gives
the same state. Tests ask the contracts themselves, through their methods, whether it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contend.workloads.contracts.abi import Artifact

if TYPE_CHECKING:
    from contend.evm import State


class Storage:
    """Storage of one contract.

    Parameters
    ----------
    state : State
    address : bytes
        Address of the contract, 20 bytes.
    artifact : Artifact
        Holds the layout of its variables.
    """

    def __init__(self, state: State, address: bytes, artifact: Artifact) -> None:
        from contend.evm import mapping_slot

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
        return self._mapping_slot(self._slots[variable], *map(_word, keys))

    def get(self, variable: str, *keys: int | bytes, offset: int = 0) -> int:
        """Word of a variable or element; `offset` reaches the following slots of a struct or an array."""
        return self.state.storage(self.address, self.slot(variable, *keys) + offset)

    def set(self, value: int | bytes, variable: str, *keys: int | bytes, offset: int = 0) -> None:
        """Write the word of a variable or element: an integer, or an address of 20 bytes."""
        self.state.set_storage(self.address, self.slot(variable, *keys) + offset, _word(value))


def _word(value: int | bytes) -> int:
    """Integer, or address of 20 bytes, as a word of 256 bits."""
    return value if isinstance(value, int) else int.from_bytes(value, "big")
