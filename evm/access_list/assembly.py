"""Assembly of a block access list from what was read and written when: plain Python, the reference for the kernels.

Also open to what a block does outside of its transactions: writes with index 0 and n + 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contend.evm import layout
from contend.evm.access_list.building.access_log import IS_READ, IS_TOUCH, IS_WRITE, AccessLog
from contend.evm.access_list.list_content import AccessList, AccountChanges, Readers
from contend.evm.state import State, location_of, word_to_int

_STORAGE, _BALANCE, _NONCE, _CODE = layout.KIND_NAMES


@dataclass
class _Account:
    """An account while its changes are gathered; every mapping is from index to value, or to nothing."""

    slots: dict[int, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    changes: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    codes: dict[int, bytes] = field(default_factory=dict)
    credited: set[int] = field(default_factory=set)
    slot_readers: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))


class Assembly:
    """A block access list while it is made.

    Accesses come in any order, but a location's last write at an index counts.
    """

    def __init__(self) -> None:
        self._accounts: dict[bytes, _Account] = defaultdict(_Account)
        self._readers: dict[tuple[bytes, str], set[int]] = defaultdict(set)

    def touch(self, address: bytes) -> None:
        """Name an account, whatever is read or written of it."""
        self._accounts[address]

    def read(self, address: bytes, kind: str, slot: int, index: int) -> None:
        """Note a read; of anything but storage it does not name the account."""
        if kind == _STORAGE:
            self._accounts[address].slot_readers[slot].add(index)
        else:
            self._readers[address, kind].add(index)

    def write(self, address: bytes, kind: str, slot: int, index: int, value: int) -> None:
        """Note a changed slot, balance or nonce, with its value after the index."""
        account = self._accounts[address]
        if kind == _STORAGE:
            account.slots[slot][index] = value
        else:
            account.changes[kind][index] = value

    def credit(self, address: bytes, index: int, value: int) -> None:
        """Note a balance that is another after an index at which nobody wrote it: it was paid a fee."""
        self.write(address, _BALANCE, 0, index, value)
        self._accounts[address].credited.add(index)

    def deploy(self, address: bytes, index: int, code: bytes) -> None:
        """Note a changed code."""
        self._accounts[address].codes[index] = code

    def finish(self) -> AccessList:
        """The list of all that was noted."""
        return AccessList(tuple(self._finished(address, self._accounts[address]) for address in sorted(self._accounts)))

    def _finished(self, address: bytes, account: _Account) -> AccountChanges:
        slots = account.slots
        slot_readers = [
            (slot, tuple(sorted(readers - set(slots.get(slot, ())))))
            for slot, readers in sorted(account.slot_readers.items())
        ]
        writers: dict[str, Mapping[int, Any]] = {
            _BALANCE: account.changes[_BALANCE],
            _NONCE: account.changes[_NONCE],
            _CODE: account.codes,
        }
        balance, nonce, code = (
            tuple(sorted(self._readers.get((address, kind), set()) - (set(writers[kind]) - account.credited)))
            for kind in writers
        )
        return AccountChanges(
            address,
            tuple((slot, tuple(sorted(changes.items()))) for slot, changes in sorted(slots.items())),
            tuple(sorted(slot for slot in account.slot_readers if slot not in slots)),
            tuple(sorted(account.changes[_BALANCE].items())),
            tuple(sorted(account.changes[_NONCE].items())),
            tuple(sorted(account.codes.items())),
            Readers(tuple((slot, readers) for slot, readers in slot_readers if readers), balance, nonce, code),
        )


def assemble(
    log: AccessLog, state: State, coinbase: bytes, balance: int, fees: Sequence[int], invalid: Sequence[bool]
) -> AccessList:
    """List of a block whose transactions have been logged.

    Parameters
    ----------
    log : AccessLog
    state : State
        For the codes.
    coinbase : bytes
        The beneficiary, who is named once a transaction was executed.
    balance : int
        Of the beneficiary before the block.
    fees : sequence of int
        Wei that each transaction paid to the beneficiary.
    invalid : sequence of bool
        Whether each transaction had no effect.
    """
    made = Assembly()
    keys, marks, found, indices = log.records()
    locations = [location_of(key) for key in keys]
    for location, mark in zip(locations, marks.tolist(), strict=True):
        if mark & int(IS_TOUCH):
            made.touch(location.address)
    if not all(invalid):
        made.touch(coinbase)
    paid: dict[int, int] = {}
    for location, mark, row, index in zip(locations, marks.tolist(), found, indices.tolist(), strict=True):
        address, kind, slot, _ = location
        if mark & int(IS_READ):
            made.read(address, kind, slot, index)
        if not mark & int(IS_WRITE):
            continue
        word = word_to_int(row)
        if kind == _CODE:
            made.deploy(address, index, _code(state, word))
        elif kind == _BALANCE and address == coinbase:
            paid[index] = word
        else:
            made.write(address, kind, slot, index, word)
    for index in range(len(fees) + 2):
        after = (paid.get(index, balance) + (fees[index - 1] if 1 <= index <= len(fees) else 0)) % 2**256
        if after != balance and index in paid:
            made.write(coinbase, _BALANCE, 0, index, after)
        elif after != balance:
            made.credit(coinbase, index, after)
        balance = after
    return made.finish()


def _code(state: State, word: int) -> bytes:
    return bytes(state.codes[state.codes.number_of(word.to_bytes(32, "big"))].code) if word else b""
