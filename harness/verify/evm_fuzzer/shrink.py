"""Making a failing case small, and printing it so that it can be read.

As delta debugging does (Zeller and Hildebrandt, IEEE TSE 2002): drop a part, keep the rest if it still fails; first
large parts, then smaller ones, down to single instructions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from contend.evm import opcodes as op
from contend.evm.accounts import Account
from contend.harness.verify.evm_fuzzer.random_programs import SENDER, ProgramCase

T = TypeVar("T")


def instructions(code: bytes) -> list[bytes]:
    """Split code into instructions, each with its push data."""
    found, at = [], 0
    while at < len(code):
        width = code[at] - op.PUSH0 if op.PUSH0 <= code[at] <= op.PUSH32 else 0
        found.append(code[at : at + 1 + width])
        at += 1 + width
    return found


def _with_account(case: ProgramCase, address: bytes, account: Account | None) -> ProgramCase:
    world = {other: one for other, one in case.world.items() if other != address}
    if account is not None:
        world[address] = account
    return replace(case, world=world)


def smaller_lists(parts: list[T]) -> Iterator[list[T]]:
    """The same without some that stand together, first without many."""
    size = len(parts)
    while size:
        for at in range(0, len(parts), size):
            yield parts[:at] + parts[at + size :]
        size //= 2


def _candidates(case: ProgramCase) -> Iterator[ProgramCase]:
    """Every case that is one part smaller."""
    transaction = case.transaction
    for address, account in case.world.items():
        if address not in (SENDER, transaction.to):
            yield _with_account(case, address, None)
        if account.storage:
            yield _with_account(case, address, replace(account, storage={}))
        for slot in account.storage:
            fewer = {other: word for other, word in account.storage.items() if other != slot}
            yield _with_account(case, address, replace(account, storage=fewer))
        for parts in smaller_lists(instructions(account.code)):
            yield _with_account(case, address, replace(account, code=b"".join(parts)))
    for size in (0, len(transaction.data) // 2, len(transaction.data) - 1):
        if 0 <= size < len(transaction.data):
            yield replace(case, transaction=replace(transaction, data=transaction.data[:size]))
    if transaction.value:
        yield replace(case, transaction=replace(transaction, value=0))


def shrink(case: ProgramCase, fails: Callable[[ProgramCase], bool], patience: int = 20_000) -> ProgramCase:
    """The smallest case that still fails, as far as single steps lead; at most `patience` cases are tried."""
    tried = 0
    smaller = True
    while smaller and tried < patience:
        smaller = False
        for candidate in _candidates(case):
            tried += 1
            if fails(candidate):
                case, smaller = candidate, True
                break
            if tried >= patience:
                break
    return case


def assembly(code: bytes) -> Iterator[str]:
    """Code as lines that can be read: position, name, push data."""
    at = 0
    for part in instructions(code):
        name = op.NAMES.get(part[0], f"0x{part[0]:02x}")
        yield f"{at:5} {name}{' 0x' + part[1:].hex() if len(part) > 1 else ''}"
        at += len(part)


def describe(case: ProgramCase) -> Iterator[str]:
    """A case as lines: the transaction, then each account with its code."""
    t = case.transaction
    to = "creates" if t.to is None else f"to 0x{t.to.hex()}"
    yield f"transaction from 0x{t.sender.hex()} {to}: value {t.value}, gas {t.gas_limit}, data 0x{t.data.hex()}"
    for address, account in case.world.items():
        slots = "".join(f", slot {slot:#x} = {word:#x}" for slot, word in account.storage.items())
        yield f"account 0x{address.hex()}: {account.balance} wei, nonce {account.nonce}{slots}"
        yield from assembly(account.code)
