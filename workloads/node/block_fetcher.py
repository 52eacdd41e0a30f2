"""Blocks of a chain, one after the other, from a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contend.workloads.files.chain_forks import TIMES
from contend.workloads.files.fields import Field
from contend.workloads.node.block_hash_use import may_ask_for_hashes
from contend.workloads.node.fetched_document import document_of_answers
from contend.workloads.node.json_rpc import JsonRpc, required
from contend.workloads.node.node_answers import BlockAnswers, ask_block, ask_hashes, ask_rest
from contend.workloads.node.node_error import NodeError
from contend.workloads.node.traced_prestate import codes_made, state_before

CHAINS = {"mainnet": 1, "sepolia": 11155111, "holesky": 17000, "hoodi": 560048}


class BlockFetcher:
    """Fetches blocks of one chain.

    Parameters
    ----------
    rpc : JsonRpc
    chain : int
        Number of the chain that is meant (EIP-155).
    fork : str or None
        Name of the rules that blocks are executed under; by chain and time where None is given.
    timeout_s : float
        Seconds that the node may take for the traces of a block.
    told : callable
        Given one line about each step.
    """

    def __init__(
        self,
        rpc: JsonRpc,
        chain: int = CHAINS["mainnet"],
        fork: str | None = None,
        timeout_s: float = 120.0,
        told: Callable[[str], object] = lambda line: None,
    ) -> None:
        self.chain = chain
        self._rpc, self._fork, self._timeout_s, self._told = rpc, fork, timeout_s, told
        self._hashes: dict[int, bytes] = {}

    def check_chain(self) -> None:
        """Make sure that the node is of the chain that is meant.

        Raises
        ------
        NodeError, FieldError
            If it is not, or does not say; or if nobody has said when the chain's forks began.
        """
        if self._fork is not None:
            _check_fork(self._fork)
        elif self.chain not in TIMES:
            raise NodeError(
                f"chain {_named(self.chain)}: it is not known here when its forks began; --fork says which rules its "
                "blocks are executed under"
            )
        found = required(self._rpc.ask("eth_chainId"), "a number of its chain").integer(64)
        if found != self.chain:
            raise NodeError(
                f"the node is of chain {_named(found)}, not of {_named(self.chain)}; --chain says which is meant"
            )

    def block(self, number: int | None) -> Field:
        """A block by its number, the newest one for None; see `document` for the rest.

        Raises
        ------
        NodeError, FieldError
            If there is none.
        """
        return ask_block(self._rpc, number)

    def document(self, block: Field) -> dict[str, Any]:
        """Block file of a block, ready for JSON.

        Raises
        ------
        NodeError, FieldError
            If the node does not answer what is needed, or answers contradict each other.
        """
        self._told("asking for traces and receipts")
        answers = ask_rest(self._rpc, block, self._timeout_s)
        before = state_before(answers.traces, answers.differences)
        hashes: dict[int, bytes] = {}
        if may_ask_for_hashes([*(account.code for account in before.values()), *_codes_run(answers)]):
            self._told("asking for hashes of earlier blocks, which a contract may ask for")
            hashes = ask_hashes(self._rpc, block, self._hashes)
        return document_of_answers(answers, before, self.chain, self._fork, hashes)


def chain_named(text: str) -> int:
    """Number of a chain by its name or number.

    Raises
    ------
    NodeError
        If it is neither.
    """
    if text.lower() in CHAINS:
        return CHAINS[text.lower()]
    if text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    raise NodeError(f"--chain: is one of {', '.join(CHAINS)}, or the number of another chain")


def _check_fork(name: str) -> None:
    from contend.evm.forks import fork_named

    try:
        fork_named(name)
    except ValueError as error:
        raise NodeError(f"--fork: {error}") from None


def _named(chain: int) -> str:
    name = next((name for name, number in CHAINS.items() if number == chain), None)
    return str(chain) if name is None else f"{chain} ({name})"


def _codes_run(answers: BlockAnswers) -> list[bytes]:
    """Codes that run in the block and are not in the state before it."""
    transactions = answers.block["transactions"].elements()
    created = [one["input"].octets() for one in transactions if one.get("to") is None]
    return [*codes_made(answers.differences), *created]
