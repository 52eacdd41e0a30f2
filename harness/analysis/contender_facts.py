"""Facts about a contender: what it is given, at how many bytes a transaction, and how good its hints are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contend.evm import Block, layout
from contend.evm.state import location_key
from contend.harness.analysis.hint_quality import Tallies, quality, tally, total
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies.base import HintedSets, Outcome, Strategy
from contend.strategies.given import BLOCK, DECLARED, SEPARATOR, TRUTH, WITH_VALUES, Knowledge, role_of

_ADDRESS_BYTES, _WORD_BYTES = 20, 32


def given_by_name(name: str, strategy: Strategy, list_kind: str) -> dict[str, Any]:
    """What a contender is given, as far as that is known before it has run.

    Parameters
    ----------
    name : str
        Of the contender.
    strategy : Strategy
    list_kind : str
        Kind of the access lists of the run.
    """
    is_listed = strategy.given == BLOCK or (strategy.uses_values and strategy.given == TRUTH)
    return {
        "strategy": name.partition(SEPARATOR)[0],
        "source": strategy.given,
        "role": role_of(strategy.given),
        "list_kind": list_kind if is_listed else None,
        "values": uses_values(strategy, list_kind),
        **({"redoes": True} if strategy.redoes_operations else {}),
    }


def uses_values(strategy: Strategy, list_kind: str) -> bool:
    """Whether a strategy has the values that transactions write, from an access list of this kind.

    Whoever is given the truth has the list that goes with it.
    """
    return strategy.given in (BLOCK, TRUTH) and strategy.uses_values and list_kind in WITH_VALUES


def list_origin(knowledge: Sequence[Knowledge]) -> str:
    """Say where the access lists of blocks are from; those of which one was made here were."""
    return "made here" if any(one.list_maker is not None for one in knowledge) else "came with the block"


def bytes_per_transaction(given: str, blocks: Sequence[Block], knowledge: Sequence[Knowledge]) -> float:
    """Bytes that had to come with the blocks for what a strategy is given, a transaction."""
    count = sum(map(len, blocks))
    if given == BLOCK:
        return sum(len(one.access_list or b"") for one in knowledge) / max(count, 1)
    if given == DECLARED:
        return sum(map(declared_bytes, blocks)) / max(count, 1)
    return 0.0


def declared_bytes(block: Block) -> int:
    """Bytes of the transactions' own access lists, in RLP as EIP-2930 has them; of a transaction without one none."""
    return sum(_list_bytes(sum(map(_tuple_bytes, one.access_list))) for one in block if one.access_list)


def _tuple_bytes(entry: tuple[bytes, tuple[int, ...]]) -> int:
    """An address and its slots: texts of 20 and 32 bytes have a byte before them."""
    keys = _list_bytes(len(entry[1]) * (1 + _WORD_BYTES))
    return _list_bytes(1 + _ADDRESS_BYTES + keys)


def _list_bytes(content: int) -> int:
    """A list in RLP: up to 55 bytes have one byte before them, more have their length there, too."""
    return content + 1 + (0 if content <= 55 else (content.bit_length() + 7) // 8)


def quality_of(outcomes: Sequence[Outcome], blocks: Sequence[Block], knowledge: BlockKnowledge) -> dict[str, Any]:
    """Recall and precision of the hints that outcomes tell, over all blocks; nothing where one does not tell."""
    hinted = [one.hinted for one in outcomes if one.hinted is not None]
    if not hinted or len(hinted) < len(outcomes):
        return {}
    found = [_tally(one, blocks[place], knowledge, place) for place, one in enumerate(hinted)]
    told: dict[str, Any] = {"entries": sum(len(one.keys) for one in hinted), **quality(total(found))}
    known = [one.counters["templates"] for one in outcomes if "templates" in one.counters]
    if known and not any(known):
        told["learned"] = False
    return told | ({"by_block": [quality(one) for one in found]} if len(found) > 1 else {})


def _tally(hinted: HintedSets, block: Block, knowledge: BlockKnowledge, place: int) -> Tallies:
    recorded = knowledge.of(place, TRUTH).recorded
    assert recorded is not None
    return tally(hinted, recorded, location_key(block.environment.coinbase, layout.KIND_BALANCE))
