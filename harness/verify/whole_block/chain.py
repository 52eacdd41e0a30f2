"""A chain of whole blocks: each one decoded, held against its parent, executed, and held against its header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import rlp

from contend.evm import Block, Environment, Receipts, Snapshot, State, errors
from contend.evm.access_list import access_list_content
from contend.evm.accounts import Account, World, accounts_of, new_state
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.block_operations import (
    BlockOperationError,
    Operations,
    Uncle,
    Withdrawal,
    operate_after,
    operate_before,
)
from contend.evm.drivers.system_calls import SystemCaller
from contend.evm.forks import BLOB_GAS, Fork
from contend.evm.vm.transaction_flaw import flaws_of
from contend.harness.verify.full_receipts import full_receipts, list_root
from contend.harness.verify.state_root import state_root
from contend.harness.verify.whole_block.block_refusal import OF_OPERATIONS, OF_TRANSACTIONS, BlockRefusedError
from contend.harness.verify.whole_block.fork_schedule import ForkSchedule
from contend.harness.verify.whole_block.header import Header, field_count, header_of
from contend.harness.verify.whole_block.header_rules import check_header
from contend.harness.verify.whole_block.rlp_fields import BAD_RLP, decoded, integer, items, octets
from contend.harness.verify.whole_block.signed_transaction import encoding_of, transaction_of
from contend.strategies.serial import Serial
from contend.workloads.files.fields import EXCESS_BITS

HASHES = 256
MOST_UNCLES, UNCLE_AGE = 2, 6


@dataclass(frozen=True)
class Accepted:
    """A block of the chain.

    Attributes
    ----------
    header : Header
    block : Block
        Its transactions, in their environment.
    before, after : Snapshot
        Of the state between what the block does before its transactions and them, and after all.
    between : Snapshot
        After its transactions, and before what it does afterwards.
    receipts : Receipts
        Of the serial run.
    uncles : tuple of Header
    hollow : frozenset of bytes
        Accounts of the genesis block that are empty and still there, since nobody has touched them (EIP-161). A state
        does not have them.
    operations : Operations
        What the block does besides its transactions.
    """

    header: Header
    fork: Fork
    block: Block | None
    before: Snapshot
    between: Snapshot
    after: Snapshot
    receipts: Receipts | None
    uncles: tuple[Header, ...] = ()
    hollow: frozenset[bytes] = frozenset()
    operations: Operations = field(default_factory=Operations)

    def world(self, state: State) -> World:
        """Accounts of a state that is this block's."""
        return {**dict.fromkeys(self.hollow, Account()), **accounts_of(state)}


@dataclass(frozen=True)
class _Decoded:
    header: Header
    transactions: Sequence[Any]
    uncles: tuple[Header, ...]
    uncles_hash: bytes
    withdrawals: tuple[Withdrawal, ...]

    @property
    def operations(self) -> Operations:
        """What the block does besides its transactions."""
        header, paid = self.header, tuple(Uncle(one.coinbase, one.number) for one in self.uncles)
        return Operations(header.parent_hash, header.beacon_root or bytes(32), self.withdrawals, paid)


class Chain:
    """Blocks by hash, on a state of which each one keeps a snapshot.

    Parameters
    ----------
    world : mapping
        Accounts of the genesis block.
    genesis : bytes
        The genesis block in RLP; trusted.
    schedule : ForkSchedule
    chain_id : int

    Attributes
    ----------
    state : State
        As whoever used it last left it.
    serial : Serial
    """

    def __init__(self, world: World, genesis: bytes, schedule: ForkSchedule, chain_id: int = 1) -> None:
        self.state: State = new_state(world)
        self.serial = Serial()
        self._schedule, self._chain_id, self._caller = schedule, chain_id, SystemCaller()
        header = header_of(items(decoded(genesis, "genesis"), "genesis", 3, 4)[0], None, "genesis")
        if (header.excess_blob_gas or 0) >= 1 << EXCESS_BITS:
            raise BlockRefusedError("genesis: excess blob gas whose fee would never be computed", *BAD_RLP)
        now = self.state.snapshot()
        fork = schedule.at(header.number, header.timestamp)
        hollow = frozenset(world) - frozenset(accounts_of(self.state))
        self.blocks = {header.hash: Accepted(header, fork, None, now, now, now, None, hollow=hollow)}
        self.genesis = header

    def accept(self, data: bytes) -> Accepted:
        """Take a block in.

        Raises
        ------
        BlockRefusedError
            If it breaks a rule; then the chain is as it was.
        """
        whole = items(decoded(data, "block"), "block", 3, 4)
        # A fork is told by number and time, which stand in the same places in all of them.
        loose = items(whole[0], "header")
        if len(loose) < 15:
            raise BlockRefusedError("header: too few fields", "RLP_STRUCTURES_ENCODING", "INCORRECT_BLOCK_FORMAT")
        number, time = integer(loose[8], "header: number", 64), integer(loose[11], "header: time", 64)
        fork = self._schedule.at(number, time)
        if fork.block_bytes is not None and len(data) > fork.block_bytes:
            raise BlockRefusedError(f"block of {len(data)} bytes", "RLP_BLOCK_LIMIT_EXCEEDED")
        content = self._decode(whole, fork)
        parent = self.blocks.get(content.header.parent_hash)
        if parent is None:
            raise BlockRefusedError("its parent is unknown", "UNKNOWN_PARENT", "UNKNOWN_PARENT_ZERO")
        check_header(content.header, parent.header, fork, parent.fork)
        self._check_lists(content, fork, parent)
        transactions = [
            transaction_of(item, fork, self._chain_id, f"transaction {index}")
            for index, item in enumerate(content.transactions)
        ]
        block = Block(self._environment(content.header, fork), tuple(transactions), binding_order=True)
        accepted = self._execute(block, content, fork, parent)
        self.blocks[content.header.hash] = accepted
        return accepted

    def _decode(self, whole: Sequence[Any], fork: Fork) -> _Decoded:
        if len(whole) != 3 + fork.withdrawals:
            names = ("RLP_STRUCTURES_ENCODING", "INCORRECT_BLOCK_FORMAT", "RLP_WITHDRAWALS_NOT_READ")
            raise BlockRefusedError(f"block: {len(whole)} items under {fork.name}", *names)
        header = header_of(whole[0], fork)
        uncles = tuple(header_of(one, None, "uncle") for one in items(whole[2], "uncles"))
        withdrawals = tuple(map(_withdrawal, items(whole[3], "withdrawals"))) if fork.withdrawals else ()
        uncles_hash = keccak256(bytes(rlp.encode(whole[2])))
        return _Decoded(header, items(whole[1], "transactions"), uncles, uncles_hash, withdrawals)

    def _check_lists(self, content: _Decoded, fork: Fork, parent: Accepted) -> None:
        """Hold what the header commits to of lists against them."""
        header = content.header
        if fork.withdrawals:
            rows = [bytes(rlp.encode([w.index, w.validator, w.address, w.amount])) for w in content.withdrawals]
            if list_root(rows) != header.withdrawals_root:
                raise BlockRefusedError("another root of withdrawals", "INVALID_WITHDRAWALS_ROOT")
        if content.uncles and not fork.proof_of_work:
            raise BlockRefusedError("it has uncles", "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS")
        if fork.proof_of_work:
            self._check_uncles(content, fork, parent)

    def _check_uncles(self, content: _Decoded, fork: Fork, parent: Accepted) -> None:
        """Uncles are headers of the last six generations that are in no block yet (Yellow Paper, section 11.1)."""
        header = content.header
        if len(content.uncles) > MOST_UNCLES:
            raise BlockRefusedError(f"{len(content.uncles)} uncles", "TOO_MANY_UNCLES")
        if content.uncles_hash != header.uncles_hash:
            raise BlockRefusedError("another hash of uncles", "INVALID_UNCLES_HASH")
        ancestors, used, at = {}, set(), parent
        for _ in range(UNCLE_AGE + 1):
            ancestors[at.header.hash] = at
            used |= {uncle.hash for uncle in at.uncles}
            above = self.blocks.get(at.header.parent_hash)
            if above is None:
                break
            at = above
        for uncle in content.uncles:
            if uncle.hash in used:
                raise BlockRefusedError("an uncle that is in a block already", "UNCLE_IN_CHAIN", "DUPLICATE_UNCLE")
            used.add(uncle.hash)
            if uncle.hash in ancestors:
                raise BlockRefusedError("an uncle that is an ancestor", "UNCLE_IS_ANCESTOR")
            over = ancestors.get(uncle.parent_hash)
            if over is None or over is parent or header.number - uncle.number > UNCLE_AGE:
                raise BlockRefusedError("an uncle of another family", "UNCLE_UNKNOWN_PARENT", "UNCLE_PARENT_INCORRECT")
            own = self._schedule.at(uncle.number, uncle.timestamp)
            if uncle.field_count != field_count(own):
                raise BlockRefusedError(f"an uncle of {uncle.field_count} fields under {own.name}", *BAD_RLP)
            check_header(uncle, over.header, own, over.fork)

    def _environment(self, header: Header, fork: Fork) -> Environment:
        hashes: dict[int, bytes] = {}
        at = self.blocks.get(header.parent_hash)
        while at is not None and len(hashes) < HASHES:
            hashes[at.header.number] = at.header.hash
            at = self.blocks.get(at.header.parent_hash)
        return Environment(
            number=header.number,
            timestamp=header.timestamp,
            gas_limit=header.gas_limit,
            base_fee=header.base_fee or 0,
            coinbase=header.coinbase,
            chain_id=self._chain_id,
            prev_randao=int.from_bytes(header.mix_hash, "big"),
            blob_base_fee=fork.blob_base_fee(header.excess_blob_gas or 0),
            block_hashes=hashes,
            fork=fork.name,
            difficulty=header.difficulty,
        )

    def _execute(self, block: Block, content: _Decoded, fork: Fork, parent: Accepted) -> Accepted:
        """Execute a block serially, with all that it does, and hold the result against its header."""
        state, header = self.state, content.header
        state.restore(parent.after)
        operate_before(self._caller, state, block.environment, fork, content.operations)
        before = state.snapshot()
        receipts = self.serial.execute(block, state, 1).receipts
        for index in range(len(block)):
            if receipts.status[index] == errors.STATUS_INVALID:
                # One that has several flaws is rightly refused for any of them.
                codes = {
                    int(receipts.error_codes[index]),
                    *flaws_of(block.transactions[index], block.environment, fork),
                }
                reasons = (reason for code in codes for reason in OF_TRANSACTIONS.get(code, ()))
                raise BlockRefusedError(f"transaction {index}: {receipts.error(index)}", *reasons)
        between = state.snapshot()
        try:
            made = operate_after(self._caller, state, block.environment, fork, content.operations, receipts)
        except BlockOperationError as error:
            raise BlockRefusedError(str(error), OF_OPERATIONS[error.reason]) from None
        self._check_result(content, block, receipts, made)
        after = state.snapshot()
        accepted = Accepted(
            header, fork, block, before, between, after, receipts, content.uncles, operations=content.operations
        )
        for hollow in self._hollow(block, before, after, parent):
            accepted = replace(accepted, hollow=hollow)
            if state_root(accepted.world(state)) == header.state_root:
                return accepted
        raise BlockRefusedError("another state root", "INVALID_STATE_ROOT")

    def _hollow(self, block: Block, before: Snapshot, after: Snapshot, parent: Accepted) -> Iterator[frozenset[bytes]]:
        """Empty accounts that may be left: all, or those that the block's transactions do not even look at.

        Whether one that is looked at was touched, only its execution could tell.
        """
        yield parent.hollow
        if parent.hollow:
            self.state.restore(before)
            named = access_list_content(block, self.state)
            self.state.restore(after)
            yield parent.hollow - {account.address for account in named}

    def _check_result(self, content: _Decoded, block: Block, receipts: Receipts, requests: bytes | None) -> None:
        header = content.header
        encoded = [encoding_of(item) for item in content.transactions]
        full = full_receipts(receipts, [one.type for one in block])
        gas, blobs = sum(one.gas_used for one in full), sum(len(one.blob_hashes or ()) for one in block)
        bloom = 0
        for one in full:
            bloom |= int.from_bytes(one.bloom, "big")
        checks = (
            (
                list_root(encoded) == header.transactions_root,
                "another root of transactions",
                "INVALID_TRANSACTIONS_ROOT",
            ),
            (gas == header.gas_used, f"{gas} gas used, not {header.gas_used}", "INVALID_GAS_USED"),
            (
                header.blob_gas_used is None or blobs * BLOB_GAS == header.blob_gas_used,
                f"{blobs} blobs, not {header.blob_gas_used} blob gas",
                "INCORRECT_BLOB_GAS_USED",
            ),
            (requests == header.requests_hash, "other requests", "INVALID_REQUESTS"),
            (bloom.to_bytes(256, "big") == header.bloom, "another bloom filter", "INVALID_LOG_BLOOM"),
            (
                list_root([one.encoded() for one in full]) == header.receipts_root,
                "another root of receipts",
                "INVALID_RECEIPTS_ROOT",
            ),
        )
        for holds, text, reason in checks:
            if not holds:
                raise BlockRefusedError(text, reason)


def _withdrawal(value: Any) -> Withdrawal:
    fields = items(value, "withdrawal", 4)
    return Withdrawal(
        integer(fields[0], "withdrawal: index", 64),
        integer(fields[1], "withdrawal: validator", 64),
        octets(fields[2], "withdrawal: address", 20),
        integer(fields[3], "withdrawal: amount", 64),
    )
