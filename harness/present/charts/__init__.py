"""Charts of measured cells, each role's by itself. Failed cells are not drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.charts.contention import contention, swept, winners
from contend.harness.present.charts.latency import latency
from contend.harness.present.charts.over_blocks import over_blocks
from contend.harness.present.charts.role_parts import role_parts
from contend.harness.present.charts.speedup import speedup
from contend.harness.present.charts.stage_times import stage_times
from contend.harness.present.charts.style import Style, chart_style
from contend.harness.present.charts.throughput import throughput
from contend.harness.present.charts.waste import wasted
from contend.harness.record.statistics.rank_disagreement import rank_disagreements

if TYPE_CHECKING:
    import pandas

    from contend.harness.present.charts.chart import Chart

__all__ = ["draw"]

_WORTH_COMPARING = 2
_BY_WORKLOAD: dict[str, Callable[..., Chart | None]] = {
    "throughput": throughput,
    "speedup": speedup,
    "wasted": wasted,
    "latency": latency,
    "stages": stage_times,
    "blocks": over_blocks,
}
_MOST_NOTES = 3
_WITH_NOTES: dict[str, Callable[..., Chart | None]] = {"throughput": throughput, "speedup": speedup}
_BY_CONTENTION: dict[str, Callable[..., Chart | None]] = {"contention": contention, "winners": winners}


def draw(
    cells: pandas.DataFrame, folder: Path, prefix: str, notes: Sequence[str] = (), baseline: str = BASELINE
) -> list[Path]:
    """Draw whatever charts the cells have data for.

    Parameters
    ----------
    cells : DataFrame
        As `contend.run` and `contend.load` give them.
    folder : Path
        Made if it is missing.
    prefix : str
        The files are ``<prefix>-throughput.png``, ``-speedup.png`` and ``-wasted.png``, of several blocks in a row
        ``-latency.png``, with stages of a node ``-stages.png``, of several real blocks ``-blocks.png`` as well; where
        a dial was turned between cells of a workload ``-contention.png`` and ``-winners.png`` instead; and the same as
        ``.svg``. Those of validators end in
        ``-validator``, those of ceilings in ``-ceiling``.
    notes : sequence of str, optional
        Sentences below the charts of throughput and speed-up, before those about orders of cells that disagree between
        the two.
    baseline : str, optional
        With another one than serial there is ``<prefix>-speedup-over-<baseline>.png`` as well, unless a dial was
        turned.

    Returns
    -------
    list of Path
        The PNG files that were written; none where there are not two verified cells to compare.
    """
    good = cells[cells["verified"]]
    if len(good) < _WORTH_COMPARING:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    style = Style(list(dict.fromkeys(good["strategy"])))
    written = []
    with chart_style():
        for part in role_parts(good, baseline):
            told = [f"{one.sentence}." for one in rank_disagreements(part.cells.to_dict("records"))[:_MOST_NOTES]]
            charts = _BY_CONTENTION if swept(good) else _by_workload([*notes, *told], baseline)
            for name, chart in charts.items():
                drawn = chart(part.cells, style)
                if drawn is not None:
                    part.name(drawn)
                    drawn.arrange()
                    saved = drawn.save(folder, f"{prefix}-{name}{part.suffix}")
                    written += [path for path in saved if path.suffix == ".png"]
    return written


def _by_workload(notes: Sequence[str], baseline: str) -> dict[str, Callable[..., Chart | None]]:
    charts = dict(_BY_WORKLOAD)
    for name, chart in _WITH_NOTES.items():
        charts[name] = partial(chart, notes=notes)
    if baseline != BASELINE:
        charts[f"speedup-over-{baseline}"] = partial(speedup, notes=notes, baseline=baseline)
    return charts
