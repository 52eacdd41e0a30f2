"""The page about sizes: from how many transactions on each contender is faster than serial execution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from contend.harness.plan.resolve import BASELINE
from contend.strategies.given import role_of

Speedups = Mapping[tuple[str, str, int, int], float]
"""By workload, contender, workers and transactions."""
ROLES = ("builder", "validator")
CLIENTS = (5, 20, 64)
_CLEARLY = 1.05
_HEAD = """# From how many transactions on

Made by `python -m tools.docs.choosing`. Clients execute small blocks serially, and each has a number of its own from
which on it does not: {clients} are met. Here is the smallest block from which on, it and all larger ones that were
measured, a contender is faster than serial execution by more than {clearly:.0%}. A line says that no block was.

SIMULATED: the cost table {costs}, default dials, seed 1, blocks of {sizes}
transactions. Simulated workers start at once: what real threads take to wake up, some microseconds, and caches, are
not in it ([virtual-clock.md](virtual-clock.md)), so that real thresholds are above these. Roles are never
ranked together.

"""
_NAMES: Mapping[str, str] = {"builder": "Builder", "validator": "Validator"}


def speedups_of(
    records: Iterable[Mapping[str, Any]], workloads: Sequence[str]
) -> dict[tuple[str, str, int, int], float]:
    """Speed-ups over serial execution of the blocks with seed 1 and default dials, by what `Speedups` says."""
    found = {}
    for record in records:
        request = record["request"]
        if request["seed"] != 1 or request["dials"] or request["sweep"]:
            continue
        cells = [cell for cell in record["cells"] if cell["verified"] and cell["workload"] in workloads]
        serial = {cell["workload"]: median(cell["samples_seconds"]) for cell in cells if cell["strategy"] == BASELINE}
        for cell in cells:
            if cell["strategy"] != BASELINE:
                key = cell["workload"], cell["strategy"], cell["workers"], cell["transactions"]
                found[key] = serial[cell["workload"]] / median(cell["samples_seconds"])
    return found


def threshold(speedups: Speedups, workload: str, contender: str, workers: int) -> int | None:
    """The smallest block from which on a contender is clearly faster than serial; None where there is none."""
    own = sorted(
        (
            (size, value)
            for (one, name, count, size), value in speedups.items()
            if (one, name, count) == (workload, contender, workers)
        ),
        reverse=True,
    )
    found = None
    for size, value in own:
        if value <= _CLEARLY:
            break
        found = size
    return found


def page(speedups: Speedups, costs: str, images: Mapping[str, str], workers: Sequence[int]) -> str:
    """Text of the page, with an image for each role."""
    workloads = list(dict.fromkeys(workload for workload, *_ in speedups))
    sizes = sorted({size for *_, size in speedups})
    head = _HEAD.format(
        clients=", ".join(map(str, CLIENTS[:-1])) + f" and {CLIENTS[-1]}",
        clearly=_CLEARLY - 1,
        costs=costs,
        sizes=", ".join(f"{size:,}" for size in sizes),
    )
    parts = [head]
    for role, title in _NAMES.items():
        contenders = sorted({name for _, name, *_ in speedups if _role_of(name) == role})
        heading = ["contender", *(f"{workload}, {count}" for workload in workloads for count in workers)]
        rows = [
            [f"`{name}`"]
            + [_told(threshold(speedups, workload, name, count)) for workload in workloads for count in workers]
            for name in contenders
        ]
        lines = ["| " + " | ".join(heading) + " |", "| --- |" + " ---: |" * (len(heading) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
        image = f"![{role}s' speed-up against the size of blocks]({images[role]})"
        parts.append(f"## {title}\n\n{image}\n\nBy workload and workers.\n\n" + "\n".join(lines) + "\n\n")
    return "".join(parts).rstrip("\n") + "\n"


def _role_of(name: str) -> str:
    from contend.strategies import registry

    return role_of(registry.get(name).given)


def _told(found: int | None) -> str:
    return "-" if found is None else f"{found:,}"


def draw(speedups: Speedups, workers: int, folder: Path, name: str, role: str) -> Path:
    """Draw the chart of a role: speed-ups against the size of blocks, a panel a workload."""
    from matplotlib.lines import Line2D

    from contend.harness.present.charts.axis_ticks import decimal_axis, factor_axis, whole
    from contend.harness.present.charts.chart import Chart
    from contend.harness.present.charts.style import Style, chart_style

    workloads = list(dict.fromkeys(workload for workload, *_ in speedups))
    contenders = list(dict.fromkeys(name for _, name, *_ in speedups if _role_of(name) == role))
    with chart_style():
        style = Style(contenders)
        chart = Chart(len(workloads), width=3.4, height=2.8)
        chart.title, chart.across = f"{_NAMES[role]}s: speed-up against the size of blocks", "transactions"
        chart.up, chart.subtitle = "times serial", f"SIMULATED, {workers} workers"
        chart.notes = [f"Upright lines: from {', '.join(map(str, CLIENTS))} transactions on, where clients begin."]
        for axes, workload in zip(chart.panels, workloads, strict=True):
            for contender in contenders:
                own = sorted(
                    (size, value)
                    for (one, who, count, size), value in speedups.items()
                    if (one, who, count) == (workload, contender, workers)
                )
                if own:
                    look = style.lines(contender, markersize=4)
                    (line,) = axes.plot(*zip(*own, strict=True), **look)
                    chart.key(contender, Line2D([], [], **look), axes, line)
            axes.axhline(1, color="black", linewidth=1)
            for size in CLIENTS:
                axes.axvline(size, color="#999999", linewidth=0.8, linestyle=":")
            axes.set_xscale("log")
            decimal_axis(axes.xaxis, whole)
            factor_axis(axes.yaxis)
            chart.name_panel(axes, workload)
        chart.arrange()
        folder.mkdir(parents=True, exist_ok=True)
        (written,) = chart.save(folder, name, ("svg",))
    return written
