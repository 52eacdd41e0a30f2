"""What a whole block comes to, on either side, and how two results differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from contend.evm.accounts import Account
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
    requests : bytes or None
        Hash of what the block asks of the consensus layer; None where its fork asks nothing.
    invalid : str or None
        Why the block as a whole is refused: a system contract that fails, a deposit's log that is none.
    accounts : mapping
        After the block; empty where it is refused.
    """

    refused: Mapping[int, str]
    receipts: Mapping[int, FullReceipt]
    encodings: Mapping[int, bytes]
    requests: bytes | None
    invalid: str | None
    accounts: Mapping[bytes, Account]


def differences(here: WholeResult, there: WholeResult) -> Iterator[str]:
    """How our result differs from the specification's, a line each, the first transaction first."""
    for place in sorted({*here.refused, *there.refused, *here.receipts, *there.receipts}):
        wrong = _of_transaction(place, here, there)
        if wrong is not None:
            yield f"transaction {place}: {wrong}"
    if (here.invalid is None) != (there.invalid is None):
        yield f"block: {_refusal(here.invalid)} here, {_refusal(there.invalid)} by the specification"
        return
    if here.requests != there.requests:
        yield f"requests: {_short(here.requests)} here, {_short(there.requests)} by the specification"
    for address in sorted({*here.accounts, *there.accounts}):
        ours, theirs = here.accounts.get(address), there.accounts.get(address)
        if ours != theirs:
            yield f"account 0x{address.hex()}: {_account_difference(ours, theirs)}"


def _of_transaction(place: int, here: WholeResult, there: WholeResult) -> str | None:
    ours, theirs = here.receipts.get(place), there.receipts.get(place)
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        return f"{_refusal(here.refused.get(place))} here, {_refusal(there.refused.get(place))} by the specification"
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
