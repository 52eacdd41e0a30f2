"""Checked reading of JSON from outside: every error names the file and the field.

Numbers and bytes are taken as clients write them over JSON-RPC, and in no other way: Python's own readers would also
take underscores, spaces, signs and the digits of other scripts. A number is ``0x`` and lower-case hexadecimal digits
without zeros in front, or a JSON integer, as geth's tracer writes nonces. A word of storage, a topic or a hash that
stands for a number may also have all its 64 digits. Official tests write numbers with zeros in front, ``0x`` for zero,
and ``0x:bigint`` before what has more than 256 bits; what is not of them is read by `Field.strictly`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from contend.hexadecimal import number_of, octets_of, word_of
from contend.outside_files import content_of, json_of, reason
from contend.outside_files import shown as _show

_DECIMAL = re.compile("0|[1-9][0-9]{0,99}")

EXCESS_BITS = 29  # of excess blob gas; see `Field.excess_blob_gas`


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
    strict : bool
        Whether numbers and bytes are written as clients write them, not as official tests do.
    """

    def __init__(self, where: str, value: Any, strict: bool = False) -> None:
        self.where = where
        self.value = value
        self.strict = strict

    def strictly(self) -> Field:
        """The same value, in which numbers and bytes have to be written as clients write them."""
        return Field(self.where, self.value, True)

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
        return None if value is None else Field(f"{self.where}.{name}", value, self.strict)

    def mapping(self) -> dict[str, Any]:
        """Value as an object."""
        if not isinstance(self.value, dict):
            raise self.fail(f"{_show(self.value)} is not an object")
        return self.value

    def items(self) -> Iterator[tuple[str, Field]]:
        """Members of an object: name and field of each."""
        for name, value in self.mapping().items():
            yield name, Field(f"{self.where}.{_plain(name)}", value, self.strict)

    def elements(self) -> list[Field]:
        """Elements of an array."""
        if not isinstance(self.value, list):
            raise self.fail(f"{_show(self.value)} is not an array")
        return [Field(f"{self.where}[{i}]", value, self.strict) for i, value in enumerate(self.value)]

    def text(self) -> str:
        """Value as a text."""
        if not isinstance(self.value, str):
            raise self.fail(f"{_show(self.value)} is not a text")
        return self.value

    def integer(self, bits: int = 256) -> int:
        """Value as an integer from 0 to ``2**bits - 1``: hexadecimal after ``0x``, or a number of JSON.

        Raises
        ------
        RangeError
            If it is an integer, and more than that.
        FieldError
            If it is none.
        """
        value = number_of(self.value, not self.strict) if isinstance(self.value, str) else self.value
        return self._in_range(value, bits, "0x, then digits from 0 to f without zeros in front")

    def word(self) -> int:
        """Value as a number of at most 256 bits that may have all 64 hexadecimal digits: a slot, what is in it, a hash.

        Raises
        ------
        FieldError
            As `integer`.
        """
        found = word_of(self.value) if isinstance(self.value, str) else None
        return self.integer() if found is None else found

    def decimal(self, bits: int) -> int:
        """Value as an integer in decimal digits, for names of members that are block numbers; or as `integer`."""
        if isinstance(self.value, str) and _DECIMAL.fullmatch(self.value):
            return self._in_range(int(self.value), bits, "decimal digits")
        return self.integer(bits)

    def _in_range(self, value: Any, bits: int, form: str) -> int:
        wrong = f"{_show(self.value)} is not an integer of at most {bits} bits"
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fail(f"{wrong}; one is {form}")
        if value >= 1 << bits:
            raise RangeError(f"{self.where}: {wrong}")
        return value

    def excess_blob_gas(self) -> int:
        """Value as excess blob gas (EIP-4844): at the end of its 29 bits, a blob gas costs 2**232 wei.

        The fee is a series of about as many terms as the excess is millions, so more would never be computed.
        """
        return self.integer(EXCESS_BITS)

    def octets(self, size: int | None = None) -> bytes:
        """Value as bytes: ``0x``, then two hexadecimal digits for each; `size` of them where that is given."""
        text = self.value
        found = octets_of(text, not self.strict) if isinstance(text, str) else None
        if found is None:
            raise self.fail(f"{_show(text)} is not bytes in hexadecimal: 0x, then two digits for each byte")
        if size is not None and len(found) != size:
            raise self.fail(f"{_show(text)} has {len(found)} bytes, not {size}")
        return found

    def named(self, name: str) -> Field:
        """Name of a member as a field of its own, for objects whose names are addresses or slots."""
        return Field(f"{self.where} (its name)", name, self.strict)


def _plain(name: str) -> str:
    """Name as it is shown in a message of one line."""
    return name if name.isprintable() and len(name) <= 80 else _show(name)


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


def load(path: Path | str, text: bytes | str) -> Field:
    """Parse a JSON document.

    Raises
    ------
    FieldError
        If it is no JSON, or of two members with one name in an object only one could be kept.
    """
    try:
        return Field(str(path), json_of(text))
    except ValueError as error:
        raise FieldError(f"{path}: no JSON: {reason(error)}") from None


def read(path: Path | str) -> Field:
    """Read and parse a file, unpacked where it is gzip.

    Raises
    ------
    FieldError
        If it cannot be read, or is no JSON.
    """
    try:
        content = content_of(path)
    except (OSError, EOFError) as error:
        raise FieldError(f"{path}: cannot be read: {reason(error)}") from None
    return load(path, content)
