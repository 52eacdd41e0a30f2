"""Head to head: strategies of a record against one of them, by pairs of runs of one round.

Both strategies were measured in turns when the record was made, so nothing has to be measured again: every round is a
pair (`contend.harness.record.statistics.paired`). Several records add their pairs to each other where they are of the
same code and blocks on the same machine; of others the newest counts. Runs of two records are never a pair: what the
machine did in between would be taken for a strategy's doing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contend.harness.compare.exit_policy import EXIT_NOTHING, EXIT_OK
from contend.harness.compare.measured import CellName, cell_name_of
from contend.harness.errors import BadInputError
from contend.harness.plan.resolve import BASELINE
from contend.harness.record.content.cell_facts import role_in
from contend.harness.record.statistics.paired import (
    Cell,
    PairedRatio,
    Pairs,
    cell_at,
    measured_ratio,
    pairs_of,
    setting_of,
)
from contend.harness.record.statistics.paired_verdict import (
    Standing,
    doubts,
    few_runs,
    sentence,
    standing,
    told_by_chance,
)
from contend.harness.record.warnings import MISLEADING
from contend.workloads.suggest import nearest

SCHEMA = "contend-strategies/1"
SCHEMA_FILE = Path(__file__).with_name("strategies.schema.json")
_UNSTABLE = "unstable"
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Meeting:
    """Two cells of one block: a strategy, and the baseline that it is held against.

    Attributes
    ----------
    name : CellName
        Of the strategy's cell; its workers are those that both were asked for.
    baseline : str
    found : PairedRatio or None
        None where there is nothing to compare.
    own, base : mapping or None
        The newest cells of both, as records have them.
    records : tuple of str
        Ids, the newest first.
    doubts : tuple of str
        Warnings about either cell.
    refused : str
        Why there is nothing to compare; empty where there is.
    """

    name: CellName
    baseline: str
    found: PairedRatio | None = None
    own: Cell | None = None
    base: Cell | None = None
    records: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    refused: str = ""


@dataclass
class StrategyComparison:
    """Strategies of records, each against the first.

    Attributes
    ----------
    strategies : tuple of str
        The baseline first.
    floor, simulated_floor : float
        Share under which no difference is claimed, by the wall clock and of simulated time.
    records : list of str
        Ids of all records that were read, the newest last.
    environment : mapping
        Of the newest one.
    meetings : list of Meeting
        By workload in the order of the records, then strategy, then workers.
    notes : list of str
        About the whole.
    command : str
        That makes it again.
    """

    strategies: tuple[str, ...]
    floor: float
    simulated_floor: float
    records: list[str]
    environment: Mapping[str, Any]
    meetings: list[Meeting] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    command: str = ""

    @property
    def compared(self) -> list[Meeting]:
        """Meetings with a ratio."""
        return [one for one in self.meetings if one.found is not None]

    @property
    def refused(self) -> list[Meeting]:
        """Meetings without one."""
        return [one for one in self.meetings if one.found is None]

    @property
    def exit_code(self) -> int:
        """0, or 3 where nothing could be compared: that a strategy is slower is an answer, and no regression."""
        return EXIT_OK if self.compared else EXIT_NOTHING

    def standing(self, one: Meeting) -> Standing | None:
        """Verdict on a meeting; None where it was refused."""
        return None if one.found is None else standing(one.found, self.floor, self.simulated_floor)

    def sentence(self, one: Meeting) -> str:
        """Verdict in words, or why there is none; without the workload and without a full stop."""
        if one.found is None:
            return f"{one.name.strategy} and {one.baseline} x{one.name.workers}: not compared: {one.refused}"
        return sentence(one.found, self.floor, self.simulated_floor)

    @property
    def counts(self) -> Counter[Standing]:
        """Meetings by verdict."""
        return Counter(kind for one in self.meetings if (kind := self.standing(one)) is not None)

    @property
    def summary(self) -> str:
        """The outcome in a line for each strategy."""
        first, *others = self.strategies
        if not self.compared:
            return f"Nothing could be compared: {first} and {', '.join(others)} were not measured in one record."
        return " ".join(self._summary(name) for name in others)

    def _summary(self, strategy: str) -> str:
        mine = [one for one in self.compared if one.name.strategy == strategy]
        if not mine:
            return f"{strategy}: not compared."
        counts = Counter(self.standing(one) for one in mine)
        told = [f"{kind.value} in {counts[kind]}" for kind in Standing if counts[kind]]
        cells = f"{len(mine)} cell{'' if len(mine) == 1 else 's'}"
        return f"{strategy} beside {self.strategies[0]}, {cells} compared: {', '.join(told)}."

    def as_json(self) -> dict[str, Any]:
        """Show it as ``contend compare --strategies --json`` writes it (``strategies.schema.json``)."""
        return {
            "schema": SCHEMA,
            "baseline": self.strategies[0],
            "strategies": list(self.strategies[1:]),
            "floor": self.floor,
            "simulated_floor": self.simulated_floor,
            "records": self.records,
            "compared": len(self.compared),
            "exit_code": self.exit_code,
            "summary": self.summary,
            "environment": dict(self.environment),
            "command": self.command,
            "notes": self.notes,
            "cells": [self._cell(one) for one in self.meetings],
        }

    def _cell(self, one: Meeting) -> dict[str, Any]:
        kind = self.standing(one)
        return {
            **one.name.as_json(),
            "baseline": one.baseline,
            "verdict": "not comparable" if kind is None else kind.value,
            "sentence": self.sentence(one),
            "ratio": None if one.found is None else one.found.as_json(),
            "pairs": 0 if one.found is None else one.found.pairs,
            "processes": 0 if one.found is None else one.found.processes,
            "simulated": one.name.clock != "wall",
            "doubts": list(one.doubts),
            "records": list(one.records),
            "own": _side(one.own),
            "base": _side(one.base),
        }


def _side(cell: Cell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    names = ("strategy", "workers", "seconds", "tx_per_second", "speedup", "samples_seconds")
    return {name: cell[name] for name in names}


def compare_strategies(
    records: Sequence[Record], strategies: Sequence[str], floor: float, simulated_floor: float = 0.0
) -> StrategyComparison:
    """Hold strategies of records against the first that is named.

    Parameters
    ----------
    records : sequence of mapping
        As `harness.records.read` gives them.
    strategies : sequence of str
        The baseline first, then at least one other.
    floor, simulated_floor : float
        Share under which no difference is claimed, by the wall clock and of simulated time.

    Raises
    ------
    BadInputError
        If there are fewer than two strategies, or no record has one of them.
    """
    ordered = sorted(records, key=lambda record: str(record["id"]))
    _check(ordered, strategies)
    comparison = StrategyComparison(
        tuple(strategies),
        floor,
        simulated_floor,
        [str(record["id"]) for record in ordered],
        ordered[-1]["environment"],
    )
    baseline, *others = strategies
    older = 0
    for name, parts in _parts(ordered, baseline, others).items():
        kept = [part for part in parts if part.code is not None and part.code == parts[0].code] or parts[:1]
        older += len(parts) - len(kept)
        comparison.meetings.append(_meeting(name, baseline, kept))
    comparison.notes += _notes(comparison, older)
    return comparison


def _check(records: Iterable[Record], strategies: Sequence[str]) -> None:
    known = dict.fromkeys([BASELINE, *(cell["strategy"] for record in records for cell in record["cells"])])
    if len(set(strategies)) < 2 or len(set(strategies)) < len(strategies):
        raise BadInputError(
            f"strategies: {','.join(strategies)} are not two or more different ones; the first is what the others are "
            "held against, as in sharded,block_stm"
        )
    for name in strategies:
        if name not in known:
            raise BadInputError(
                f"strategies: {name!r} is in no record{nearest(name, known)}; measured are {', '.join(known)}"
            )


@dataclass(frozen=True)
class _Part:
    """What one record has of a meeting."""

    record: str
    own: Cell | None
    base: Cell | None
    pairs: Pairs
    code: object


def _parts(records: Sequence[Record], baseline: str, others: Sequence[str]) -> dict[CellName, list[_Part]]:
    """Every meeting with what each record has of it, the newest first; without a pair only where no record has one."""
    found: dict[CellName, list[_Part]] = {}
    for record in reversed(records):
        for name, part in _of_record(record, baseline, others):
            found.setdefault(name, []).append(part)
    workloads = list(dict.fromkeys(name.workload for name in found))
    ordered = sorted(found.items(), key=lambda item: (workloads.index(item[0].workload), *_rest(item[0], others)))
    return {name: [part for part in parts if part.pairs] or parts[:1] for name, parts in ordered}


def _rest(name: CellName, others: Sequence[str]) -> tuple[Any, ...]:
    """Place of a meeting among those of its workload; values of a dial are compared with their like only."""
    dials = tuple((dial, type(value).__name__, value) for dial, value in name.dials)
    setting = (name.clock, name.network, name.seed, name.block_size, name.block_count, name.stages)
    return dials, setting, others.index(name.strategy), name.workers


def _of_record(record: Record, baseline: str, others: Sequence[str]) -> Iterator[tuple[CellName, _Part]]:
    settings: dict[Any, list[Cell]] = {}
    for cell in record["cells"]:
        settings.setdefault(setting_of(cell), []).append(cell)
    for cells in settings.values():
        for strategy in others:
            for workers in sorted({cell["workers"] for cell in cells if cell["strategy"] in (strategy, baseline)}):
                own, base = (cell_at(cells, one, workers) for one in (strategy, baseline))
                one = own or base or {}
                name = cell_name_of(record, {**one, "strategy": strategy, "workers": workers})
                pairs = _pairs(own, base, strategy, baseline)
                yield name, _Part(str(record["id"]), own, base, pairs, _code(record, one))


def _pairs(own: Cell | None, base: Cell | None, strategy: str, baseline: str) -> Pairs:
    """Pairs of both; each cell knows the serial runs of its rounds, whether serial has a cell or not."""
    if own is not None and (base is not None or baseline == BASELINE):
        return pairs_of(own, base)
    if base is not None and strategy == BASELINE:
        swapped = pairs_of(base, None)
        return Pairs(swapped.base, swapped.own, swapped.simulated)
    return Pairs()


def _code(record: Record, cell: Cell) -> object:
    """Identity of what was measured, and where; None where nobody can tell that it is that of another record."""
    environment = record["environment"]
    git = environment["git"]
    if git is None or git["dirty"] or cell.get("simulated"):
        return None
    plugins = tuple((one["name"], one["sources"]) for one in environment.get("plugins") or ())
    return git["revision"], environment["kernels"], environment["machine"], plugins, setting_of(cell)


def _meeting(name: CellName, baseline: str, parts: Sequence[_Part]) -> Meeting:
    """One meeting by the pairs of records of the same code, the newest first."""
    newest = parts[0]
    pairs = Pairs(simulated=newest.pairs.simulated)
    for part in parts:
        pairs += part.pairs
    unnamed = {"strategy": BASELINE, "workers": 1}
    both = [cell for part in parts for cell in (part.own, part.base) if cell is not None]
    return Meeting(
        name,
        baseline,
        measured_ratio(newest.own or unnamed, newest.base, pairs),
        newest.own,
        newest.base,
        tuple(part.record for part in parts),
        tuple(dict.fromkeys(doubts(both, (*MISLEADING, _UNSTABLE)))),
        "" if pairs else _refusal(name.strategy, newest.own, baseline, newest.base),
    )


def _refusal(strategy: str, own: Cell | None, baseline: str, base: Cell | None) -> str:
    for name, cell in ((strategy, own), (baseline, base)):
        if cell is None:
            return f"no record has {name} beside the other"
        if cell["error"] is not None:
            return f"{name} failed: {cell['error']}"
    return "no round has both"


def _notes(comparison: StrategyComparison, older: int) -> list[str]:
    wall = sum(one.found is not None and not one.found.simulated for one in comparison.meetings)
    notes = []
    if wall:
        notes.append(
            f"no difference under {100 * comparison.floor:.3g} % is claimed, whatever its interval; the interval is "
            "over processes and rounds"
        )
    if wall < len(comparison.compared):
        least = comparison.simulated_floor
        notes.append("simulated time is exact" + (f"; {100 * least:.3g} % of it count" if least else ""))
    roles = {role_in(cell): cell["strategy"] for one in comparison.compared for cell in (one.own, one.base) if cell}
    if len(roles) > 1:
        told = ", ".join(f"{name} is a {role}'s" for role, name in roles.items())
        notes.append(f"they are not given the same ({told}): a difference is one of what they know, too")
    chance = told_by_chance(wall, simulated=False)
    if chance:
        notes.append(chance)
    if any(few_runs(one.found) for one in comparison.compared if one.found is not None):
        notes.append("a verdict takes two processes and six pairs of runs: measure with more --repeat or --processes")
    if older:
        notes.append(
            f"{older} older measurement{'' if older == 1 else 's'} left out: of other code or another machine, "
            "simulated, or with uncommitted changes"
        )
    return notes
