"""Block access lists (EIP-7928): what a right one has, and wrong ones that other engines took for right.

Contend holds such lists against what a block touches under the forks that it has; the gas of the fork that brings them
is not among these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from contend.evm.access_list import AccessList, AccountChanges
from contend.evm.drivers.genesis import contract_address
from tests.cases.public_case import (
    ALICE,
    BOB,
    CAROL,
    COINBASE,
    COUNTER,
    COUNTER_SOURCE,
    DAVE,
    EVE,
    RICH,
    WITNESS,
    WITNESS_SOURCE,
    Now,
    PublicCase,
    block,
    contract,
    look,
    public_case,
    send,
)

Change = Callable[[AccountChanges], AccountChanges | None]

REVERTING = bytes([0xC7]) * 20
WITH_CONTRACTS = {
    **RICH,
    COUNTER: contract(COUNTER_SOURCE),
    # Reads slot 5, and stores in slot 6 before it fails.
    REVERTING: contract("5 SLOAD POP 1 6 SSTORE 0 0 REVERT", storage={5: 9}),
    WITNESS: contract(WITNESS_SOURCE),
}


@public_case
def reads_that_outlive_a_revert() -> PublicCase:
    """erigon#20660, erigon#21333: a store that is taken back was a read; so is a look at nobody."""
    acts = (send(ALICE, 0, REVERTING), send(BOB, 0, COUNTER), look(CAROL, 0, EVE, 3), send(DAVE, 0, COUNTER))
    return PublicCase(
        WITH_CONTRACTS,
        (block(*acts),),
        (0, 1, 1, 1),
        {REVERTING: Now(storage={5: 9}), COUNTER: Now(storage={0: 2}), EVE: None, WITNESS: Now(storage={})},
    )


GONE = contract_address(ALICE, 0)


@public_case
def reads_of_a_destroyed_account() -> PublicCase:
    """erigon#23407, erigon#23541: who lived within one transaction is on the list, with nothing that has changed."""
    # CALLER SELFDESTRUCT, as init code.
    acts = (send(ALICE, 0, None, bytes.fromhex("33ff")), look(BOB, 0, GONE, 3), send(CAROL, 0, DAVE))
    return PublicCase(WITH_CONTRACTS, (block(*acts),), (1, 1, 1), {GONE: None, WITNESS: Now(storage={})})


@public_case
def reward_of_zero_on_the_list() -> PublicCase:
    """besu#9352, besu#10010: the beneficiary is on the list of any block with transactions, changed or not."""
    acts = (send(ALICE, 0, DAVE, tip=0), send(BOB, 0, DAVE, value=1, tip=0))
    return PublicCase(RICH, (block(*acts),), (1, 1), {COINBASE: None})


# What the lists of these cases have of some accounts, by hand: slots changed with (index, word after it), slots read,
# balances, nonces, codes.
LISTED: Mapping[str, tuple[AccountChanges, ...]] = {
    "reads_that_outlive_a_revert": (
        AccountChanges(REVERTING, (), (5, 6)),
        AccountChanges(COUNTER, ((0, ((2, 1), (4, 2))),)),
        AccountChanges(WITNESS, (), (3, 4, 5)),
        AccountChanges(EVE),
    ),
    "reads_of_a_destroyed_account": (
        AccountChanges(GONE),
        AccountChanges(WITNESS, (), (3, 4, 5)),
    ),
    "reward_of_zero_on_the_list": (AccountChanges(COINBASE),),
}


@dataclass(frozen=True)
class WrongList:
    """A list that must be refused: what is done to one account of the right one.

    Attributes
    ----------
    reference : str
    address : bytes
    change : callable
        None takes the account off the list.
    """

    reference: str
    address: bytes
    change: Change

    def of(self, right: AccessList) -> AccessList:
        """The list with the change."""
        changed = ((self.change(one) if one.address == self.address else one) for one in right)
        found = AccessList(tuple(one for one in changed if one is not None))
        assert found != right
        return found


# Of `reads_that_outlive_a_revert`, in which the counter goes from 0 to 2 by transactions 1 and 3.
WRONG_LISTS = {
    "another_value": WrongList(
        "reth#24061",  # the list was made anew, and then compared with itself
        COUNTER,
        lambda one: replace(one, storage_changes=((0, ((2, 1), (4, 3))),)),
    ),
    "missing_read": WrongList("ethrex#7109, ethrex#7122", REVERTING, lambda one: replace(one, storage_reads=(6,))),
    "missing_account": WrongList("execution-specs#3551", EVE, lambda one: None),
    "no_op_entry": WrongList(
        "ethrex#6995", COUNTER, lambda one: replace(one, storage_changes=((0, ((2, 1), (3, 1), (4, 2))),))
    ),
    "missing_write": WrongList("ethrex#6995", COUNTER, lambda one: replace(one, storage_changes=((0, ((4, 2),)),))),
    "write_declared_as_read": WrongList(
        "ethrex#6995", COUNTER, lambda one: replace(one, storage_changes=(), storage_reads=(0,))
    ),
    "read_declared_as_write": WrongList(
        "execution-specs#3551",
        REVERTING,
        lambda one: replace(one, storage_changes=((6, ((1, 1),)),), storage_reads=(5,)),
    ),
    "entry_of_nobody": WrongList("execution-specs#3551", COUNTER, lambda one: replace(one, storage_reads=(1,))),
}
