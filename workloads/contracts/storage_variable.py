"""Storage variable: where a contract keeps something, and the names of its slots.

A slot inside a mapping is a hash of its keys, and a hash cannot be inverted; but an analysis of a block knows the keys
that its transactions can have used, and tries them.
"""

from __future__ import annotations

from dataclasses import dataclass


class LayoutError(ValueError):
    """Storage layout that no compiler writes. The message is one line that goes on after "its storage layout"."""


@dataclass(frozen=True)
class StorageVariable:
    """Storage variable of a contract.

    Attributes
    ----------
    name : str
    slot : int
        First slot.
    slot_count : int
        Slots from `slot` on; 1 for a mapping, whose elements are elsewhere.
    key_types : tuple[str, ...]
        Types of the keys of a mapping, the outermost first; empty for other variables.
    element_slots : int
        Slots of one element of a mapping.
    member_names : tuple[str, ...]
        Names of an element's slots, where they are known.
    is_key_first : bool
        Whether a mapping hashes the key before the slot, as Solidity's do, or behind it, as Vyper's do.
    item_slots : int
        Slots of one item, if the variable is the items of an array; otherwise 0.
    items_a_slot : int
        Items that share a slot.
    """

    name: str
    slot: int
    slot_count: int
    key_types: tuple[str, ...]
    element_slots: int
    member_names: tuple[str, ...]
    is_key_first: bool = False
    item_slots: int = 0
    items_a_slot: int = 1

    def slot_name(self, keys: tuple[str, ...], offset: int) -> str:
        """Name of one slot, for instance ``proposals[3].closed``.

        Parameters
        ----------
        keys : tuple[str, ...]
            Keys of the mapping as text, one for each of `key_types`.
        offset : int
            Slots from the first of the element, or of the variable.
        """
        name = self.name + "".join(f"[{key}]" for key in keys)
        if self.item_slots:
            number, offset = divmod(offset, self.item_slots)
            first = number * self.items_a_slot
            name += f"[{first}]" if self.items_a_slot == 1 else f"[{first}..{first + self.items_a_slot - 1}]"
        if self.member_names:
            return f"{name}.{self.member_names[offset]}"
        if self.item_slots:
            return f"{name}[{offset}]" if self.item_slots > 1 else name
        return f"{name}[{offset}]" if max(self.element_slots, self.slot_count) > 1 else name
