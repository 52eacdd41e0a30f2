"""Differences between an outcome and the serial result, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contend.evm import Changes, Location, Log, Receipts

_LONGEST = 100


def receipt_differences(actual: Receipts, expected: Receipts) -> Iterator[str]:
    """Say where receipts differ from those of the serial run.

    Parameters
    ----------
    actual, expected : Receipts
        Of the same number of transactions, with different digests.

    Yields
    ------
    str
        Transaction, field, and both values.
    """
    nothing = True
    for index, field in actual.differences(expected):
        nothing = False
        yield f"transaction {index}, {_field(field, index, actual, expected)}"
    if nothing:
        yield "receipts: their digests differ although no field does"


def _field(field: str, index: int, actual: Receipts, expected: Receipts) -> str:
    match field:
        case "status":
            return _both(field, int(expected.status[index]), int(actual.status[index]))
        case "gas_used":
            return _both(field, int(expected.gas_used[index]), int(actual.gas_used[index]))
        case "output":
            return _both(field, _hex(expected.output(index)), _hex(actual.output(index)))
        case "logs":
            return _logs(expected.logs(index), actual.logs(index))
    return field


def _logs(expected: list[Log], actual: list[Log]) -> str:
    if len(expected) != len(actual):
        return _both("number of logs", len(expected), len(actual))
    for place, (right, here) in enumerate(zip(expected, actual, strict=True)):
        if right.address != here.address:
            return _both(f"address of log {place}", _hex(right.address), _hex(here.address))
        if right.topics != here.topics:
            return _both(f"topics of log {place}", list(map(hex, right.topics)), list(map(hex, here.topics)))
        if right.data != here.data:
            return _both(f"data of log {place}", _hex(right.data), _hex(here.data))
    return "encoding of the logs"


def word_differences(actual: Changes, expected: Changes, what: str, names: Mapping[bytes, str]) -> Iterator[str]:
    """Say where changed words differ from those of the serial run.

    Parameters
    ----------
    actual, expected : Changes
        With different digests.
    what : str
        What `actual` is called.
    names : mapping
        Names of contracts by address.

    Yields
    ------
    str
        Location and both words.
    """
    # Through iterators: `Changes.keys` would make `dict` take them for mappings.
    theirs, ours = dict(iter(expected)), dict(iter(actual))
    nothing = True
    for location in [*theirs, *(one for one in ours if one not in theirs)]:
        serial, here = theirs.get(location), ours.get(location)
        if serial != here:
            nothing = False
            yield f"{what}, {_both(_describe(location, names), _word(serial), _word(here))}"
    if nothing:
        yield f"{what}: rows are out of order or repeated"


def _describe(location: Location, names: Mapping[bytes, str]) -> str:
    slot = f" slot {hex(location.slot)}" if location.kind == "storage" else ""
    name = f" ({names[location.address]})" if location.address in names else ""
    return f"{location.kind} of {_hex(location.address)}{name}{slot}"


def _both(what: str, serial: object, here: object) -> str:
    return f"{what}: serial {_short(serial)}, here {_short(here)}"


def _word(word: int | None) -> str:
    return "unchanged" if word is None else hex(word)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
