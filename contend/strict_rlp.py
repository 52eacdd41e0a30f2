"""Strict RLP: what bytes from outside encode, where they are its one encoding (Yellow Paper, appendix B).

Below all rooms: blocks and block access lists are both read by this. Blocks that somebody made up are decoded before
anything is known of them. So lists are counted, and may be no more than the bytes of anything that is meant would hold;
levels are counted, too, and neither Python's stack nor its memory ends before the bytes do.
"""

from __future__ import annotations

from typing import TypeAlias

Item: TypeAlias = "bytes | list[Item]"

# Of a block it is seven, down to the slots of an access list.
MOST_LEVELS = 16
# The shortest lists of a block are withdrawals, of some 25 bytes, and entries of access lists, of 23 bytes for two.
BYTES_A_LIST, FREE_LISTS = 8, 1024
_SHORT = 55  # the longest length that is said in the first byte


class RlpError(ValueError):
    """Bytes that are not the one encoding of anything. One line."""


def decode(data: bytes, bytes_a_list: int = BYTES_A_LIST) -> Item:
    """Nested lists of bytes that the data encode.

    Parameters
    ----------
    data : bytes
    bytes_a_list : int
        Bytes that a list has on the average at least; a few are free.

    Raises
    ------
    RlpError
        If the data are not the shortest encoding, or go on behind it; if lists are nested too deeply or too many.
    """
    if not data:
        raise RlpError("no bytes at all")
    found = _Decoder(data, FREE_LISTS + len(data) // bytes_a_list).items(0, len(data), MOST_LEVELS + 1)
    if len(found) > 1:
        raise RlpError("bytes behind the end")
    return found[0]


class _Decoder:
    def __init__(self, data: bytes, most_lists: int) -> None:
        self._data = data
        self._lists_left = most_lists

    def items(self, at: int, end: int, levels: int) -> list[Item]:
        """Items from one place to another, which is theirs."""
        if not levels:
            raise RlpError("nested too deeply")
        data = self._data
        found: list[Item] = []
        while at < end:
            head = data[at]
            if head < 0x80:
                found.append(data[at : at + 1])
                at += 1
                continue
            is_list = head >= 0xC0
            size = head - (0xC0 if is_list else 0x80)
            at += 1
            if size > _SHORT:
                length_bytes = size - _SHORT
                size = self._length(at, length_bytes, end)
                at += length_bytes
            after = at + size
            if after > end:
                raise RlpError("an item ends behind what it is in")
            if is_list:
                self._lists_left -= 1
                if self._lists_left < 0:
                    raise RlpError("more lists than so many bytes have")
                found.append(self.items(at, after, levels - 1))
            else:
                if size == 1 and data[at] < 0x80:
                    raise RlpError("a byte that would stand for itself has its length before it")
                found.append(data[at:after])
            at = after
        return found

    def _length(self, at: int, size: int, end: int) -> int:
        data = self._data
        if at + size > end:
            raise RlpError("a length ends behind what it is in")
        length = int.from_bytes(data[at : at + size], "big")
        if data[at] == 0 or length <= _SHORT:
            raise RlpError("a length is not said in the shortest way")
        return length
