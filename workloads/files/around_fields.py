"""What a block file says of what its block does besides its transactions, and of what came of it.

Where `pre` is the state before the block's system calls, all that a block does is done (``pre_is``, ``preIs`` of a
client's answer). It usually is the state after them, as a client traces its transactions: then contracts that the
block calls afterwards are missing as a rule, and nothing around the transactions is executed, unless the file claims to
hold the whole state (``pre_is_whole``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contend.workloads.around_block import HeaderRoots
from contend.workloads.files.fields import Field

if TYPE_CHECKING:
    from contend.evm.drivers.block_operations import Operations, Uncle, Withdrawal
    from contend.evm.forks import Fork

BEFORE, AFTER = "before system calls", "after system calls"


@dataclass(frozen=True)
class AroundFields:
    """What is read of a file.

    Attributes
    ----------
    operations : Operations
    is_before : bool
        Whether the prestate is that before the block's system calls.
    is_whole : bool
        Whether it is the whole state of a chain.
    roots : HeaderRoots
        None of them where the block is executed under rules that were not its own, and the file does not claim to
        hold the whole state.
    """

    operations: Operations
    is_before: bool
    is_whole: bool
    roots: HeaderRoots

    @property
    def executes(self) -> bool:
        """Whether operations can be executed."""
        return self.is_before or self.is_whole


def read_around(
    document: Field, header: Field, withdrawals: Field | None, fork: Fork, is_own_fork: bool
) -> AroundFields:
    """Read what stands around a block's transactions.

    Parameters
    ----------
    document, header : Field
    withdrawals : Field or None
    fork : Fork
        That the block is executed under.
    is_own_fork : bool
        Whether that is the one that it belongs to.
    """
    from contend.evm.drivers.block_operations import Operations

    is_before = _is_before(_either(document, "pre_is", "preIs"))
    is_whole = _flag(_either(document, "pre_is_whole", "preIsWhole"))
    paid = () if withdrawals is None else tuple(_withdrawal(one) for one in withdrawals.elements())
    executes = is_before or is_whole
    uncles = _uncles(document, header, executes)
    if executes and paid and not fork.withdrawals:
        assert withdrawals is not None
        raise withdrawals.fail(f"blocks of {fork.name} have none")
    if executes and uncles and not fork.proof_of_work:
        raise document["uncles"].fail(f"blocks of {fork.name} have none")
    parent = _told(header, "parentHash", is_before and "history" in fork.system_calls_before)
    beacon = _told(header, "parentBeaconBlockRoot", is_before and "beacon_roots" in fork.system_calls_before)
    roots = _roots(header, is_own_fork or is_whole)
    return AroundFields(Operations(parent, beacon, paid, uncles), is_before, is_whole, roots)


def _told(header: Field, name: str, is_needed: bool) -> bytes:
    """What is told to a contract."""
    content = header[name] if is_needed else header.get(name)
    return bytes(32) if content is None else content.octets(32)


def _either(document: Field, *names: str) -> Field | None:
    return next((found for name in names if (found := document.get(name)) is not None), None)


def _is_before(content: Field | None) -> bool:
    if content is None:
        return False
    if content.value not in (BEFORE, AFTER):
        raise content.fail(f"{BEFORE!r} or {AFTER!r}")
    return bool(content.value == BEFORE)


def _flag(content: Field | None) -> bool:
    if content is None:
        return False
    if not isinstance(content.value, bool):
        raise content.fail("true or false")
    return content.value


def _withdrawal(content: Field) -> Withdrawal:
    from contend.evm.drivers.block_operations import Withdrawal

    validator = _either(content, "validatorIndex", "validator")
    return Withdrawal(
        content["index"].integer(64),
        (content["validatorIndex"] if validator is None else validator).integer(64),
        content["address"].octets(20),
        content["amount"].integer(64),
    )


def _uncles(document: Field, header: Field, executes: bool) -> tuple[Uncle, ...]:
    """Uncles as whom to pay; a client's answer names their hashes, which do not say whom."""
    from contend.evm.drivers.block_operations import UNCLE_DEPTH, Uncle

    content = document.get("uncles")
    if content is None:
        hashes = header.get("uncles")
        if executes and hashes is not None and hashes.elements():
            raise hashes.fail("hashes do not say whom to pay; give 'uncles' beside it, with 'miner' and 'number' each")
        return ()
    number, found = header["number"].integer(64), []
    for one in content.elements():
        found.append(Uncle(one["miner"].octets(20), one["number"].integer(64)))
        if not 0 < number - found[-1].number < UNCLE_DEPTH:
            raise one["number"].fail(f"{found[-1].number} is not within the {UNCLE_DEPTH - 1} blocks before {number}")
    return tuple(found)


def _roots(header: Field, hold: bool) -> HeaderRoots:
    """What the header says came of the block, read even where it cannot be held against anything."""

    def octets(name: str, size: int) -> bytes | None:
        content = header.get(name)
        return None if content is None else content.octets(size)

    found = HeaderRoots(
        octets("receiptsRoot", 32), octets("logsBloom", 256), octets("requestsHash", 32), octets("stateRoot", 32)
    )
    return found if hold else HeaderRoots()
