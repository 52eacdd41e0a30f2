from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from contend.harness.record.content.schema_check import StructureError, validate
from contend.harness.records import schema

Make = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("cells", 0, "samples", 1, "seconds"), 0, r"cells\[0\]\.samples\[1\]\.seconds: 0 is not above 0"),
        (("cells", 0, "samples", 1, "seconds"), "0.1", r"seconds: '0.1' is not number"),
        (("cells", 0, "samples", 1, "seconds"), True, r"seconds: True is not number"),
        (("cells", 0, "samples", 1, "process"), -1, r"process: -1 is below 0"),
        (("cells", 0, "samples", 1, "phases", "commit"), None, r"phases\.commit: None is not number"),
        (("cells", 0, "samples"), {}, r"cells\[0\]\.samples: a dict is not array"),
        (("cells", 0, "clock"), "sundial", r"clock: 'sundial' is none of 'wall', 'virtual'"),
        (("cells", 0, "counters", "aborts"), "many", r"counters\.aborts: 'many' is not number"),
        (("cells", 0, "error"), 3, r"error: 3 is not string or null"),
        (("sessions",), 3, r"sessions: 3 is not array"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(
    make_cell: Make, make_record: Make, path: tuple[Any, ...], value: object, words: str
) -> None:
    record = make_record([make_cell(counters={"aborts": 1})])
    validate(record, schema())
    *way, last = path
    place: Any = record
    for step in way:
        place = place[step]
    place[last] = value
    with pytest.raises(StructureError, match=words):
        validate(record, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, schema())


def places_of(content: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield (*place, name)
            yield from places_of(value, (*place, name))
    elif isinstance(content, list) and content:
        yield from places_of(content[0], (*place, 0))


def test_a_missing_key_is_found_wherever_the_schema_finds_it(make_cell: Make, make_record: Make) -> None:
    record = json.loads(json.dumps(make_record([make_cell(critical_path=5, rounds=1)])))
    validator = jsonschema.Draft202012Validator(schema())
    missed = 0
    for *way, last in list(places_of(record)):
        damaged = copy.deepcopy(record)
        place = damaged
        for step in way:
            place = place[step]
        del place[last]
        if validator.is_valid(damaged):
            validate(damaged, schema())
            continue
        missed += 1
        # Derived figures that may be one of several things are looked at by nobody: they are computed anew.
        if way[-1:] == ["phases"] and "samples" not in way:
            continue
        with pytest.raises(StructureError, match=f"{last}: missing"):
            validate(damaged, schema())
    assert missed > 80


def test_keys_of_a_later_contend_are_left_alone(make_cell: Make, make_record: Make) -> None:
    record = make_record([make_cell() | {"latency_of_tomorrow": 3}])
    validate(record | {"more": None}, schema())


def test_the_schema_uses_what_the_check_knows_for_all_that_is_required() -> None:
    known = {"$ref", "type", "required", "properties", "items", "additionalProperties", "enum", "description"}
    known |= {"minimum", "exclusiveMinimum"}
    # These are looked at by jsonschema only, in tests: none decides whether a record can be read.
    known |= {
        "pattern",
        "const",
        "anyOf",
        "if",
        "then",
        "minItems",
        "maxItems",
        "exclusiveMaximum",
        "$schema",
        "title",
        "$defs",
    }
    assert set(keywords(schema())) <= known


def keywords(node: dict[str, Any]) -> Iterator[str]:
    for name, value in node.items():
        yield name
        if name in ("properties", "$defs"):
            for one in value.values():
                yield from keywords(one)
        elif name in ("items", "additionalProperties", "if", "then") and isinstance(value, dict):
            yield from keywords(value)
