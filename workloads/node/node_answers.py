"""What a node is asked for one block, and whether its answers belong together.

They come one after the other, from a node whose chain may be reorganised meanwhile, or from several nodes behind one
URL. So each has to be of the block that the first one gave: by its hash, or by those of its transactions.
"""

from __future__ import annotations

from dataclasses import dataclass

from contend.workloads.files.fields import Field
from contend.workloads.node.json_rpc import JsonRpc, required
from contend.workloads.node.node_error import REORGANISED, NodeError
from contend.workloads.node.traced_prestate import options, results_of

# How far back BLOCKHASH reaches.
ANCESTORS = 256


@dataclass(frozen=True)
class BlockAnswers:
    """A node's answers about a block.

    Attributes
    ----------
    block : Field
        With full transactions.
    receipts : list of Field
    traces, differences : list of Field
        What the tracer shows of each transaction, without and with ``diffMode``.
    """

    block: Field
    receipts: list[Field]
    traces: list[Field]
    differences: list[Field]


def ask_block(rpc: JsonRpc, number: int | None) -> Field:
    """Ask for a block with its transactions; the newest one where no number is given.

    Raises
    ------
    NodeError, FieldError
        If there is none, or it has no transactions, or it is another.
    """
    answer = rpc.ask("eth_getBlockByNumber", "latest" if number is None else hex(number), True)
    if answer is None:
        newest = required(rpc.ask("eth_blockNumber"), "the number of its newest block").integer(64)
        raise NodeError(f"the node does not have it; its newest block is {newest}")
    found = answer["number"].integer(64)
    if number not in (None, found):
        raise NodeError(f"the node answers with block {found}")
    if not answer["transactions"].elements():
        raise NodeError("it is empty: there is nothing to execute")
    return answer


def ask_rest(rpc: JsonRpc, block: Field, timeout_s: float) -> BlockAnswers:
    """Ask for what else is needed of a block.

    Raises
    ------
    NodeError, FieldError
        If an answer is missing, or is not of this block.
    """
    number, hash_ = hex(block["number"].integer(64)), block["hash"].octets(32)
    hashes = [one["hash"].octets(32) for one in block["transactions"].elements()]
    found = {}
    for differences in (False, True):
        answer = rpc.ask("debug_traceBlockByNumber", number, options(differences, timeout_s))
        found[differences] = results_of(required(answer, "traces of the block"), hashes)
    receipts = required(rpc.ask("eth_getBlockReceipts", number), "receipts of the block").elements()
    if [one["transactionHash"].octets(32) for one in receipts] != hashes:
        raise NodeError(f"the node's receipts are of other transactions: {REORGANISED}")
    if any(one["blockHash"].octets(32) != hash_ for one in receipts):
        raise NodeError(f"the node's receipts are of another block: {REORGANISED}")
    return BlockAnswers(block, receipts, found[False], found[True])


def ask_hashes(rpc: JsonRpc, block: Field, known: dict[int, bytes]) -> dict[int, bytes]:
    """Hashes of the block's ancestors, as far as BLOCKHASH reaches, by number.

    Parameters
    ----------
    rpc : JsonRpc
    block : Field
    known : dict
        Hashes by number that have been asked for before; those that are asked for now are added, and the block's own.

    Raises
    ------
    NodeError, FieldError
        If one is missing, or they are no chain.
    """
    number, hash_ = block["number"].integer(64), block["parentHash"].octets(32)
    numbers = range(max(0, number - ANCESTORS), number)
    if known.get(number - 1, hash_) != hash_:
        # The chain has been reorganised since.
        known.clear()
    missing = [one for one in numbers if one not in known]
    answers = rpc.ask_all([("eth_getBlockByNumber", [hex(one), False]) for one in missing])
    headers = {
        one: required(answer, f"block {one}, whose hash BLOCKHASH may give")
        for one, answer in zip(missing, answers, strict=True)
    }
    known |= {one: header["hash"].octets(32) for one, header in headers.items()}
    for one, header in headers.items():
        if one - 1 in known and header["parentHash"].octets(32) != known[one - 1]:
            raise NodeError(f"the node's blocks {one - 1} and {one} are of two chains: {REORGANISED}")
    if number and known[number - 1] != hash_:
        raise NodeError(f"the node's blocks {number - 1} and {number} are of two chains: {REORGANISED}")
    known[number] = block["hash"].octets(32)
    return {one: known[one] for one in numbers}
