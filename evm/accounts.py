"""States by account: how files write them down, and how a state root counts them.

A state of locations does not say by itself whether an account exists. These rules do:

- An account is what has a balance, a nonce, code or storage (EIP-161: an account that has none of them is none).
- An account that has storage but neither code nor nonce is marked by a code word that is the hash of nothing
  (`evm.code.directory.EMPTY_HASH`), so that creating a contract there fails (EIP-7610).
- Storage of another generation than the account's is void: it was left when the account was destroyed (SELFDESTRUCT
  before Cancun, `evm.vm.storage_generation`). So is storage of an account whose code word and nonce are zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from contend.evm.state import State, location_of, word_to_int


@dataclass(frozen=True)
class Account:
    """An account as plain values."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)


World = Mapping[bytes, Account]


def load_accounts(state: State, world: World) -> None:
    """Write accounts to a state.

    Raises
    ------
    ValueError
        If a number is no 256-bit word, naming account and field.
    """
    for address, account in world.items():
        state.set_balance(address, account.balance)
        state.set_nonce(address, account.nonce)
        state.set_code(address, account.code)
        stored = {slot: value for slot, value in account.storage.items() if value}
        for slot, value in stored.items():
            state.set_storage(address, slot, value)
        if stored and not account.code and not account.nonce:
            state.mark_storage(address)


def accounts_of(state: State) -> dict[bytes, Account]:
    """Every account of a state."""
    keys, values = state.keys, state.values
    present = values.any(axis=1)
    parts: dict[bytes, dict[str, int]] = {}
    storage: dict[tuple[bytes, int], dict[int, int]] = {}
    generations: dict[bytes, int] = {}
    for key, row in zip(keys[present], np.ascontiguousarray(values[present]), strict=True):
        location, word = location_of(key), word_to_int(row)
        if location.kind == "generation":
            generations[location.address] = word
            continue
        fields = parts.setdefault(location.address, {})
        if location.kind == "storage":
            storage.setdefault((location.address, location.generation), {})[location.slot] = word
        else:
            fields[location.kind] = word
    found = {}
    for address, fields in parts.items():
        has_storage = "code" in fields or "nonce" in fields
        stored = storage.get((address, generations.get(address, 0)), {}) if has_storage else {}
        if fields or stored:
            found[address] = Account(fields.get("balance", 0), fields.get("nonce", 0), state.code(address), stored)
    return found


def new_state(world: World) -> State:
    """A state with these accounts and no others."""
    locations = sum(3 + len(account.storage) for account in world.values())
    state = State(max(1 << 10, 1 << locations.bit_length()))
    load_accounts(state, world)
    return state
