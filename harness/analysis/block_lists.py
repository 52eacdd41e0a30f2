"""Access lists of a workload's block: made by a strategy, summarised, and held against the right one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contend.evm import Block, CapacityError, State
from contend.evm.access_list import (
    FULL,
    AccessList,
    AccessListError,
    Difference,
    ListedOperations,
    access_list_content,
    decode,
    encode,
    first_difference,
    hash_of,
    list_operations,
    state_before,
)
from contend.evm.drivers.block_operations import BlockOperationError
from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import plan_workloads
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies import registry as strategies
from contend.strategies.compiled import NoAccessListError
from contend.strategies.serial import Serial
from contend.workloads import registry

SCHEMA_FILE = Path(__file__).with_name("access_list.schema.json")
TOP_ACCOUNTS = 10


@dataclass(frozen=True)
class ListedBlock:
    """A workload's first block, with the state before it.

    Attributes
    ----------
    title : str
        Of the workload.
    block : Block
    state : State
        Before its transactions.
    own_list : bytes or None
        That came with the block.
    names : mapping
        Of contracts and accounts with a role, by address.
    operations : ListedOperations or None
        What the block does before its transactions and after them, where it does.
    first : State or None
        Before those operations.
    """

    title: str
    block: Block
    state: State
    own_list: bytes | None
    names: Mapping[bytes, str]
    operations: ListedOperations | None = None
    first: State | None = None

    def whole(self, transactions: AccessList) -> AccessList:
        """The list of the whole block, given that of its transactions."""
        return transactions if self.operations is None else self.operations.joined(transactions)

    def whole_bytes(self, transactions: bytes) -> bytes:
        """The same, encoded."""
        return transactions if self.operations is None else encode(self.whole(decode(transactions)))


def listed_block(request: Request) -> ListedBlock:
    """Build the request's one workload.

    Raises
    ------
    BadInputError
        If it names no single workload, or its block needs more room than the largest machine has.
    """
    plans = plan_workloads(request)
    if len(plans) != 1:
        what = "block file" if request.blocks else "workload"
        raise BadInputError(f"{what}: a list is of one block; name one {what}, not {len(plans)}")
    plan = plans[0]
    scenario = registry.get(plan.name)().build(plan.dials, request.seed, request.block_size)
    block, state, around = scenario.blocks[0], scenario.genesis, scenario.around
    before = state.snapshot()
    first = None if around is None else around.before
    try:
        Serial().execute(block, state, 1)
        operations = None if around is None or first is None else list_operations(block, first, around.operations)
    except (CapacityError, BlockOperationError) as error:
        raise BadInputError(f"{plan.title}: {error}") from None
    finally:
        state.restore(before)
    names = {address: name for name, address in (scenario.accounts | scenario.contracts).items()}
    own = next(iter(scenario.access_lists), None) if around is None else around.access_list
    return ListedBlock(plan.title, block, state, own, names, operations, first)


def made_by(name: str, subject: ListedBlock, workers: int, kind: str) -> bytes:
    """The block's list, as a strategy makes it.

    Parameters
    ----------
    name : str
        A strategy, or a contender.
    subject : ListedBlock
    workers : int
    kind : str
        Of the encoding; strategies make the kind ``full``, and others follow from a serial run.

    Raises
    ------
    BadInputError
        If there is no such strategy, or if it makes no lists.
    """
    try:
        strategy = strategies.get(name)()
    except (strategies.UnknownName, strategies.PluginError) as error:
        raise BadInputError(str(error)) from None
    if kind != FULL:
        if name != Serial.name:
            raise BadInputError(f"kind {kind}: strategies make the kind {FULL}; leave --strategy out")
        return encode(_right(subject), kind)
    before = subject.state.snapshot()
    with strategy:
        strategy.makes_access_list = True
        strategy.knowledge = BlockKnowledge([subject.block], subject.state, Serial()).of(0, strategy.given)
        try:
            outcome = strategy.execute(subject.block, subject.state, workers)
        except NoAccessListError as error:
            raise BadInputError(f"{error}; give --strategy serial, for instance") from None
        finally:
            subject.state.restore(before)
    if outcome.access_list is None:
        raise BadInputError(f"strategy {name} makes no access list; give --strategy serial, for instance")
    return subject.whole_bytes(outcome.access_list)


def _right(subject: ListedBlock) -> AccessList:
    return subject.whole(access_list_content(subject.block, subject.state))


def difference_of(data: bytes, subject: ListedBlock, kind: str) -> Difference | None:
    """First difference of an encoded list from what a serial run touches."""
    first = subject.state if subject.first is None else subject.first
    return first_difference(data, _right(subject), len(subject.block), state_before(first), kind)


def flaw_of(data: bytes, subject: ListedBlock, kind: str) -> str | None:
    """What is wrong with an encoded list, in words: more items than the block's gas allows, or its first difference."""
    try:
        content = decode(data, kind)
    except AccessListError:
        return str(difference_of(data, subject, kind))
    try:
        content.check_size(subject.block.environment.gas_limit)
    except AccessListError as error:
        return str(error)
    difference = difference_of(data, subject, kind)
    return None if difference is None else str(difference)


def summary_of(content: AccessList, data: bytes, subject: ListedBlock, kind: str) -> dict[str, Any]:
    """Figures of a list of a block.

    Returns
    -------
    dict
        ``kind``, ``bytes``, ``bytes_per_transaction``, ``hash`` (of the kind full only: no header has another's),
        ``accounts``, ``items`` (addresses and slots, as EIP-7928 bounds them), ``entries`` by field; ``top``, the
        accounts with the most entries, each with its own; and ``came_with_block``: what is wrong with the list that
        came with the block, ``right`` where nothing is, or None where none came.
    """
    transactions = len(subject.block)
    entries = _entries(content)
    top = sorted(content, key=lambda account: (-account.entries, account.address))[:TOP_ACCOUNTS]
    return {
        "workload": subject.title,
        "kind": kind,
        "came_with_block": None if subject.own_list is None else _verdict(subject.own_list, subject),
        "transactions": transactions,
        "bytes": len(data),
        "bytes_per_transaction": len(data) / max(transactions, 1),
        "hash": "0x" + hash_of(data).hex() if kind == FULL else None,
        "accounts": len(content),
        "items": content.items,
        "entries": entries,
        "top": [
            {
                "address": account.name,
                "name": subject.names.get(account.address),
                "bytes": len(encode(AccessList((account,)), kind)),
                "entries": account.entries,
                **_entries(AccessList((account,))),
            }
            for account in top
        ],
    }


def _verdict(data: bytes, subject: ListedBlock) -> str:
    return flaw_of(data, subject, FULL) or "right"


def _entries(content: AccessList) -> Mapping[str, int]:
    return {
        "storage_changes": sum(len(changes) for account in content for _, changes in account.storage_changes),
        "storage_reads": sum(len(account.storage_reads) for account in content),
        "balance_changes": sum(len(account.balance_changes) for account in content),
        "nonce_changes": sum(len(account.nonce_changes) for account in content),
        "code_changes": sum(len(account.code_changes) for account in content),
    }
