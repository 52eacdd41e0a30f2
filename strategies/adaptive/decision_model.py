"""Decision model: what was learned of which contender takes how long on which block, and what follows for a block.

A model is a file that anybody may have written: it is bounded, all of it is checked when it is read, and it can cost
time and never a result, since it decides nothing but who executes. Whoever makes one is `harness.learning`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contend.evm.block_image import BlockImage
from contend.outside_files import json_of, reason, shown, text_of
from contend.strategies.adaptive.block_features import FEATURES
from contend.strategies.adaptive.decision_tree import LEAF, Descent, Tree

MODEL_FILE = Path(__file__).with_name("model.json")
SCHEMA, VERSION = "contend-model", 1
MOST_BYTES, MOST_NODES, MOST_CANDIDATES = 1 << 22, 1 << 12, 32
UNIT = 1_000
"""Of expected values: thousandths of the binary logarithm of a time over the serial one."""
LEAST_PART = 2
"""Workers that a part of them has at least."""
_MOST_VALUE, _MOST_THRESHOLD, _MOST_DIVISOR = 64 * UNIT, 1 << 62, 64
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}(\+[a-z_]{1,20})?")


class ModelError(ValueError):
    """A model that cannot be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Candidate:
    """A contender that blocks may be given to, with a part of the workers.

    Attributes
    ----------
    contender : str
    divisor : int
        By which the workers are divided.
    """

    contender: str
    divisor: int = 1

    def workers_of(self, workers: int) -> int:
        """Of so many workers those that it has."""
        return max(workers // self.divisor, 1)

    def __str__(self) -> str:
        return self.contender if self.divisor == 1 else f"{self.contender}/{self.divisor}"


@dataclass(frozen=True)
class Part:
    """What a model knows for one source of what a strategy is given.

    Attributes
    ----------
    candidates : tuple of Candidate
    serial_below : int
        Transactions of a block below which nothing was ever faster than serial execution.
    margin : int
        By how much, in units of `UNIT`, a candidate must be expected to be faster than serial execution to be chosen.
    tree : Tree
    """

    candidates: tuple[Candidate, ...]
    serial_below: int
    margin: int
    tree: Tree


@dataclass(frozen=True)
class DecisionModel:
    """A model as a file has it.

    Attributes
    ----------
    parts : mapping of str to Part
        By source (`strategies.given`): ``none``, ``block``.
    made_with : mapping
        What it was learned from and with: ``kernels`` and ``costs`` (digests), ``records``, ``blocks``, ``workloads``.
    """

    parts: Mapping[str, Part]
    made_with: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Show the model as a file keeps it."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "made_with": dict(self.made_with),
            "features": list(FEATURES),
            "parts": {source: _part_as_json(part) for source, part in self.parts.items()},
        }

    @classmethod
    def read(cls, path: Path = MODEL_FILE) -> DecisionModel:
        """Read a model.

        Raises
        ------
        ModelError
            If the file is missing, no model, of a newer version, of other features, or damaged.
        """
        try:
            content = json_of(text_of(path, MOST_BYTES))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: not a readable model ({reason(error)}); `contend learn` makes one") from error
        try:
            return cls.from_json(content)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from None

    @classmethod
    def from_json(cls, content: object) -> DecisionModel:
        """Read what `as_json` gave.

        Raises
        ------
        ModelError
            As `read`, without the path.
        """
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise ModelError("no model of `contend learn`")
        version = content.get("version")
        if type(version) is not int or version != VERSION:
            newer = type(version) is int and version > VERSION
            raise ModelError(
                f"a model of version {shown(version)}, "
                + ("newer than this version of Contend" if newer else f"where {VERSION} is read")
            )
        if content.get("features") != list(FEATURES):
            raise ModelError("its features are not those of this version; learn it again with `contend learn`")
        parts, made_with = content.get("parts"), content.get("made_with")
        if not isinstance(parts, dict) or not parts or not isinstance(made_with, dict):
            raise ModelError('damaged: no object "parts" or "made_with"')
        if not set(parts) <= {"none", "block"}:
            raise ModelError(f"damaged: parts are none and block, not {shown(sorted(parts))}")
        return cls({source: _part(source, part) for source, part in parts.items()}, made_with)


@cache
def shipped_model() -> DecisionModel:
    """The model that comes with the project."""
    return DecisionModel.read()


@dataclass(frozen=True)
class Choice:
    """What was chosen for a block, and why.

    Attributes
    ----------
    candidate : Candidate
    speedup : float
        Over serial execution, as expected; 1 of serial execution itself.
    asked, looked : int
        Nodes of the tree that were asked, and looks at transactions; 0 where the numbers of transactions and workers
        said enough.
    """

    candidate: Candidate
    speedup: float = 1.0
    asked: int = 0
    looked: int = 0

    def as_json(self) -> dict[str, Any]:
        """Show what was chosen as plain data."""
        return {"contender": self.candidate.contender, "divisor": self.candidate.divisor, "speedup": self.speedup}


SERIAL = Candidate("serial")


class Chooser:
    """A part of a model in use.

    Parameters
    ----------
    part : Part
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self._descent = Descent(part.tree)

    def choose(self, image: BlockImage, workers: int, past: tuple[int, ...], usable: Sequence[bool]) -> Choice:
        """Choose for a block; of equals the first candidate.

        Parameters
        ----------
        image : BlockImage
        workers : int
        past : tuple of int
            What the block before has told (`OF_PAST`).
        usable : sequence of bool
            Of each candidate whether it can be given the block.
        """
        transactions = len(image)
        # One worker shares with nobody, nor does a small block.
        if workers == 1 or transactions < self.part.serial_below:
            return Choice(SERIAL)
        leaf, asked, looked = self._descent.leaf(image, workers, past)
        best, least = best_of_leaf(self.part, leaf, workers, usable)
        return Choice(best, 1.0 if best is SERIAL else 2.0 ** (-least / UNIT), asked, looked)

    def reasons(self) -> list[str]:
        """What was asked of the last block that any was asked of, and the answers."""
        return self.part.tree.reasons(self._descent.features)


def best_of_leaf(part: Part, leaf: int, workers: int, usable: Sequence[bool]) -> tuple[Candidate, int]:
    """The candidate that a leaf expects to be quickest, serial execution being one, and the value expected."""
    best, least = SERIAL, -part.margin
    for one, value, can in zip(part.candidates, part.tree.value[leaf], usable, strict=True):
        if value < least and can and (one.divisor == 1 or one.workers_of(workers) >= LEAST_PART):
            best, least = one, value
    return best, least


def _part_as_json(part: Part) -> dict[str, Any]:
    return {
        "candidates": [{"contender": one.contender, "divisor": one.divisor} for one in part.candidates],
        "serial_below": part.serial_below,
        "margin": part.margin,
        "tree": {
            "feature": list(part.tree.feature),
            "threshold": list(part.tree.threshold),
            "left": list(part.tree.left),
            "right": list(part.tree.right),
            "value": [list(one) for one in part.tree.value],
        },
    }


def _part(source: str, content: object) -> Part:
    if not isinstance(content, dict):
        raise ModelError(f"damaged: part {source!r} is no object")
    candidates = content.get("candidates")
    if not isinstance(candidates, list) or not 1 <= len(candidates) <= MOST_CANDIDATES:
        raise ModelError(f"damaged: part {source!r} has no list of 1 to {MOST_CANDIDATES} candidates")
    return Part(
        tuple(_candidate(source, one) for one in candidates),
        _number(source, "serial_below", content.get("serial_below"), 0, 1 << 32),
        _number(source, "margin", content.get("margin"), 0, _MOST_VALUE),
        _tree(source, content.get("tree"), len(candidates)),
    )


def _candidate(source: str, content: object) -> Candidate:
    name = content.get("contender") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ModelError(f"damaged: part {source!r}: {shown(content)} names no contender")
    return Candidate(name, _number(source, "divisor", content.get("divisor"), 1, _MOST_DIVISOR))


def _number(where: str, name: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ModelError(f"damaged: part {where!r}: {name} is {shown(value)}, not a whole number {least} to {most}")
    return value


def _tree(where: str, content: object, candidates: int) -> Tree:
    """A tree of which every way ends at a leaf: children have higher numbers, and are there."""
    names = ("feature", "threshold", "left", "right", "value")
    lists: list[Any] = [content.get(name) for name in names] if isinstance(content, dict) else [None]
    if not all(isinstance(one, list) and 1 <= len(one) <= MOST_NODES and len(one) == len(lists[0]) for one in lists):
        raise ModelError(
            f"damaged: part {where!r}: its tree has no lists of equal length, 1 to {MOST_NODES}, for all of its nodes"
        )
    feature, threshold, left, right, value = lists
    count = len(feature)
    for node in range(count):
        place = f"{where}, node {node}"
        if _number(place, "feature", feature[node], LEAF, len(FEATURES) - 1) == LEAF:
            leaf = value[node]
            if not isinstance(leaf, list) or len(leaf) != candidates:
                raise ModelError(f"damaged: part {place}: a leaf has a value for each candidate")
            for one in leaf:
                _number(place, "value", one, -_MOST_VALUE, _MOST_VALUE)
        else:
            _number(place, "threshold", threshold[node], -_MOST_THRESHOLD, _MOST_THRESHOLD)
            for name, children in (("left", left), ("right", right)):
                _number(place, name, children[node], node + 1, count - 1)
    return Tree(feature, threshold, left, right, value)
