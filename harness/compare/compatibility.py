"""Compatibility: whether two measurements of one cell may be held against each other, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping

from contend.harness.compare.measured import CellName, MeasuredCell


def refusal(name: CellName, a: MeasuredCell, b: MeasuredCell) -> str | None:
    """Reason why the two cannot be compared; None if they can.

    Simulated figures are the same on every machine, so that the machine matters for real time only. A difference of
    kernels is no reason: it is what is compared.
    """
    if a.error is not None:
        return f"it failed in both: {a.error}" if b.error is not None else f"it failed in A: {a.error}"
    if b.error is not None:
        # That is for the verdict: what worked and does so no longer is the worst of regressions.
        return None
    for what, ours, theirs in (
        ("genesis", a.genesis_digest, b.genesis_digest),
        ("block", a.block_digest, b.block_digest),
    ):
        if ours != theirs:
            return f"other {what}: digest {_short(ours)} in A, {_short(theirs)} in B"
    if name.clock == "wall" and a.machine != b.machine:
        return f"other machine: {_machine(a)} in A, {_machine(b)} in B"
    if a.costs != b.costs and name.clock != "wall":
        return f"other cost table: digest {_short(a.costs)} in A, {_short(b.costs)} in B"
    if not (a.seconds and b.seconds):
        return "no sample in " + ("A" if not a.seconds else "B")
    return None


def unmatched(a: Mapping[CellName, MeasuredCell], b: Mapping[CellName, MeasuredCell]) -> dict[CellName, str]:
    """Cells that only one side has, each with the nearest cell of the other side and what tells them apart."""
    found = {}
    for ours, theirs, side, other in ((a, b, "A", "B"), (b, a, "B", "A")):
        for name in ours:
            if name not in theirs:
                found[name] = f"only in {side}{_nearest(name, theirs, side, other)}"
    return found


def _nearest(name: CellName, others: Mapping[CellName, MeasuredCell], side: str, other: str) -> str:
    same = [one for one in others if (one.workload, one.strategy, one.workers) == (*_head(name),)]
    if not same:
        return ""
    best = min(same, key=lambda one: len(_differences(name, one)))
    what = ", ".join(f"{what} {mine} in {side}, {yours} in {other}" for what, mine, yours in _differences(name, best))
    return f": {what}"


def _head(name: CellName) -> tuple[str, str, int]:
    return name.workload, name.strategy, name.workers


def _differences(one: CellName, other: CellName) -> list[tuple[str, object, object]]:
    found: list[tuple[str, object, object]] = []
    for what in ("clock", "seed", "block_size", "block_count", "network", "stages"):
        mine, yours = getattr(one, what), getattr(other, what)
        if mine != yours:
            found.append((what.replace("_", " "), mine or "none", yours or "none"))
    mine_dials, other_dials = dict(one.dials), dict(other.dials)
    for dial in sorted(mine_dials.keys() | other_dials.keys()):
        mine, yours = mine_dials.get(dial, "-"), other_dials.get(dial, "-")
        if mine != yours:
            found.append((f"dial {dial}", mine, yours))
    return found


def _short(digest: str | None) -> str:
    return "unknown" if digest is None else digest[:12]


def _machine(measured: MeasuredCell) -> str:
    processor, cores = measured.machine
    return f"{processor} with {cores} cores"
