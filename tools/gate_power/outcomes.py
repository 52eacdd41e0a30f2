"""Outcomes of real comparisons, kept one a line as they are made: an interrupted study goes on from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from contend.harness.compare.markdown import floor_text, grounds, ratio_text
from contend.harness.compare.ratio import Pair
from contend.harness.compare.result import Comparison
from contend.harness.compare.verdict import Verdict
from contend.harness.errors import BadInputError

SAME, SLOWER, BIASED = "same", "slower", "biased"
"""What was planted: nothing; a slow-down in B; a slow-down of whatever is in the second place of a pair."""


@dataclass(frozen=True)
class CellOutcome:
    """Verdict of one cell.

    Attributes
    ----------
    name : str
    planted : bool
        Whether it was made slower, in B or in the second place.
    verdict : str
    ratio, floor : str
        In words.
    pairs : list
        Seconds of A and of B by pair of processes.
    """

    name: str
    planted: bool
    verdict: str
    ratio: str
    floor: str
    pairs: list[list[list[float]]] = field(default_factory=list)

    @property
    def claimed(self) -> bool:
        """Whether a difference was claimed."""
        return self.verdict in (Verdict.SLOWER, Verdict.FASTER)

    def samples(self) -> list[Pair]:
        """The pairs."""
        return [Pair(np.array(a), np.array(b)) for a, b in self.pairs]


@dataclass(frozen=True)
class Outcome:
    """Outcome of one comparison.

    Attributes
    ----------
    kind : str
        `SAME`, `SLOWER` or `BIASED`.
    cells : list of CellOutcome
    bias : str
        What the comparison says of a bias; empty if nothing.
    load : float or None
        Processes that ran or waited for a core after it, on average.
    seconds : float
        How long it took.
    """

    kind: str
    cells: list[CellOutcome]
    bias: str
    load: float | None
    seconds: float


def outcome_of(kind: str, comparison: Comparison, planted: str, load: float | None, seconds: float) -> Outcome:
    """Take from a comparison what the study needs.

    Parameters
    ----------
    planted : str
        Strategy that was made slower, where something was.
    """
    cells = [
        CellOutcome(
            f"{cell.name.strategy} x{cell.name.workers}",
            kind != SAME and cell.name.strategy == planted,
            cell.verdict.value,
            ratio_text(cell),
            floor_text(cell),
            [[list(a), list(b)] for a, b in zip(cell.a.seconds, cell.b.seconds, strict=True)]
            if kind == SAME and cell.a and cell.b
            else [],
        )
        for cell in comparison.compared
    ]
    bias = "; ".join(line for line in grounds(comparison) if line.startswith("Bias"))
    return Outcome(kind, cells, bias, load, seconds)


class Outcomes:
    """File of outcomes, the conditions of which are its first line.

    Parameters
    ----------
    path : Path
    conditions : mapping
        What has to be the same for outcomes to be of one study.

    Attributes
    ----------
    found : list of Outcome
        In the order in which they were made.

    Raises
    ------
    BadInputError
        If the file holds outcomes of another study.
    """

    def __init__(self, path: Path, conditions: Mapping[str, Any]) -> None:
        self._path = path
        first = json.dumps(conditions, sort_keys=True)
        lines = path.read_text().splitlines() if path.exists() else []
        if lines and lines[0] != first:
            raise BadInputError(f"{path}: of other code, options or another machine; delete it to begin anew")
        # What was cut short by a crash was not an outcome yet.
        whole = [line for line in lines[1:] if line.endswith("}")]
        self.found = [_read(line) for line in whole]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in (first, *whole)))

    def of(self, kind: str) -> list[Outcome]:
        """Those of one kind."""
        return [outcome for outcome in self.found if outcome.kind == kind]

    def add(self, outcome: Outcome) -> None:
        """Keep another one."""
        self.found.append(outcome)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")


def _read(line: str) -> Outcome:
    content = json.loads(line)
    return Outcome(**content | {"cells": [CellOutcome(**cell) for cell in content["cells"]]})
