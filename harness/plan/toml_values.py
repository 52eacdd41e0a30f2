"""TOML values: what a settings file says that is no text, in the form that Python takes.

Each function takes the name that complaints begin with and the value, and raises `BadInputError` if it is of another
kind. Ranges are checked where the value is kept (`harness.plan.option_types.OptionType.keep`).
"""

from __future__ import annotations

from typing import Any

from contend.harness.errors import BadInputError

DialValue = int | float | str


def no_text(name: str, value: Any) -> Any:
    """Refuse what can be said as a text only."""
    raise BadInputError(f"{name}: {value!r} is not a text")


def texts(name: str, value: Any, example: str) -> list[str]:
    """Take a list of texts."""
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise BadInputError(f"{name}: {value!r} is not a list of texts, such as {example}")
    return value


def counts(name: str, value: Any) -> int | list[int]:
    """Take a number or a list of numbers."""
    if isinstance(value, bool) or not isinstance(value, list | int):
        raise BadInputError(f"{name}: {value!r} is not a list of whole numbers, such as [1, 2]")
    return value


def number(name: str, value: Any) -> float:
    """Take a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInputError(f"{name}: {value!r} is not a number")
    return value


def flag(name: str, value: Any) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise BadInputError(f"{name}: {value!r} is neither true nor false")
    return value


def dials(name: str, value: Any) -> dict[str, DialValue]:
    """Take a table of dials; a bare ``swaps.pools`` is a table within a table to TOML."""
    if not isinstance(value, dict):
        raise BadInputError(f"{name}: {value!r} is not a table of dials, such as {{ pools = 1 }}")
    return {dial: _dial(name, dial, one) for dial, one in _dotted(value).items()}


def sweep(name: str, value: Any) -> tuple[str, list[DialValue]]:
    """Take a table of one dial with a list of values."""
    dotted = _dotted(value) if isinstance(value, dict) else {}
    if len(dotted) != 1:
        raise BadInputError(f"{name}: {value!r} is not one dial with its values, such as {{ pools = [1, 10] }}")
    ((dial, values),) = dotted.items()
    if not isinstance(values, list) or len(values) < 2:
        raise BadInputError(f"{name}: {dial} = {values!r} is not a list of two values or more, such as [1, 10]")
    return dial, [_dial(name, dial, one) for one in values]


def _dotted(table: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= {f"{key}.{last}": deep for last, deep in value.items()} if isinstance(value, dict) else {key: value}
    return found


def _dial(name: str, dial: str, value: Any) -> DialValue:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadInputError(f"{name}: {dial} = {value!r} is neither a number nor a text")
    return value
