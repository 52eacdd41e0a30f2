"""A plain structural check of JSON content against the JSON Schema that is checked in: what a reader relies on.

A folder of records is read whenever a table or a chart of it is made, so the check must be quick. `jsonschema`, which
the tests hold every record against, takes some nine times as long and would bring four packages, one of them
compiled, to every user. So this looks at the part of the schema that decides whether a file can be read at all: types,
required keys, ranges of numbers, words from a list. Keys that the schema does not know are left alone: a later Contend
may add some without a new version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


class StructureError(ValueError):
    """Content that is not as the schema says; the text names the place and what is wrong there."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}


def validate(content: Any, schema: Schema) -> None:
    """Check content as `json.loads` gives it.

    Parameters
    ----------
    content : object
    schema : mapping
        JSON Schema whose references point to its own ``$defs``.

    Raises
    ------
    StructureError
        At the first thing that is wrong, by its place: ``cells[3].samples[0].seconds: missing``.
    """
    _check(content, schema, schema["$defs"], "")


def _check(value: Any, schema: Schema, definitions: Mapping[str, Schema], place: str) -> None:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else kinds
    if kinds and not any(_TYPES[kind](value) for kind in kinds):
        raise StructureError(f"{place or 'content'}: {_shown(value)} is not {_or(kinds)}")
    if "enum" in schema and value not in schema["enum"]:
        raise StructureError(f"{place}: {_shown(value)} is none of {', '.join(map(repr, schema['enum']))}")
    if _is_number(value):
        _check_range(value, schema, place)
    elif isinstance(value, dict):
        _check_object(value, schema, definitions, place)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            _check(item, schema["items"], definitions, f"{place}[{index}]")


def _check_range(value: float, schema: Schema, place: str) -> None:
    if "minimum" in schema and value < schema["minimum"]:
        raise StructureError(f"{place}: {value} is below {schema['minimum']}")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        raise StructureError(f"{place}: {value} is not above {schema['exclusiveMinimum']}")


def _check_object(value: Mapping[str, Any], schema: Schema, definitions: Mapping[str, Schema], place: str) -> None:
    start = f"{place}." if place else ""
    for name in schema.get("required", ()):
        if name not in value:
            raise StructureError(f"{start}{name}: missing")
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for name, item in value.items():
        if name in properties:
            _check(item, properties[name], definitions, start + name)
        elif isinstance(others, dict):
            _check(item, others, definitions, start + name)


def _shown(value: Any) -> str:
    return f"a {type(value).__name__}" if isinstance(value, dict | list) else repr(value)


def _or(kinds: Sequence[str]) -> str:
    return " or ".join(kinds)
