"""Public cases: small blocks of what went wrong in other engines, each with its reference and the right outcome.

The outcome is written by hand from the specification: what became of each transaction, gas where the report speaks of
gas, and what is left of the accounts that it speaks of. Of accounts that a case does not name, the comparison with
serial execution says enough.

Gas costs ten wei everywhere, of which seven are burned and three are the beneficiary's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from assembler import assemble

from contend.evm import Block, Environment, State, Transaction
from contend.evm.accounts import Account, World, load_accounts
from contend.evm.block import AccessList, Authorization
from contend.evm.crypto.keccak import keccak256

ETHER = 10**18
BASE_FEE, TIP = 7, 3
PRICE = BASE_FEE + TIP
TRANSFER = 21_000

ALICE, BOB, CAROL, DAVE = (bytes([0xA0, number]) + bytes(18) for number in range(4))
# Nobody has paid anything to these two.
EVE, FRANK = (bytes([0xE0, number]) + bytes(18) for number in range(2))
COINBASE = Environment().coinbase
RICH: World = dict.fromkeys((ALICE, BOB, CAROL, DAVE), Account(ETHER))

NOTHING_HASH = int.from_bytes(keccak256(b""), "big")


@dataclass(frozen=True)
class Now:
    """What is left of an account; what is None nobody asks for."""

    balance: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    storage: Mapping[int, int] | None = None


@dataclass(frozen=True)
class PublicCase:
    """Blocks, and what must become of the last one.

    Attributes
    ----------
    world : mapping
        Accounts before the first block.
    blocks : tuple of Block
    statuses : tuple of int
        Of the last block's transactions: 1 success, 0 failure, 2 refused.
    accounts : mapping
        What is left by address; None for an account that must not be there.
    gas, errors : mapping
        By place: what a transaction must use, and why it must have failed (`evm.errors`).
    cumulative_gas, first_logs : tuple of int, or None
        Of full receipts.
    """

    world: World
    blocks: tuple[Block, ...]
    statuses: tuple[int, ...]
    accounts: Mapping[bytes, Now | None]
    gas: Mapping[int, int] = field(default_factory=dict)
    errors: Mapping[int, int] = field(default_factory=dict)
    cumulative_gas: tuple[int, ...] | None = None
    first_logs: tuple[int, ...] | None = None

    def state(self) -> State:
        """A new state of the accounts before the first block."""
        state = State()
        load_accounts(state, self.world)
        return state


Make = Callable[[], PublicCase]
# By name; each function's docstring begins with its reference.
CASES: dict[str, Make] = {}


def public_case(make: Make) -> Make:
    """Have a function's case run with all others."""
    assert make.__doc__
    assert make.__name__ not in CASES
    CASES[make.__name__] = make
    return make


def send(
    sender: bytes,
    nonce: int,
    to: bytes | None,
    data: bytes = b"",
    value: int = 0,
    gas: int = 200_000,
    access_list: AccessList = (),
    authorizations: tuple[Authorization, ...] | None = None,
    tip: int = TIP,
) -> Transaction:
    """A transaction that pays `PRICE`."""
    return Transaction(
        sender,
        to,
        nonce,
        gas,
        value,
        data,
        max_fee=BASE_FEE + tip,
        max_priority_fee=tip,
        access_list=access_list,
        authorizations=authorizations,
    )


def block(
    *transactions: Transaction,
    fork: str = "Cancun",
    coinbase: bytes = COINBASE,
    gas_limit: int = 30_000_000,
    number: int = 20_000_000,
) -> Block:
    """A block whose order is binding, as that of a chain's is."""
    environment = Environment(number, gas_limit=gas_limit, base_fee=BASE_FEE, coinbase=coinbase, fork=fork)
    return Block(environment, transactions, binding_order=True)


def word(value: int | bytes) -> bytes:
    """32 bytes of call data."""
    return (value if isinstance(value, int) else int.from_bytes(value, "big")).to_bytes(32, "big")


def contract(source: str, balance: int = 0, storage: Mapping[int, int] | None = None) -> Account:
    """An account with code, as a creation would have left it."""
    return Account(balance, 1, assemble(source), storage or {})


# Writes down of the account in its first argument: hash of its code, its size and the balance, from the slot on that
# the second argument names.
WITNESS = bytes([0xC1]) * 20
WITNESS_SOURCE = (
    "0 CALLDATALOAD EXTCODEHASH 32 CALLDATALOAD SSTORE "
    "0 CALLDATALOAD EXTCODESIZE 32 CALLDATALOAD 1 ADD SSTORE "
    "0 CALLDATALOAD BALANCE 32 CALLDATALOAD 2 ADD SSTORE STOP"
)
COUNTER = bytes([0xC2]) * 20
COUNTER_SOURCE = "0 SLOAD 1 ADD 0 SSTORE STOP"


def look(sender: bytes, nonce: int, at: bytes, slot: int) -> Transaction:
    """Have the witness write an account down."""
    return send(sender, nonce, WITNESS, word(at) + word(slot))


def seen(code: bytes | None, balance: int, slot: int) -> dict[int, int]:
    """What the witness has written down; None for an account that is not there."""
    found = {slot: int.from_bytes(keccak256(code), "big") if code is not None else 0}
    found |= {slot + 1: len(code or b""), slot + 2: balance}
    return {place: value for place, value in found.items() if value}
