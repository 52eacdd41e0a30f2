"""Block files: real blocks with their prestate and, where the file has them, expected receipts and changes.

Two forms are read, as JSON or as gzip of it:

- ``evm-block-replay/1``: header, transactions, accounts with codes by hash, expected receipts and changes. It is what
  ``contend export`` writes (`workloads.files.block_export`).
- Answers of a client: ``{"block": ..., "pre": ...}``, the block as ``eth_getBlockByNumber`` gives it with full
  transactions, and the state before it as geth's ``prestateTracer`` gives it: accounts by address, or the list of
  results that ``debug_traceBlock`` makes, one a transaction. ``chainId``, ``fork`` and ``block_hashes`` (by number) may
  stand beside them.

Without ``fork`` it is the one that the block belongs to (`workloads.files.fork_of_block`).

Either may have the block's access list (EIP-7928): ``block_access_list`` of the first form its encoding in hexadecimal,
``blockAccessList`` of the second, beside the block or in it, that or the list as the official tests write it. Whether
it is right is for those to say who are given it.

Transactions may have ``v``, ``r`` and ``s``, and authorisations theirs: senders can then be recovered from them. Where
`r` and `s` are zero, or absent, the transaction was never signed.

A file holds what its block touches and nothing else: what it does not mention reads as zero. Whether its state is
before what the block does by itself, or after, is said by a field of its own (`workloads.files.around_fields`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contend.outside_files import shown
from contend.workloads.files.around_fields import AroundFields, read_around
from contend.workloads.files.authorizations import read_authorizations
from contend.workloads.files.fields import Field, read, unique
from contend.workloads.files.fork_of_block import fork_of_block, is_own_fork
from contend.workloads.files.given_signatures import read_authorization_signatures, read_signature
from contend.workloads.files.prestate import read_access_list, read_account, read_prestate, read_storage

if TYPE_CHECKING:
    from contend.evm import Block, Environment, Log, Transaction
    from contend.evm.accounts import Account
    from contend.evm.forks import Fork

FORMAT = "evm-block-replay/1"
# Gas of one transaction: a thousand times what a block of Ethereum has. The header's limit is no bound: development
# and some other chains set it beyond all reach, and a loop of that much gas would run for hours.
MOST_GAS = 1 << 36
FEE_MARKET = 2  # the first type of transactions that say two fees (EIP-1559); later ones are told by what they hold


@dataclass(frozen=True)
class ExpectedReceipt:
    """Receipt that a transaction must have; None where the file does not say.

    Attributes
    ----------
    gas_used : int
    status : int or None
        1 for success, 0 for failure.
    logs : tuple of Log, or None
    """

    gas_used: int
    status: int | None
    logs: tuple[Log, ...] | None


@dataclass(frozen=True)
class BlockFile:
    """Block with the state before it.

    Attributes
    ----------
    block : Block
    prestate : mapping
        Accounts by address before the block.
    receipts : tuple of ExpectedReceipt, or None
    poststate : mapping or None
        Accounts by address after the last transaction, those that the block did not change included.
    access_list : bytes or None
        Encoded access list (EIP-7928) that came with the block.
    around : AroundFields
        What the block does besides its transactions, and what its header says came of it.
    """

    block: Block
    prestate: Mapping[bytes, Account]
    around: AroundFields
    receipts: tuple[ExpectedReceipt, ...] | None = None
    poststate: Mapping[bytes, Account] | None = None
    access_list: bytes | None = None


def read_block(path: Path | str) -> BlockFile:
    """Read a block file.

    Raises
    ------
    FieldError
        If it cannot be read, or is malformed: one line with file and field.
    """
    return block_of_document(read(Path(path)).strictly())


def block_of_document(document: Field) -> BlockFile:
    """Block of a document that has been read, strictly.

    Raises
    ------
    FieldError
        If it is malformed: one line with the field.
    """
    if "block" in document.mapping():
        return _from_client(document)
    form = document["format"]
    if form.value != FORMAT:
        raise form.fail(f"{form.value!r} is not known; blocks are in the form {FORMAT!r}, or have 'block' and 'pre'")
    return _from_replay(document)


def _integer(content: Field, name: str, default: int = 0) -> int:
    found = content.get(name)
    return default if found is None else found.integer()


def _environment(header: Field, chain_id: int, hashes: Field | None, fork: Fork) -> Environment:
    from contend.evm import Environment

    number = header["number"].integer(64)
    named = () if hashes is None else ((hashes.named(n).decimal(64), h.octets(32)) for n, h in hashes.items())
    found = {} if hashes is None else unique(named, hashes)
    parent, excess = header.get("parentHash"), header.get("excessBlobGas")
    if parent is not None and number > 0:
        found.setdefault(number - 1, parent.octets(32))
    return Environment(
        number=number,
        timestamp=header["timestamp"].integer(),
        gas_limit=header["gasLimit"].integer(63),
        base_fee=_integer(header, "baseFeePerGas"),
        coinbase=header["miner"].octets(20),
        chain_id=chain_id,
        prev_randao=0 if (mixed := header.get("mixHash")) is None else mixed.word(),
        difficulty=_integer(header, "difficulty") if fork.proof_of_work else 0,
        blob_base_fee=fork.blob_base_fee(0 if excess is None else excess.excess_blob_gas()),
        block_hashes=found,
        fork=fork.name,
    )


def _gas(content: Field) -> int:
    found = content.integer(64)
    if found > MOST_GAS:
        raise content.fail(f"{found} is more than a replayed transaction can have, 2**{MOST_GAS.bit_length() - 1}")
    return found


def _transaction(content: Field) -> Transaction:
    from contend.evm import Transaction

    to, blobs = content.get("to"), content.get("blobVersionedHashes")
    legacy, kind, listed = content.get("maxFeePerGas") is None, content.get("type"), content.get("authorizationList")
    return Transaction(
        sender=content["from"].octets(20),
        to=None if to is None or to.value in ("", "0x") else to.octets(20),
        nonce=content["nonce"].integer(64),
        gas_limit=_gas(content["gas"]),
        value=content["value"].integer(),
        data=content["input"].octets(),
        max_fee=content["gasPrice" if legacy else "maxFeePerGas"].integer(),
        max_priority_fee=content["gasPrice" if legacy else "maxPriorityFeePerGas"].integer(),
        access_list=read_access_list(content.get("accessList")),
        blob_hashes=None if blobs is None else tuple(blob.octets(32) for blob in blobs.elements()),
        max_blob_fee=_integer(content, "maxFeePerBlobGas"),
        authorizations=read_authorizations(listed),
        declared_type=None if kind is None or kind.integer(8) >= FEE_MARKET else kind.integer(8),
        signature=read_signature(content),
        authorization_signatures=read_authorization_signatures(listed),
    )


def _block(environment: Environment, transactions: Field) -> Block:
    from contend.evm import Block
    from contend.evm.block_image import check_transaction

    made = []
    for index, content in enumerate(transactions.elements()):
        transaction = _transaction(content)
        try:
            check_transaction(index, transaction)
        except ValueError as error:
            raise content.fail(str(error)) from None
        made.append(transaction)
    if not made:
        raise transactions.fail("there is none: an empty block has nothing to execute")
    return Block(environment, tuple(made), binding_order=True)


# evm-block-replay/1


def _from_replay(document: Field) -> BlockFile:
    from contend.evm.crypto.keccak import keccak256

    header, codes = document["header"], {}
    for name, code in document["codes"].items():
        codes[name.lower()] = code.octets()
        if keccak256(codes[name.lower()]) != document["codes"].named(name).octets(32):
            raise code.fail("these bytes do not have the hash that they are filed under")
    chain = document["chain_id"].integer(64)
    fork = fork_of_block(document.get("fork"), header, document["transactions"], chain, document.get("blob_schedule"))
    environment = _environment(header, chain, document.get("block_hashes"), fork)
    before = document["pre"]
    prestate = unique(
        ((before.named(name).octets(20), _replay_account(account, codes)) for name, account in before.items()), before
    )
    block, listed = _block(environment, document["transactions"]), _block_list(document.get("block_access_list"))
    around = _around(document, header, document.get("withdrawals"), chain, fork, document["transactions"])
    expected = document.get("expected")
    if expected is None:
        return BlockFile(block, prestate, around, access_list=listed)
    receipts = tuple(_receipt(content) for content in expected["receipts"].elements())
    if len(receipts) != len(block):
        raise expected["receipts"].fail(f"{len(receipts)} receipts for {len(block)} transactions")
    changes = expected.get("post_diff_before_withdrawals")
    poststate = None if changes is None else _poststate(prestate, changes, codes)
    return BlockFile(block, prestate, around, receipts, poststate, listed)


def _around(
    document: Field, header: Field, withdrawals: Field | None, chain: int | None, fork: Fork, transactions: Field
) -> AroundFields:
    """What stands around the block's transactions."""
    found = read_around(document, header, withdrawals, fork, is_own_fork(header, chain, fork))
    if all(one.get("type") is not None for one in transactions.elements()):
        return found
    # A receipt begins with its transaction's type, so a root of receipts tells nothing where one is not said.
    return replace(found, roots=replace(found.roots, receipts=None))


def _block_list(content: Field | None) -> bytes | None:
    """Encoded access list of a block, from its bytes or from JSON."""
    from contend.evm.access_list import AccessListError, encode, from_json

    if content is None:
        return None
    if not isinstance(content.value, list):
        return content.octets()
    try:
        return encode(from_json(content.value))
    except (AccessListError, OverflowError) as error:
        raise content.fail(str(error)) from None


def _code(content: Field | None, codes: Mapping[str, bytes]) -> bytes:
    if content is None:
        return b""
    name = content.text().lower()
    if name not in codes:
        raise content.fail(f"no code has the hash {shown(name)}")
    return codes[name]


def _replay_account(content: Field, codes: Mapping[str, bytes]) -> Account:
    from contend.evm.accounts import Account

    return Account(
        content["balance"].integer(),
        content["nonce"].integer(64),
        _code(content.get("code_hash"), codes),
        read_storage(content.get("storage")),
    )


def _receipt(content: Field) -> ExpectedReceipt:
    from contend.evm import Log

    status, logs = content.get("status"), content.get("logs")
    listed = None
    if logs is not None:
        listed = tuple(
            Log(
                log["address"].octets(20),
                tuple(topic.word() for topic in log["topics"].elements()),
                log["data"].octets(),
            )
            for log in logs.elements()
        )
    return ExpectedReceipt(content["gas_used"].integer(64), None if status is None else status.integer(1), listed)


def _poststate(prestate: Mapping[bytes, Account], changes: Field, codes: Mapping[str, bytes]) -> dict[bytes, Account]:
    """Accounts after the block: those before it with the changes applied."""
    from contend.evm.accounts import Account
    from contend.evm.crypto.keccak import keccak256

    after = dict(prestate)
    created: dict[str, bytes] = {}
    for name, value in changes.mapping().items():
        address = changes.named(name).octets(20)
        if value is None:
            after.pop(address, None)
            continue
        change = changes[name]
        before = after.get(address, Account())
        balance, nonce, code_hash = (change.get(field) for field in ("balance", "nonce", "code_hash"))
        storage = {**before.storage, **read_storage(change.get("storage"))}
        code = before.code
        if code_hash is not None:
            text = code_hash.text().lower()
            # Of a code that the block creates the file may give the hash alone; that is then all that is compared.
            code = codes.get(text, created.setdefault(text, b"hash:" + code_hash.octets(32)))
            if text == "0x" + keccak256(b"").hex():
                code = b""
        after[address] = Account(
            before.balance if balance is None else balance.integer(),
            before.nonce if nonce is None else nonce.integer(64),
            code,
            {slot: word for slot, word in storage.items() if word},
        )
    return after


def same_code(expected: bytes, found: bytes) -> bool:
    """Whether a code equals the expected one, of which perhaps only the hash is known."""
    from contend.evm.crypto.keccak import keccak256

    if expected.startswith(b"hash:") and len(expected) == 37:
        return keccak256(found) == expected[5:]
    return expected == found


# Answers of a client


def _from_client(document: Field) -> BlockFile:
    header = document["block"]
    named, transactions = document.get("chainId"), header["transactions"]
    if named is None:
        named = next((id_ for content in transactions.elements() if (id_ := content.get("chainId")) is not None), None)
    chain = None if named is None else named.integer(64)
    fork = fork_of_block(document.get("fork"), header, transactions, chain)
    environment = _environment(header, 1 if chain is None else chain, document.get("block_hashes"), fork)
    before = next((found for name in ("prestate", "preState") if (found := document.get(name))), None)
    before = document["pre"] if before is None else before
    prestate = _merged(before) if isinstance(before.value, list) else read_prestate(before)
    listed = _block_list(document.get("blockAccessList") or header.get("blockAccessList"))
    for content in transactions.elements():
        # A client says null of a transaction that creates a contract. Where nothing is said, something was lost.
        if "to" not in content.mapping():
            raise content.fail("the field 'to' is missing; it is null where a contract is created")
    around = _around(document, header, header.get("withdrawals"), chain, fork, transactions)
    return BlockFile(_block(environment, transactions), prestate, around, access_list=listed)


def _merged(results: Field) -> dict[bytes, Account]:
    """Merge the tracer's results for each transaction into one prestate, in which the first value of a field counts.

    Each result shows an account as it was before that transaction. A field that an earlier one did not show was not
    touched by it, so it is as it was before the block.
    """
    from contend.evm.accounts import Account

    prestate: dict[bytes, Account] = {}
    for element in results.elements():
        result = element.get("result") or element
        for name, content in result.items():
            address, account = result.named(name).octets(20), read_account(content)
            known = prestate.get(address)
            if known is None:
                prestate[address] = account
            else:
                code = known.code or account.code if known.nonce == account.nonce == 0 else known.code
                prestate[address] = Account(known.balance, known.nonce, code, {**account.storage, **known.storage})
    return prestate
