"""A model as the text of its file, and in words."""

from __future__ import annotations

import json
from collections.abc import Iterator

from contend.strategies.adaptive.block_features import FEATURES
from contend.strategies.adaptive.decision_model import DecisionModel
from contend.strategies.adaptive.decision_tree import LEAF


def text_of_model(model: DecisionModel) -> str:
    """Text of a file: JSON, a list of numbers to a line, so that changes of a model can be read."""
    content = model.as_json()
    parts = [
        f" {json.dumps(source)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {_inner(value)}" for name, value in part.items())
        + "\n }"
        for source, part in content.pop("parts").items()
    ]
    head = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
    return "{\n" + head + ',\n"parts": {\n' + ",\n".join(parts) + "\n}\n}\n"


def described(model: DecisionModel) -> Iterator[str]:
    """Say what a model goes by, a line for each source of what is given."""
    names = list(FEATURES)
    for source, part in model.parts.items():
        asked = sorted({feature for feature in part.tree.feature if feature != LEAF})
        candidates = ", ".join(map(str, part.candidates))
        features = ", ".join(names[feature] for feature in asked) or "nothing"
        leaves = part.tree.feature.count(LEAF)
        yield (
            f"given {source}: {candidates}, or serial below {part.serial_below} transactions; by {features}; "
            f"{leaves} leaves"
        )


def _inner(value: object) -> str:
    if not isinstance(value, dict):
        return json.dumps(value)
    return "{\n" + ",\n".join(f"   {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items()) + "\n  }"
