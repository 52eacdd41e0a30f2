"""Checked reading of JSON from outside: every error names the file and the field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


class FieldError(ValueError):
    """Malformed or unreadable file. The message is one line that names file and field."""


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
        """Value as an integer from 0 to ``2**bits - 1``: a number, or hexadecimal (perhaps after ``0x:bigint``)."""
        value = self.value
        if isinstance(value, str):
            digits = value.rpartition(" ")[2]
            try:
                value = int(digits, 16 if digits.startswith("0x") else 10) if digits not in {"", "0x"} else 0
            except ValueError:
                value = None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
            raise self.fail(f"{_show(self.value)} is not an integer of at most {bits} bits")
        return value

    def excess_blob_gas(self) -> int:
        """Value as excess blob gas (EIP-4844): at the end of its 29 bits, a blob gas costs 2**232 wei.

        The fee is a series of about as many terms as the excess is millions, so more would never be computed.
        """
        return self.integer(29)

    def octets(self, size: int | None = None) -> bytes:
        """Value as bytes in hexadecimal, of `size` bytes where that is given; an odd number of digits gets a zero."""
        text = self.value
        try:
            digits = text.removeprefix("0x") if isinstance(text, str) else "?"
            found = bytes.fromhex("0" * (len(digits) % 2) + digits)
        except ValueError:
            raise self.fail(f"{_show(text)} is not bytes in hexadecimal") from None
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


def load(path: Path | str, text: bytes | str) -> Field:
    """Parse a JSON document.

    Raises
    ------
    FieldError
        If it is no JSON.
    """
    try:
        # RecursionError: nested too deeply to be meant. Very long numbers raise ValueError.
        return Field(str(path), json.loads(text))
    except (ValueError, RecursionError) as error:
        raise FieldError(f"{path}: no JSON: {' '.join(str(error).split())}") from None


def read(path: Path, opener: Callable[[Path], bytes] = Path.read_bytes) -> Field:
    """Read and parse a file.

    Raises
    ------
    FieldError
        If it cannot be read, or is no JSON.
    """
    try:
        return load(path, opener(path))
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FieldError(f"{path}: cannot be read: {reason}") from None
