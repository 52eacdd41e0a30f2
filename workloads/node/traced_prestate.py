"""State before a block, from what a tracer says of the state before each of its transactions.

geth's ``prestateTracer`` shows, for each transaction, the accounts and slots that it touches as they were before that
transaction. An account or slot that no earlier transaction of the block touched was so before the block, too: the
first appearance counts.

One thing the tracer leaves out: accounts that were empty (versions differ in which of them, and ``includeEmpty``, which
ends it, is new). Who receives its first Ether in one transaction, or is created by it, would then appear first in a
later one, with what it has by then, and stand in the state before the block with that. So the differences are asked
for, too (``diffMode``): an account that a transaction leaves behind and that has not appeared until then was nothing
before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contend.workloads.files.fields import Field
from contend.workloads.files.prestate import read_prestate
from contend.workloads.node.node_error import REORGANISED, NodeError

if TYPE_CHECKING:
    from contend.evm.accounts import Account

TRACER = "prestateTracer"


def options(differences: bool, timeout_s: float) -> dict[str, Any]:
    """Options of ``debug_traceBlockByNumber``."""
    config = {"diffMode": True} if differences else {"includeEmpty": True}
    return {"tracer": TRACER, "tracerConfig": config, "timeout": f"{timeout_s:g}s"}


def results_of(answer: Field, hashes: Sequence[bytes]) -> list[Field]:
    """The tracer's result for each transaction of a block.

    Parameters
    ----------
    answer : Field
    hashes : sequence of bytes
        Of the block's transactions.

    Raises
    ------
    NodeError
        If it is not of these transactions, or one could not be traced.
    FieldError
        If it is malformed.
    """
    elements = answer.elements()
    if len(elements) != len(hashes):
        raise NodeError(f"the node has traced {len(elements)} of {len(hashes)} transactions")
    found = []
    for index, (element, expected) in enumerate(zip(elements, hashes, strict=True)):
        if element.get("error") is not None:
            raise NodeError(f"the node could not trace transaction {index}")
        named = element.get("txHash")
        if named is not None and named.octets(32) != expected:
            raise NodeError(f"the node has traced another block of this number: {REORGANISED}")
        found.append(element["result"])
    return found


def state_before(traces: Iterable[Field], differences: Iterable[Field]) -> dict[bytes, Account]:
    """Accounts before the block, by address.

    Parameters
    ----------
    traces, differences : iterable of Field
        The tracer's results in order, without and with ``diffMode``.

    Raises
    ------
    FieldError
        If one is malformed.
    """
    found: dict[bytes, Account] = {}
    nothing_before: set[bytes] = set()
    for trace, difference in zip(traces, differences, strict=True):
        for address, account in read_prestate(trace).items():
            known = found.get(address)
            if known is None:
                if address not in nothing_before:
                    found[address] = account
            elif _exists(known):
                found[address] = replace(known, storage={**account.storage, **known.storage})
            # Slots of an account that was empty have been written by this block.
        left = difference["post"]
        nothing_before |= {left.named(name).octets(20) for name in left.mapping()} - found.keys()
    return {address: _without_zeros(account) for address, account in found.items() if _exists(account)}


def codes_made(differences: Iterable[Field]) -> list[bytes]:
    """Codes that the transactions leave behind."""
    accounts = [account for one in differences for _, account in one["post"].items()]
    return [code.octets() for account in accounts if (code := account.get("code")) is not None]


def _without_zeros(account: Account) -> Account:
    return replace(account, storage={slot: word for slot, word in account.storage.items() if word})


def _exists(account: Account) -> bool:
    return bool(account.balance or account.nonce or account.code or any(account.storage.values()))
