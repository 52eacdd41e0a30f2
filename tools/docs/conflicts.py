"""``python -m tools.docs.conflicts``: speed-up against how much conflicts, and worst cases beside what they hide.

How many transactions depend on an earlier one says little by itself: what matters is whether they depend on one each,
or all on the one before. So the same share is made in two shapes, and both are certified by recorded access sets.
Tables in documents are generated, never typed: this writes ``docs/conflicts.md`` and its charts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contend.harness.measure.run_request import Engine
from contend.harness.observer import Observer
from contend.harness.plan.option_types import DialValue
from contend.harness.plan.request import Request
from contend.strategies.clocks.cost_table import default_costs

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "conflicts.md"
WORKERS, SIZE, CASE_WORK = 32, 2_000, 400
ROLES: dict[str, tuple[str, ...]] = {
    "builders": (
        "block_stm",
        "block_stm_v2",
        "redo",
        "occ_window",
        "aria",
        "sharded",
        "static_partition",
        "placeholder+dry_run",
        "groups+dry_run",
        "locks+dry_run",
    ),
    "validators": (
        "bal",
        "placeholder",
        "block_stm+block",
        "static_partition+block",
        "groups",
        "locks",
    ),
}
SPREAD, CHAINED = "spread: many short chains", "hub: one long chain"
CASES = ("independent", "star", "late-chain", "chain")
Dials = Mapping[str, DialValue]


@dataclass(frozen=True)
class Shape:
    """One workload whose share of dependent transactions is turned up in one way.

    Attributes
    ----------
    workload, name : str
    points : tuple of dict
        Dials, from calm to hot.
    """

    workload: str
    name: str
    points: tuple[Dials, ...]


def _payments(**dials: DialValue) -> Dials:
    return {"accounts": 100_000, "sender_zipf": 0.0, "receiver_zipf": 0.0, "erc20": 0.0, **dials}


def _swaps(**dials: DialValue) -> Dials:
    return {"accounts": 50_000, "trader_zipf": 0.0, "pools": 2_000, "pool_zipf": 0.0, "two_hops": 0.0, **dials}


SHAPES = (
    Shape("payments", SPREAD, tuple(_payments(accounts=n) for n in (100_000, 20_000, 5_000, 1_500, 400))),
    Shape("payments", CHAINED, tuple(_payments(receiver_zipf=s) for s in (0.5, 1.0, 1.3, 2.0, 4.0))),
    Shape("swaps", SPREAD, tuple(_swaps(pools=n) for n in (2_000, 1_000, 400, 120, 40))),
    Shape("swaps", CHAINED, tuple(_swaps(pool_zipf=s) for s in (0.4, 0.8, 1.1, 1.5, 3.0))),
)


def measure(workload: str, dials: Dials) -> dict[str, list[Mapping[str, Any]]]:
    """Cells of all contenders on one block, by role, all verified.

    Raises
    ------
    RuntimeError
        If a result is another one than the serial one.
    """
    names = ("serial", *(name for contenders in ROLES.values() for name in contenders))
    request = Request((workload,), names, (WORKERS,), dict(dials), block_size=SIZE, clock="virtual", timeout=600)
    found: dict[str, Mapping[str, Any]] = {}
    for cell in Engine(request, Observer()).run()["cells"]:
        if not cell["verified"]:
            raise RuntimeError(f"{workload}, {cell['strategy']}: {cell['error']}")
        found[cell["strategy"]] = cell
    return {role: [found[name] for name in contenders] for role, contenders in ROLES.items()}


def shares_of(cell: Mapping[str, Any]) -> tuple[float, float]:
    """Shares of the block that depend on an earlier transaction, and that the longest chain is."""
    bound = cell["bounds"]["plain"]
    return bound["dependent"] / bound["transactions"], bound["longest_chain"] / bound["transactions"]


def _row(label: str, cells: Sequence[Mapping[str, Any]]) -> str:
    (dependent, chain), speedups = shares_of(cells[0]), [cell["speedup"]["median"] for cell in cells]
    figures = [f"**{one:.2f}**" if one == max(speedups) else f"{one:.2f}" for one in speedups]
    bound = f"{cells[0]['role_bound_speedup']:.1f}"
    return f"| {' | '.join([label, f'{dependent:.0%}', f'{chain:.1%}', bound, *figures])} |\n"


def _head(names: Sequence[str]) -> str:
    columns = ["", "dependent", "longest chain", "bound", *(f"`{name}`" for name in names)]
    return f"| {' | '.join(columns)} |\n| --- |{' ---: |' * (len(columns) - 1)}\n"


def draw(found: Mapping[tuple[str, str], Sequence[Sequence[Mapping[str, Any]]]], role: str) -> Path:
    """Draw speed-up against the dependent share, a panel for each workload and shape."""
    from matplotlib.lines import Line2D

    from contend.harness.present.charts.axis_ticks import factor_axis, linear_axis, percent
    from contend.harness.present.charts.chart import Chart
    from contend.harness.present.charts.style import Style, chart_style

    names = ROLES[role]
    with chart_style():
        style, chart = Style(["serial", *names]), Chart(len(found), width=3.6, height=2.8, columns=2)
        chart.title, chart.across, chart.up = (
            f"Speed-up against conflicts: {role}",
            "dependent transactions",
            "times serial",
        )
        chart.subtitle = f"SIMULATED: {WORKERS} workers, {SIZE:,} transactions; every result verified"
        chart.key_order = list(names)
        for axes, ((workload, shape), points) in zip(chart.panels, found.items(), strict=True):
            across = [shares_of(point[0])[0] for point in points]
            for place, name in enumerate(names):
                look = style.lines(name)
                marks = axes.plot(across, [point[place]["speedup"]["median"] for point in points], **look)
                chart.key(name, Line2D([], [], **look), axes, *marks)
            bounds: dict[str, Any] = {"color": "black", "linestyle": ":", "linewidth": 1.2}
            marks = axes.plot(across, [point[0]["role_bound_speedup"] for point in points], **bounds)
            chart.key("bound", Line2D([], [], **bounds), axes, *marks)
            axes.set_xlim(-0.03, 1.03)
            linear_axis(axes.xaxis, percent)
            factor_axis(axes.yaxis)
            heights = [cell["speedup"]["median"] for point in points for cell in point]
            axes.set_ylim(*_limits([*heights, *(point[0]["role_bound_speedup"] for point in points)]))
            chart.name_panel(axes, f"{workload}, {shape}")
        return _save(chart, f"conflicts-{role}")


def draw_cases(found: Mapping[str, Sequence[Mapping[str, Any]]], role: str) -> Path:
    """Draw the speed-ups on each worst case."""
    from matplotlib.lines import Line2D

    from contend.harness.present.charts.axis_ticks import factor_axis
    from contend.harness.present.charts.chart import Chart
    from contend.harness.present.charts.style import Style, chart_style

    names = ROLES[role]
    with chart_style():
        style, chart = Style(["serial", *names]), Chart(1, width=6.4, height=3.0)
        chart.title, chart.up = f"The same work in several shapes: {role}", "times serial"
        chart.subtitle = f"SIMULATED: {WORKERS} workers, {SIZE:,} transactions; every result verified"
        chart.key_order = list(names)
        (axes,) = chart.panels
        for place, name in enumerate(names):
            look = style.lines(name)
            marks = axes.plot(
                range(len(found)), [cells[place]["speedup"]["median"] for cells in found.values()], **look
            )
            chart.key(name, Line2D([], [], **look), axes, *marks)
        chart.name_places(axes, range(len(found)), list(found))
        factor_axis(axes.yaxis)
        axes.set_ylim(*_limits(cell["speedup"]["median"] for cells in found.values() for cell in cells))
        return _save(chart, f"worst-cases-{role}")


def _limits(heights: Iterable[float]) -> tuple[float, float]:
    known = list(heights)
    return min(known) / 1.3, max(known) * 1.3


def _save(chart: Any, name: str) -> Path:
    chart.arrange()
    folder = DOCS / "images"
    folder.mkdir(parents=True, exist_ok=True)
    (written,) = chart.save(folder, name, ("png",))
    return Path(written)


def page() -> str:
    """Measure everything, draw the charts, and write the page's text."""
    points = {(shape.workload, shape.name): [measure(shape.workload, one) for one in shape.points] for shape in SHAPES}
    cases = {case: measure("adversarial", {"case": case, "work": CASE_WORK}) for case in CASES}
    text = _HEAD.format(workers=WORKERS, size=SIZE, digest=default_costs().digest)
    for role, names in ROLES.items():
        found = {place: [point[role] for point in row] for place, row in points.items()}
        text += f"\n## Share and shape: {role}\n\n![speed-up against conflicts](images/{draw(found, role).name})\n"
        for (workload, shape), row in found.items():
            rows = "".join(_row(f"{place}", cells) for place, cells in enumerate(row, 1))
            text += f"\n**{workload}, {shape}**\n\n{_head(names)}{rows}"
    text += _CASES.format(work=CASE_WORK)
    for role, names in ROLES.items():
        own = {case: found[role] for case, found in cases.items()}
        text += f"\n**{role}**\n\n![worst cases](images/{draw_cases(own, role).name})\n\n{_head(names)}"
        text += "".join(_row(f"`{case}`", cells) for case, cells in own.items())
    return text


_HEAD = """\
# Conflicts and their shape

<!-- generated by `python -m tools.docs.conflicts`; do not edit -->

SIMULATED: {workers} workers of the virtual clock ([virtual-clock.md](virtual-clock.md)), blocks of {size:,}
transactions, seed 1, the project's cost table ({digest}). Figures are times serial, every result equals the serial one
(that of `aria` and `sharded` in the order that it names). *Dependent*: the share of transactions that depend on an
earlier one; *longest chain*: as a share of the block; both are of recorded access sets ([bound.md](bound.md)), as is
the *bound*, which is of the role, and of whole transactions: `redo`, which executes again only the operations that
depend on a stale word ([redo.md](redo.md)), can be beyond it. Builders and validators are never ranked together.

A share of dependent transactions is made in two ways. *Spread*: all choose evenly, among fewer and fewer accounts or
pools, so that chains are many and short. *Hub*: more and more meet at one receiver or one pool, so that all that depend
are one chain. Published conflict rates rarely say which; at the same rate the two differ by a factor.
"""
_CASES = """
## Worst cases that split, and that do not

A block that is as hard as gas allows may still split into independent transactions, and then it flatters whoever
executes in parallel. Here the same work ({work} rounds of hashing) is done by transactions that share nothing
(`independent`), that all read a cell which one in 40 writes (`star`), that read at their very end what the one before
has written (`late-chain`), and that read a cell first and write it last (`chain`); see
[workloads.md](workloads.md#adversarial). So a worst case has to be measured in both shapes.
"""


def main() -> int:
    """Write the page; the exit code."""
    PAGE.write_text(page())
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
