"""Records against records: measured before, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contend.harness.compare.compatibility import refusal, unmatched
from contend.harness.compare.measured import CellName, MeasuredCell, cells_of, pooled
from contend.harness.compare.ratio import unpaired
from contend.harness.compare.result import CellResult, Comparison
from contend.harness.compare.verdict import REPLICATIONS, Rule, Verdict, changes
from contend.harness.errors import BadInputError
from contend.harness.record.load_all import read_all
from contend.harness.record.statistics import Interval

# Fewer runs than these say nothing about noise, whatever their interval is.
_LEAST_PROCESSES, _LEAST_RUNS = 2, 6
_VERSIONS = ("python", "numpy", "numba", "llvmlite", "platform", "memory_bytes")


def read_side(path: Path, tell: Callable[[str], object]) -> list[dict[str, Any]]:
    """Read a record, or all records of a folder, the newest last.

    Parameters
    ----------
    path : Path
        A file, a folder of records, or a results folder.
    tell : callable
        Told which files of a folder are left out, and why.

    Raises
    ------
    BadInputError
        If the file is not a record, or the folder holds none.
    """
    found = list(read_all([path], tell))
    if not found:
        raise BadInputError(f"{path}: holds no record that can be read; contend run writes them to results/records")
    return sorted(found, key=lambda record: str(record["id"]))


def compare_records(
    a: list[dict[str, Any]], b: list[dict[str, Any]], labels: tuple[str, str], rule: Rule, fail_on: frozenset[str]
) -> Comparison:
    """Compare the cells of records.

    Parameters
    ----------
    a, b : list of dict
        Records of each side, the newest last.
    labels : tuple of str
        What to call the sides.
    """
    parts = _parts(a, labels[0]), _parts(b, labels[1])
    ours, theirs = ({name: pooled(reversed(found)) for name, found in side.items()} for side in parts)
    comparison = Comparison(
        a=_described(a, labels[0]),
        b=_described(b, labels[1]),
        rule=rule,
        fail_on=fail_on,
        interleaved=False,
        environment=b[-1]["environment"],
        notes=_quick_notes(a, b) + _version_notes(a[-1]["environment"], b[-1]["environment"]),
    )
    comparison.cells = [_compare(name, parts[0][name], parts[1][name], rule) for name in ours if name in theirs]
    comparison.cells += [
        CellResult(name, Verdict.REFUSED, a=ours.get(name), b=theirs.get(name), note=why)
        for name, why in unmatched(ours, theirs).items()
    ]
    if any(cell.ratio and cell.name.clock == "wall" for cell in comparison.cells):
        comparison.notes.append(
            "A and B were measured one after the other: what the serial baseline of the same rounds shares with a cell "
            "counts as the machine's doing. Compare revisions to have them measured in turns"
        )
    return comparison


def _parts(records: list[dict[str, Any]], label: str) -> dict[CellName, list[MeasuredCell]]:
    """Every cell of a side: its newest measurement first, then older ones of the same code on the same machine."""
    parts: dict[CellName, list[MeasuredCell]] = {}
    codes: dict[CellName, object] = {}
    for record in reversed(records):
        for name, cell in cells_of(record, label).items():
            code = _code(record, cell)
            if name not in parts:
                parts[name], codes[name] = [cell], code
            elif code is not None and code == codes[name]:
                parts[name].append(cell)
    return parts


def _code(record: Mapping[str, Any], cell: MeasuredCell) -> object:
    """Identity of what was measured, equal for two measurements of the same thing; None where nobody can tell."""
    git = record["environment"]["git"]
    if git is None or git["dirty"]:
        return None
    kernels = record["environment"]["kernels"]
    return git["revision"], kernels, cell.machine, cell.genesis_digest, cell.block_digest, cell.costs, _is_quick(record)


def _compare(name: CellName, of_a: list[MeasuredCell], of_b: list[MeasuredCell], rule: Rule) -> CellResult:
    a, b = pooled(reversed(of_a)), pooled(reversed(of_b))
    why = refusal(name, a, b)
    if why is not None:
        return CellResult(name, Verdict.REFUSED, a=a, b=b, note=why)
    if b.error is not None:
        return CellResult(name, Verdict.BROKEN, a=a, b=b, note=b.error)
    if a.picoseconds is not None and b.picoseconds is not None:
        return exact(name, a, b, rule)
    ratio = unpaired(a, b)
    verdict = rule.single(ratio)
    if verdict is Verdict.INCONCLUSIVE:
        return CellResult(name, verdict, ratio, (ratio,), a, b)
    ratios = tuple(unpaired(one, other) for one, other in zip(of_a, of_b, strict=False))
    doubt = _doubt(name, verdict, a, b, [rule.single(one) for one in ratios])
    return CellResult(name, Verdict.INCONCLUSIVE if doubt else verdict, ratio, ratios, a, b, note=doubt)


def _doubt(name: CellName, verdict: Verdict, a: MeasuredCell, b: MeasuredCell, by_record: list[Verdict]) -> str:
    """Reason why what the intervals say is not enough; empty where it is.

    The baseline has one worker: it feels what slows one worker down, and the interval allows for that. It does not feel
    that somebody else wants the further cores, so that a cell with several workers has to be slower again and again.
    """
    processes, runs = min(len(a.seconds), len(b.seconds)), min(_runs(a), _runs(b))
    if processes < _LEAST_PROCESSES or runs < _LEAST_RUNS:
        return f"{verdict.value}, but a side was measured by {processes} process{'es' * (processes > 1)} in {runs} runs"
    if verdict is not Verdict.SLOWER or name.workers == 1:
        return ""
    if len(by_record) < REPLICATIONS:
        return "slower, but more than one worker was measured once on a side: give folders with two records of each"
    if not all(one is Verdict.SLOWER for one in by_record):
        return f"slower all in all, but not in each of {len(by_record)} pairs of records"
    return ""


def _runs(side: MeasuredCell) -> int:
    return sum(len(group) for group in side.seconds)


def exact(name: CellName, a: MeasuredCell, b: MeasuredCell, rule: Rule) -> CellResult:
    """Compare simulated runs: no statistics, since they are the same whenever and wherever they are made."""
    if a.picoseconds is None or b.picoseconds is None:
        raise ValueError(f"{name}: not simulated")
    ratio = b.picoseconds / a.picoseconds
    return CellResult(
        name,
        rule.exact(a.picoseconds, b.picoseconds),
        Interval(ratio, ratio, ratio, 1.0),
        a=a,
        b=b,
        counters=changes(a.counters, b.counters),
    )


def _described(records: list[dict[str, Any]], label: str) -> dict[str, Any]:
    environment = records[-1]["environment"]
    git = environment["git"] or {}
    return {
        "label": label,
        "kind": "record",
        "records": [record["id"] for record in records],
        "revision": git.get("revision"),
        "dirty": git.get("dirty"),
        "kernels": environment["kernels"],
        "python": environment["python"],
        "contend": environment["contend"],
        "plugins": environment.get("plugins") or [],
    }


def _is_quick(record: Mapping[str, Any]) -> bool:
    return bool(record["request"].get("quick"))


def _quick_notes(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> list[str]:
    """Say which side was a first look, so that nobody takes it for a full measurement."""
    quick = [label for label, side in (("A", a), ("B", b)) if any(map(_is_quick, side))]
    if not quick:
        return []
    return [f"quick: {' and '.join(quick)} measured for a first look (--quick), by smaller blocks or fewer runs"]


def _version_notes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    differ = [f"{name} {a.get(name)} in A, {b.get(name)} in B" for name in _VERSIONS if a.get(name) != b.get(name)]
    return [f"not the same in both: {'; '.join(differ)}"] if differ else []
