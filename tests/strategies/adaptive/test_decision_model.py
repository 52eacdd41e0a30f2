"""Models as files: whatever is wrong with one is one line, and no way down a tree that is accepted goes on for ever."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.strategies.adaptive.decision_model import VERSION, DecisionModel, ModelError, shipped_model

Spoil = Callable[[dict[str, Any]], object]


def spoilt(spoil: Spoil) -> dict[str, Any]:
    content = copy.deepcopy(shipped_model().as_json())
    spoil(content)
    return content


def tree(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["parts"]["none"]["tree"]
    return found


WRONG: dict[str, Spoil] = {
    "no model": lambda content: content.update(schema="something"),
    "newer than this version": lambda content: content.update(version=VERSION + 1),
    "where 1 is read": lambda content: content.update(version=True),
    "features are not those": lambda content: content["features"].pop(),
    'no object "parts"': lambda content: content.update(parts=[]),
    "parts are none and block": lambda content: content["parts"].update(truth={}),
    "is no object": lambda content: content["parts"].update(none=1),
    "list of 1 to 32 candidates": lambda content: content["parts"]["none"].update(candidates=[]),
    "names no contender": lambda content: content["parts"]["none"]["candidates"][0].update(contender="../x"),
    "divisor": lambda content: content["parts"]["none"]["candidates"][0].update(divisor=0),
    "serial_below": lambda content: content["parts"]["none"].update(serial_below=-1),
    "margin": lambda content: content["parts"]["none"].update(margin=0.5),
    "lists of equal length": lambda content: tree(content)["left"].pop(),
    "left is 0": lambda content: tree(content)["left"].__setitem__(0, 0),
    "right": lambda content: tree(content)["right"].__setitem__(0, 1 << 40),
    "node 0': feature": lambda content: tree(content)["feature"].__setitem__(0, 99),
    "threshold": lambda content: tree(content)["threshold"].__setitem__(0, "1"),
    "a leaf has a value": lambda content: tree(content)["value"].__setitem__(tree(content)["feature"].index(-1), [1]),
}


@pytest.mark.parametrize("told", WRONG)
def test_what_is_wrong_is_told_in_one_line(told: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(spoilt(WRONG[told])))
    with pytest.raises(ModelError) as found:
        DecisionModel.read(path)
    assert told in str(found.value)
    assert str(found.value).startswith(str(path))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": "contend-model"}', "\x00", '{"a": 1, "a": 2}'])
def test_what_is_no_model_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(ModelError):
        DecisionModel.read(path)
    with pytest.raises(ModelError, match="not a readable model"):
        DecisionModel.read(tmp_path / "nothing.json")


@given(
    st.integers(0, 1 << 30), st.sampled_from(["feature", "threshold", "left", "right", "value"]), st.integers(-3, 200)
)
def test_ways_down_a_tree_that_is_accepted_end(place: int, name: str, value: int) -> None:
    content = spoilt(lambda found: tree(found)[name].__setitem__(place % len(tree(found)[name]), value))
    try:
        found = DecisionModel.from_json(content).parts["none"].tree
    except ModelError:
        return
    for child in (found.left, found.right):
        assert all(at > node for node, at in enumerate(child) if found.feature[node] >= 0)
