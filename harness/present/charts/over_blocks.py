"""Spread over real blocks: a dot for each block, its middle and its middle half, a panel for each worker count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.axis_ticks import factor_axis, linear_axis
from contend.harness.present.charts.chart import Chart
from contend.harness.present.charts.palette import GRID, INK
from contend.harness.present.charts.style import Style, clock_of, present
from contend.harness.record.statistics.block_spread import spreads_of

if TYPE_CHECKING:
    import pandas

_PITCH, _ROOMY, _FEW = 0.62, 1.3, 3  # inches from contender to contender, and where they are few
_NARROWEST, _WIDEST = 2.2, 7.0
_WIDE_RANGE = 10.0
_HALF: dict[str, Any] = {"facecolor": GRID, "edgecolor": GRID}
_HALF_WIDTH = 0.2
_MIDDLE: dict[str, Any] = {"color": INK, "marker": "_", "markersize": 15, "markeredgewidth": 1.8, "linestyle": ""}
_BLOCK: dict[str, Any] = {"linestyle": "", "markersize": 4.5}
# Dots of one height would hide each other: each block has a place of its own beside the middle.
_BESIDE = 0.3


def over_blocks(cells: pandas.DataFrame, style: Style) -> Chart | None:
    """Speed-up over serial on each of several real blocks; None where there are not two of them.

    Parameters
    ----------
    cells : DataFrame
        Of one role and one clock.
    style : Style
    """
    found = spreads_of(cells)
    if not found:
        return None
    counts = sorted({one.workers for one in found})
    drawn = [name for name in present(cells, style) if any(one.strategy == name for one in found)]
    pitch = _ROOMY if len(drawn) <= _FEW else _PITCH
    width = min(max(_NARROWEST, pitch * len(drawn)), _WIDEST)
    chart = Chart(len(counts), width=width, height=2.6, share_up=True)
    blocks = list(dict.fromkeys(name for one in found for name in one.by_block))
    chart.title, chart.up = f"Speed-up on each of {len(blocks):,} blocks", f"times {BASELINE}"
    chart.subtitle = f"{clock_of(cells)}; each block counts once"
    shift = {name: _BESIDE * (2 * place / max(len(blocks) - 1, 1) - 1) for place, name in enumerate(blocks)}
    for axes, workers in zip(chart.panels, counts, strict=True):
        for place, name in enumerate(drawn):
            for one in (one for one in found if (one.strategy, one.workers) == (name, workers)):
                look = {"color": style.colour[name], "marker": "o", **style.edge(name), **_BLOCK}
                across = [place + shift[block] for block in one.by_block]
                dots = axes.plot(across, list(one.by_block.values()), zorder=3, **look)
                low, high = one.quartiles
                box = Rectangle((place - _HALF_WIDTH / 2, low), _HALF_WIDTH, high - low, zorder=2, **_HALF)
                axes.add_patch(box)
                middle = axes.plot([place], [one.middle], zorder=4, **_MIDDLE)
                chart.key("a block", Line2D([], [], color=INK, marker="o", **_BLOCK), axes, *dots)
                chart.key("median", Line2D([], [], **_MIDDLE | {"markersize": 11}), axes, *middle)
                chart.key("half of the blocks", Rectangle((0, 0), 1, 1, **_HALF), axes, box)
        line: dict[str, Any] = {"color": style.colour[BASELINE], "linewidth": 1.2}
        chart.key(BASELINE, Line2D([], [], **line), axes, axes.axhline(1, zorder=1, **line))
        axes.set_xlim(-0.6, len(drawn) - 0.4)
        axes.xaxis.grid(False)
        chart.name_places(axes, range(len(drawn)), drawn)
        chart.name_panel(axes, f"{workers:,} worker{'' if workers == 1 else 's'}")
    values = [ratio for one in found for ratio in one.by_block.values()]
    low, high = min(*values, 1.0), max(*values, 1.0)
    first = chart.panels[0]
    if high / low > _WIDE_RANGE:
        factor_axis(first.yaxis)
        for axes in chart.panels[1:]:
            axes.yaxis.set_major_formatter(first.yaxis.get_major_formatter())
        first.set_ylim(low / 1.2, high * 1.2)
    else:
        linear_axis(first.yaxis)
        first.set_ylim(0, high * 1.1)
    return chart
