"""Access lists of transactions (EIP-2930), as wallets get them: from an execution ahead of inclusion.

A wallet asks a node (``eth_createAccessList``), which executes the transaction and lists what it touches. Here the
blocks are executed once in their order when they are built, so that a list says what its transaction will really touch:

- ``exact``: each transaction has its list.
- ``partial``: half of the transactions, drawn at random, have theirs, and the others none. A wallet makes the list or
  does not; it hardly makes half of one.

As nodes do it, a list leaves out accounts that are accessed from the start anyway (the sender, the called one, the
beneficiary, precompiled contracts), unless slots of theirs are touched. Accounts and slots are in ascending order.

A list costs gas (2,400 for an account, 1,900 for a slot) and makes first accesses cheaper, by about as much. So limits
are raised by what the list costs, senders have that much more ether, and gas, fees and digests differ from those of the
same block without lists; what transactions do does not.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from contend.workloads.base import Dial
from contend.workloads.building.sampling import RandomStream

if TYPE_CHECKING:
    from contend.evm import Block, State, Transaction
    from contend.evm.block import AccessList
    from contend.evm.drivers.recorder import Recording
    from contend.evm.state import Location

NONE, EXACT, PARTIAL = "none", "exact", "partial"
ACCESS_LISTS = Dial(
    "access_lists",
    NONE,
    "which transactions carry an access list (EIP-2930): none, each, or half of them; it changes gas",
    choices=(NONE, EXACT, PARTIAL),
)
LISTED_SHARE = 0.5  # of the transactions, where lists are partial
LAST_PRECOMPILE = 0x0A


def add_access_lists(kind: str, state: State, blocks: list[Block], stream: RandomStream) -> list[Block]:
    """Give transactions their access lists, and senders the ether that these can cost.

    Parameters
    ----------
    kind : str
        `NONE`, `EXACT` or `PARTIAL`.
    state : State
        Before the first block. Only balances are changed.
    blocks : list of Block
        In a row.
    stream : RandomStream
        Says who has a list, where not everybody has.

    Returns
    -------
    list of Block
        The same ones if there are to be no lists.
    """
    if kind == NONE:
        return blocks
    import numpy as np

    from contend.evm.code import cost_model
    from contend.evm.drivers.recorder import record

    drawn = stream.chance(1.0 if kind == EXACT else LISTED_SHARE, sum(map(len, blocks))).tolist()
    ahead, nothing = state.copy(), np.zeros(cost_model.COUNT, np.uint64)
    listed, at = [], 0
    for block in blocks:
        lists = _lists(block, record(block, ahead, nothing, keep=True))
        carried = drawn[at : at + len(block)]
        at += len(block)
        transactions = tuple(
            _with_list(transaction, found) if carries else transaction
            for transaction, found, carries in zip(block, lists, carried, strict=True)
        )
        listed.append(dataclasses.replace(block, transactions=transactions))
    _fund(state, listed)
    return listed


def list_gas(access_list: AccessList) -> int:
    """Gas that a transaction pays for its access list."""
    from contend.evm.vm.gas import GAS_ACCESS_LIST_ADDRESS, GAS_ACCESS_LIST_STORAGE_KEY

    slots = sum(len(slots) for _, slots in access_list)
    return int(GAS_ACCESS_LIST_ADDRESS) * len(access_list) + int(GAS_ACCESS_LIST_STORAGE_KEY) * slots


def _lists(block: Block, recording: Recording) -> list[AccessList]:
    """Access list of each transaction of a block that was recorded."""
    from contend.evm.state import location_of

    places = {int(number): location_of(recording.keys[number]) for number in set(recording.locations.tolist())}
    bounds, found = recording.offsets.tolist(), recording.locations.tolist()
    return [
        _list_of(transaction, block.environment.coinbase, [places[number] for number in found[first:last]])
        for transaction, first, last in zip(block, bounds, bounds[1:], strict=False)
    ]


def _list_of(transaction: Transaction, coinbase: bytes, touched: list[Location]) -> AccessList:
    warm = {transaction.sender, transaction.to, coinbase}
    slots: dict[bytes, set[int]] = {}
    for location in touched:
        if location.kind == "storage":
            slots.setdefault(location.address, set()).add(location.slot)
        elif location.address not in warm and int.from_bytes(location.address, "big") > LAST_PRECOMPILE:
            slots.setdefault(location.address, set())
    return tuple((address, tuple(sorted(slots[address]))) for address in sorted(slots))


def _with_list(transaction: Transaction, access_list: AccessList) -> Transaction:
    return dataclasses.replace(
        transaction, access_list=access_list, gas_limit=transaction.gas_limit + list_gas(access_list)
    )


def _fund(state: State, blocks: list[Block]) -> None:
    """Add to each sender's balance what its lists can cost."""
    owed: dict[bytes, int] = {}
    for block in blocks:
        for transaction in block:
            if transaction.access_list:
                cost = list_gas(transaction.access_list) * transaction.max_fee
                owed[transaction.sender] = owed.get(transaction.sender, 0) + cost
    for sender, wei in owed.items():
        state.set_balance(sender, state.balance(sender) + wei)
