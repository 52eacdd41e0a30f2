"""Numbers of blocks on a command line: ``24628607``, ``0x177cd7f``, ``24628600..24628607``, ``latest``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from contend.hexadecimal import number_of
from contend.workloads.node.node_error import NodeError

LATEST = "latest"
# A slip in a range must not ask a node for a year of its chain.
MOST_BLOCKS = 10_000
_HARMLESS = re.compile("[0-9a-zA-Z.-]{1,24}")
_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")


def block_numbers(texts: Iterable[str]) -> list[int | None]:
    """Numbers in the order in which they are asked for, each once; None stands for the newest block.

    Raises
    ------
    NodeError
        If one is no number, or there are too many.
    """
    found: dict[int | None, None] = {}
    for text in texts:
        first, between, last = text.partition("..")
        if text == LATEST:
            found[None] = None
            continue
        low = _number(first, text)
        high = _number(last, text) if between else low
        if high < low:
            raise NodeError(f"{_shown(text)}: ends before it begins")
        if high - low >= MOST_BLOCKS or len(found) + high - low >= MOST_BLOCKS:
            raise NodeError(f"{_shown(text)}: at most {MOST_BLOCKS:,} blocks are fetched by one command")
        found |= dict.fromkeys(range(low, high + 1))
    return list(found)


def _number(text: str, whole: str) -> int:
    found = int(text) if _DECIMAL.fullmatch(text) else number_of(text)
    if found is None or found >= 1 << 64:
        raise NodeError(f"{_shown(whole)}: is no block; write 24628607, 24628600..24628607 or {LATEST}")
    return found


def _shown(text: str) -> str:
    # What stands in the wrong place may be a URL with a key, or the key.
    return text if _HARMLESS.fullmatch(text) else "what is to be fetched"
