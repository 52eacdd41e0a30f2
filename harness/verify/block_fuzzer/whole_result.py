"""What a whole block comes to, on either side, and how two results differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from contend.evm.accounts import Account
from contend.harness.verify.block_fuzzer.refusal_names import is_same_reason
from contend.harness.verify.full_receipts import FullReceipt


@dataclass(frozen=True)
class WholeResult:
    """What a block comes to.

    Attributes
    ----------
    refused : dict of int to str
        By place, why a transaction is not executed.
    receipts : dict of int to FullReceipt
        By place, of the others.
    encodings : dict of int to bytes
        The same as they are hashed.
    receipts_root, bloom : bytes
        What a header says of them.
    requests : bytes or None
        Hash of what the block asks of the consensus layer; None where its fork asks nothing.
    invalid : str or None
        Why the block as a whole is refused: a system contract that fails, a deposit's log that is none.
    accounts : mapping
        After the block; empty where it is refused.
    state_root : bytes or None
        Of all accounts; None where the block is refused.
    """

    refused: Mapping[int, str]
    receipts: Mapping[int, FullReceipt]
    encodings: Mapping[int, bytes]
    receipts_root: bytes
    bloom: bytes
    requests: bytes | None
    invalid: str | None
    accounts: Mapping[bytes, Account]
    state_root: bytes | None


# What a whole block comes to in one word, by the name that a line about it has.
_OF_BLOCK = {"receipts_root": "root of receipts", "bloom": "bloom filter", "requests": "requests"}


def differences(here: WholeResult, there: WholeResult) -> Iterator[str]:
    """How our result differs from the specification's, a line each, the first transaction first."""
    for place in sorted({*here.refused, *there.refused, *here.receipts, *there.receipts}):
        wrong = _of_transaction(place, here, there)
        if wrong is not None:
            yield f"transaction {place}: {wrong}"
    if (here.invalid is None) != (there.invalid is None):
        yield f"block: {_refusal(here.invalid)} here, {_refusal(there.invalid)} by the specification"
        return
    for name, title in _OF_BLOCK.items():
        if getattr(here, name) != getattr(there, name):
            yield f"{title}: {_both(getattr(here, name), getattr(there, name))}"
    for address in sorted({*here.accounts, *there.accounts}):
        ours, theirs = here.accounts.get(address), there.accounts.get(address)
        if ours != theirs:
            yield f"account 0x{address.hex()}: {_account_difference(ours, theirs)}"
    if here.accounts == there.accounts and here.state_root != there.state_root:
        yield f"state root: {_both(here.state_root, there.state_root)}"


def _of_transaction(place: int, here: WholeResult, there: WholeResult) -> str | None:
    ours, theirs = here.receipts.get(place), there.receipts.get(place)
    mine, other = here.refused.get(place), there.refused.get(place)
    if ours is None and theirs is None and is_same_reason(mine or "", other or ""):
        return None
    if ours is None or theirs is None:
        return f"{_refusal(mine)} here, {_refusal(other)} by the specification"
    for name in (one.name for one in fields(FullReceipt)):
        if getattr(ours, name) != getattr(theirs, name):
            return f"{name} {_shown(getattr(ours, name))} here, {_shown(getattr(theirs, name))} by the specification"
    if here.encodings[place] != there.encodings[place]:
        return "another encoding of its receipt"
    return None


def _refusal(reason: str | None) -> str:
    return "accepted" if reason is None else f"refused ({reason})"


def _shown(value: object) -> str:
    return _short(value) if isinstance(value, bytes) else str(value)


def _both(ours: bytes | None, theirs: bytes | None) -> str:
    return f"{_short(ours)} here, {_short(theirs)} by the specification"


def _short(value: bytes | None) -> str:
    if value is None:
        return "none"
    return f"0x{value.hex()}" if len(value) <= 32 else f"0x{value[:16].hex()}... ({len(value)} bytes)"


def _account_difference(ours: Account | None, theirs: Account | None) -> str:
    if ours is None:
        return f"absent here, {theirs} by the specification"
    if theirs is None:
        return f"{ours} here, absent by the specification"
    for name in ("balance", "nonce", "code"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        if mine != other:
            return f"{name} {_shown(mine)} here, {_shown(other)} by the specification"
    slots = sorted(s for s in {*ours.storage, *theirs.storage} if ours.storage.get(s) != theirs.storage.get(s))
    slot = slots[0]
    return (
        f"storage[{slot:#x}] {ours.storage.get(slot, 0):#x} here, {theirs.storage.get(slot, 0):#x} by the specification"
    )
