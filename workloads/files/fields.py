"""Checked reading of JSON from outside: every error names the file and the field.

Numbers and bytes are taken as JSON-RPC writes them (``0x`` and ASCII digits), numbers also in decimal digits or as JSON
numbers, and in no other way: Python's own readers would also take underscores, spaces, signs and the digits of other
scripts, and of two members with one name in an object the last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from contend.workloads.files.content import content_of

_HEXADECIMAL, _DECIMAL = re.compile("0x[0-9a-fA-F]*"), re.compile("[0-9]{1,100}")
_OCTETS = re.compile("(0x)?[0-9a-fA-F]*")
# What official state tests write before a number of more than 256 bits.
_BIG = "0x:bigint "


class FieldError(ValueError):
    """Malformed or unreadable file. The message is one line that names file and field."""


class RangeError(FieldError):
    """Number that is well written and too large for what it stands for."""


class Field:
    """Value of a JSON document with its path, which messages name.

    Parameters
    ----------
    where : str
        Path of the file, then the names of fields.
    value : Any
        Value as `json` read it.
    """

    def __init__(self, where: str, value: Any) -> None:
        self.where = where
        self.value = value

    def fail(self, what: str) -> FieldError:
        """Error about this field, for the caller to raise."""
        return FieldError(f"{self.where}: {what}")

    def __getitem__(self, name: str) -> Field:
        found = self.get(name)
        if found is None:
            raise FieldError(f"{self.where}: the field {name!r} is missing")
        return found

    def get(self, name: str) -> Field | None:
        """Member of an object by its name, None where it is absent or null."""
        value = self.mapping().get(name)
        return None if value is None else Field(f"{self.where}.{name}", value)

    def mapping(self) -> dict[str, Any]:
        """Value as an object."""
        if not isinstance(self.value, dict):
            raise self.fail(f"{_show(self.value)} is not an object")
        return self.value

    def items(self) -> Iterator[tuple[str, Field]]:
        """Members of an object: name and field of each."""
        for name, value in self.mapping().items():
            yield name, Field(f"{self.where}.{_plain(name)}", value)

    def elements(self) -> list[Field]:
        """Elements of an array."""
        if not isinstance(self.value, list):
            raise self.fail(f"{_show(self.value)} is not an array")
        return [Field(f"{self.where}[{i}]", value) for i, value in enumerate(self.value)]

    def text(self) -> str:
        """Value as a text."""
        if not isinstance(self.value, str):
            raise self.fail(f"{_show(self.value)} is not a text")
        return self.value

    def integer(self, bits: int = 256) -> int:
        """Value as an integer from 0 to ``2**bits - 1``: a number, or hexadecimal (perhaps after ``0x:bigint``).

        Raises
        ------
        RangeError
            If it is an integer, and more than that.
        FieldError
            If it is none.
        """
        value, wrong = self.value, f"{_show(self.value)} is not an integer of at most {bits} bits"
        if isinstance(value, str):
            digits = value.removeprefix(_BIG)
            value = int(digits) if _DECIMAL.fullmatch(digits) else None
            if _HEXADECIMAL.fullmatch(digits):
                value = int(digits[2:] or "0", 16)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fail(wrong)
        if value >= 1 << bits:
            raise RangeError(f"{self.where}: {wrong}")
        return value

    def excess_blob_gas(self) -> int:
        """Value as excess blob gas (EIP-4844): at the end of its 29 bits, a blob gas costs 2**232 wei.

        The fee is a series of about as many terms as the excess is millions, so more would never be computed.
        """
        return self.integer(29)

    def octets(self, size: int | None = None) -> bytes:
        """Value as bytes in hexadecimal, of `size` bytes where that is given; an odd number of digits gets a zero."""
        text = self.value
        if not isinstance(text, str) or not _OCTETS.fullmatch(text):
            raise self.fail(f"{_show(text)} is not bytes in hexadecimal")
        digits = text.removeprefix("0x")
        found = bytes.fromhex("0" * (len(digits) % 2) + digits)
        if size is not None and len(found) != size:
            raise self.fail(f"{_show(text)} has {len(found)} bytes, not {size}")
        return found

    def named(self, name: str) -> Field:
        """Name of a member as a field of its own, for objects whose names are addresses or slots."""
        return Field(f"{self.where} (its name)", name)


def _plain(name: str) -> str:
    """Name as it is shown in a message of one line."""
    return name if name.isprintable() and len(name) <= 80 else _show(name)


def _show(value: Any) -> str:
    """Value as it is shown in a message, shortened to 40 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def unique(fields: Iterable[tuple[Any, Any]], where: Field) -> dict[Any, Any]:
    """Members of an object whose names stand for something else, an address or a slot, which none may name twice.

    Raises
    ------
    FieldError
        If two names are one: ``0x1`` and ``0x01``.
    """
    found: dict[Any, Any] = {}
    for key, value in fields:
        if key in found:
            shown = f"0x{key.hex()}" if isinstance(key, bytes) else f"{key:#x}"
            raise where.fail(f"{shown} stands twice in it")
        found[key] = value
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has two members with the name {_show(twice)}")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def load(path: Path | str, text: bytes | str) -> Field:
    """Parse a JSON document.

    Raises
    ------
    FieldError
        If it is no JSON, or of two members with one name in an object only one could be kept.
    """
    try:
        # RecursionError: nested too deeply to be meant. Very long numbers raise ValueError.
        return Field(str(path), json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as error:
        raise FieldError(f"{path}: no JSON: {' '.join(str(error).split())}") from None


def read(path: Path) -> Field:
    """Read and parse a file, unpacked where it is gzip.

    Raises
    ------
    FieldError
        If it cannot be read, or is no JSON.
    """
    try:
        return load(path, content_of(path))
    except (OSError, EOFError) as error:
        raise FieldError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
