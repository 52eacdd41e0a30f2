"""Reading JSON that others wrote: every value is checked, and what is wrong is named by file and field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


class FieldError(ValueError):
    """A file is not what it should be. The message is one line that names file and field."""


class Field:
    """A value of a JSON document, and the way to it.

    Parameters
    ----------
    where : str
        File, then field names, for messages.
    value : Any
        What `json` read.
    """

    def __init__(self, where: str, value: Any) -> None:
        self.where = where
        self.value = value

    def fail(self, what: str) -> FieldError:
        """An error about this field, to be raised."""
        return FieldError(f"{self.where}: {what}")

    def __getitem__(self, name: str) -> Field:
        found = self.get(name)
        if found is None:
            raise FieldError(f"{self.where}: the field {name!r} is missing")
        return found

    def get(self, name: str) -> Field | None:
        """The field of this name, None where it is absent or null."""
        value = self.mapping().get(name)
        return None if value is None else Field(f"{self.where}.{name}", value)

    def mapping(self) -> dict[str, Any]:
        """The value as an object."""
        if not isinstance(self.value, dict):
            raise self.fail(f"{_show(self.value)} is not an object")
        return self.value

    def items(self) -> Iterator[tuple[str, Field]]:
        """Name and field of each member of an object."""
        for name, value in self.mapping().items():
            yield name, Field(f"{self.where}.{_plain(name)}", value)

    def elements(self) -> list[Field]:
        """The fields of an array."""
        if not isinstance(self.value, list):
            raise self.fail(f"{_show(self.value)} is not an array")
        return [Field(f"{self.where}[{i}]", value) for i, value in enumerate(self.value)]

    def text(self) -> str:
        """The value as a text."""
        if not isinstance(self.value, str):
            raise self.fail(f"{_show(self.value)} is not a text")
        return self.value

    def integer(self, bits: int = 256) -> int:
        """A non-negative integer: a number, or hexadecimal (some files put ``0x:bigint`` in front)."""
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

    def octets(self, size: int | None = None) -> bytes:
        """Bytes in hexadecimal, of a given size where one is named; a missing leading zero is taken as there."""
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
        """A member's name, as a field of its own: objects have addresses and slots as names."""
        return Field(f"{self.where} (its name)", name)


def _plain(name: str) -> str:
    """A name as it is shown in a message of one line."""
    return name if name.isprintable() and len(name) <= 80 else _show(name)


def _show(value: Any) -> str:
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
