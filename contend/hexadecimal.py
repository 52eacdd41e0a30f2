"""Hexadecimal: numbers and bytes as text, as clients write them over JSON-RPC and as official tests write them.

Below all rooms: whatever reads a number or bytes from outside asks here. Python's own readers would also take
underscores, blanks, signs, upper-case prefixes and the digits of other scripts.
"""

from __future__ import annotations

import re

# What official tests write before a number of more than 256 bits.
BIG = "0x:bigint "
_NUMBER, _WORD = re.compile("0x(0|[1-9a-f][0-9a-f]*)"), re.compile("0x[0-9a-f]{64}")
# No group is repeated: for each repetition the matcher would keep more than a hundred bytes.
_OCTETS = re.compile("0x[0-9a-fA-F]*")
_OFFICIAL, _OFFICIAL_OCTETS = re.compile(f"({BIG})?0x[0-9a-fA-F]*"), re.compile("(0x)?[0-9a-fA-F]*")


def number_of(text: str, official: bool = False) -> int | None:
    """Number that a text stands for; None where it stands for none.

    Parameters
    ----------
    text : str
        ``0x``, then lower-case digits without zeros in front.
    official : bool
        Whether it may be written as in official tests: with zeros in front or in upper case, ``0x`` for zero, and with
        `BIG` before it.
    """
    if official:
        return int(text.removeprefix(BIG)[2:] or "0", 16) if _OFFICIAL.fullmatch(text) else None
    return int(text, 16) if _NUMBER.fullmatch(text) else None


def word_of(text: str) -> int | None:
    """Number that a text of ``0x`` and 64 digits stands for; None for any other text."""
    return int(text, 16) if _WORD.fullmatch(text) else None


def octets_of(text: str, official: bool = False) -> bytes | None:
    """Bytes that a text stands for; None where it stands for none.

    Parameters
    ----------
    text : str
        ``0x``, then two digits of either case for each byte.
    official : bool
        Whether it may be written as in official tests: without ``0x``, or without the first digit of all.
    """
    if not (_OFFICIAL_OCTETS if official else _OCTETS).fullmatch(text):
        return None
    digits = text.removeprefix("0x")
    if len(digits) % 2 and not official:
        return None
    return bytes.fromhex("0" * (len(digits) % 2) + digits)
