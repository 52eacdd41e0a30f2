"""Charts of measured cells. Failed cells are not drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import pyplot

from contend.harness.present.charts.contention import contention, swept, winners
from contend.harness.present.charts.latency import latency
from contend.harness.present.charts.speedup import speedup
from contend.harness.present.charts.style import DOTS_PER_INCH, FORMATS, Style, chart_style, marked
from contend.harness.present.charts.throughput import throughput
from contend.harness.present.charts.waste import wasted
from contend.harness.record import atomic_write

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

__all__ = ["draw"]

_WORTH_COMPARING = 2
_BY_WORKLOAD: dict[str, Callable[..., Figure | None]] = {
    "throughput": throughput,
    "speedup": speedup,
    "wasted": wasted,
    "latency": latency,
}
_BY_CONTENTION: dict[str, Callable[..., Figure | None]] = {"contention": contention, "winners": winners}


def draw(cells: pandas.DataFrame, folder: Path, prefix: str) -> list[Path]:
    """Draw whatever charts the cells have data for.

    Parameters
    ----------
    cells : DataFrame
        As `contend.run` and `contend.load` give them.
    folder : Path
        Made if it is missing.
    prefix : str
        The files are ``<prefix>-throughput.png``, ``-speedup.png`` and ``-wasted.png``, of several blocks in a row
        ``-latency.png`` as well; where a dial was turned between cells of a workload ``-contention.png`` and
        ``-winners.png`` instead; and the same as ``.svg``.

    Returns
    -------
    list of Path
        The PNG files that were written; none where there are not two verified cells to compare.
    """
    good = marked(cells[cells["verified"]])
    if len(good) < _WORTH_COMPARING:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    style = Style(list(dict.fromkeys(good["strategy"])))
    written = []
    with chart_style():
        for name, chart in (_BY_CONTENTION if swept(good) else _BY_WORKLOAD).items():
            figure = chart(good, style)
            if figure is not None:
                try:
                    for kind in FORMATS:
                        with atomic_write.written(folder / f"{prefix}-{name}.{kind}") as file:
                            figure.savefig(file, format=kind, dpi=DOTS_PER_INCH)
                finally:
                    pyplot.close(figure)
                written.append(folder / f"{prefix}-{name}.png")
    return written
