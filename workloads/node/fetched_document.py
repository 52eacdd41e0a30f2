"""Block file of what a node answers about a block, in the form that `workloads.files.block_file` reads.

Everything is read here before it is written: a file that came to be is one that can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contend.workloads.files.block_export import account_as_json
from contend.workloads.files.block_file import FORMAT
from contend.workloads.files.fields import Field
from contend.workloads.files.fork_of_block import fork_of_block
from contend.workloads.node.node_answers import BlockAnswers
from contend.workloads.node.node_error import NodeError

if TYPE_CHECKING:
    from contend.evm.accounts import Account

# Of a block as clients give it: what is hashed, and its hash. Whatever else a client adds is left out.
_HEADER = (
    "hash", "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom",
    "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas",
    "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash", "blockAccessListHash",
)  # fmt: skip
_TRANSACTION = (
    "hash", "type", "from", "to", "nonce", "gas", "value", "input", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas",
    "maxFeePerBlobGas", "blobVersionedHashes", "accessList", "authorizationList", "chainId", "v", "yParity", "r", "s",
)  # fmt: skip
_WITHDRAWAL = ("index", "validatorIndex", "address", "amount")
_LOG = ("address", "topics", "data")
# A node does what a block does before its first transaction (its system calls) before it traces.
PRE_IS = "after system calls"


def document_of_answers(
    answers: BlockAnswers, before: Mapping[bytes, Account], chain: int, fork: str | None, hashes: Mapping[int, bytes]
) -> dict[str, Any]:
    """Content of the file, ready for JSON.

    Parameters
    ----------
    answers : BlockAnswers
    before : mapping
        Accounts before the block by address.
    chain : int
    fork : str or None
        Name of the rules to execute it under; where None is given, those of the chain at its time.
    hashes : mapping
        Of its ancestors by number.

    Raises
    ------
    NodeError, FieldError
        If answers contradict each other or are malformed, or there are no rules for such a block.
    """
    block, transactions = answers.block, answers.block["transactions"]
    named = None if fork is None else Field("--fork", fork, strict=True)
    rules = fork_of_block(named, block, transactions, chain)
    number = block["number"].integer(64)
    gas = sum(one["gasUsed"].integer(64) for one in answers.receipts)
    if gas != block["gasUsed"].integer(64):
        raise NodeError(f"the node's receipts use {gas} gas, and its block {block['gasUsed'].integer(64)}")
    codes: dict[str, str] = {}
    known = {number - 1: block["parentHash"].octets(32)} if number else {}
    return {
        "format": FORMAT,
        "source": "contend fetch-block",
        "number": number,
        "chain_id": chain,
        "fork": rules.name,
        "header": _kept(block, _HEADER),
        "block_hashes": {str(one): _hex(hash_) for one, hash_ in sorted({**hashes, **known}.items())},
        "withdrawals": _listed(block.get("withdrawals"), _WITHDRAWAL),
        "transactions": _listed(transactions, _TRANSACTION),
        "pre": {_hex(address): account_as_json(one, codes) for address, one in sorted(before.items())},
        "codes": codes,
        "pre_is": PRE_IS,
        "expected": {"receipts": [_receipt(place, one) for place, one in enumerate(answers.receipts)]},
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _kept(content: Field, names: tuple[str, ...]) -> dict[str, Any]:
    """Members that are known, as they are; `null` is kept where it says something, as in a creation."""
    return {name: content.value[name] for name in names if name in content.mapping()}


def _listed(content: Field | None, names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [] if content is None else [_kept(one, names) for one in content.elements()]


def _receipt(place: int, receipt: Field) -> dict[str, Any]:
    return {
        "i": place,
        "gas_used": receipt["gasUsed"].integer(64),
        "status": receipt["status"].integer(1),
        "logs": _listed(receipt["logs"], _LOG),
    }
