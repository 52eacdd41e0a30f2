"""``python -m tools.gate_power``: run the power study here and now, and write ``docs/gate.md``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from contend.harness.compare.checkout import ROOT
from contend.harness.compare.markdown import ratio_text
from contend.harness.compare.ratio import Pair
from contend.harness.compare.result import CellResult, Comparison
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.observer import Observer
from contend.harness.present.progress_bar import display
from contend.harness.record import environment
from tools.gate_power import real
from tools.gate_power.noise import Noise, fit
from tools.gate_power.page import PowerStudy, page
from tools.gate_power.planted import DELAYED, write_plugin
from tools.gate_power.simulate import Design, simulate

PAGE = ROOT / "docs" / "gate.md"
EFFECT = 0.10
EVERY = 100

LEVELS = {
    "quiet": Noise(core=0.01, process=0.003, burst_share=0.01, burst_size=0.1, drift=0.001),
    "shared": Noise(core=0.03, process=0.01, burst_share=0.05, burst_size=0.3, drift=0.003),
    "busy": Noise(core=0.08, process=0.03, burst_share=0.15, burst_size=0.5, drift=0.01),
}
"""Machines as they are met with: one's own, one shared with others, one that is overloaded."""


def main(arguments: Sequence[str]) -> int:
    """Run the study; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.gate_power", description=__doc__)
    parser.add_argument("--real", type=int, default=20, help="real comparisons of each kind (default: 20)")
    parser.add_argument("--simulated", type=int, default=200, help="simulated ones of each kind (default: 200)")
    parser.add_argument("--block-size", type=int, default=2_000, help="transactions in real comparisons")
    parser.add_argument("--repeat", type=int, default=20, help="pairs of runs of each cell")
    parser.add_argument("--output", type=Path, default=PAGE, help="page to write (default: docs/gate.md)")
    options = parser.parse_args(arguments)
    scale = real.Scale(block_size=options.block_size, repeat=options.repeat)
    design = Design(rounds=options.repeat)
    # Where the page was written to says nothing about what is on it.
    given = [word for word in arguments if word not in ("--output", str(options.output))]
    command = " ".join(["python -m tools.gate_power", *given])
    began = time.monotonic()
    study = PowerStudy(command, environment.describe(), Rule().threshold, EFFECT, design, every=EVERY)
    with tempfile.TemporaryDirectory() as folder, display(quiet=True) as observer:
        cells = _measure(study, Path(folder), scale, options.real, observer)
    noises = fitted(cells)
    if noises:
        found = simulate(noises, options.simulated, design, Rule(), EFFECT)
        study.levels.append(("of this machine, during the real comparisons", None, found))
    for name, noise in LEVELS.items():
        study.levels.append((name, noise, simulate([noise], options.simulated, design, Rule(), EFFECT)))
    study.seconds = time.monotonic() - began
    options.output.write_text(page(study))
    print(f"{options.output}: {study.seconds:.0f} s")
    return 0


def _measure(study: PowerStudy, folder: Path, scale: real.Scale, times: int, observer: Observer) -> list[CellResult]:
    """Make the real comparisons; the cells of those of a version with itself."""
    plain, slow = write_plugin(folder / "a"), write_plugin(folder / "b", EFFECT, EVERY)
    study.exact = real.simulated(plain, slow, real.Scale(scale.workload, workers=(1, 2, 8)), Rule(), observer).compared
    cells: list[CellResult] = []
    _note_load(study)
    for number in range(times):
        same = real.timed(plain, plain, scale, Rule(), observer)
        cells += same.compared
        study.real_alarms.append(bool(same.regressions))
        for cell in planted_cells(real.timed(plain, slow, scale, Rule(), observer)):
            study.real_found.append(cell.verdict is Verdict.SLOWER)
            if not study.real_found[-1]:
                study.real_missed.append(f"{cell.name.workers} workers {ratio_text(cell)}, {cell.verdict.value}")
        _note_load(study)
        _tell(
            f"{number + 1} of {times}: {sum(study.real_alarms)} false alarms, "
            f"{sum(study.real_found)} of {len(study.real_found)} planted slow-downs found"
        )
    return cells


def _note_load(study: PowerStudy) -> None:
    load = environment.load_average()
    if load is not None:
        study.loads.append(load)


def planted_cells(comparison: Comparison) -> list[CellResult]:
    """Cells of the strategy that was made slower."""
    return [cell for cell in comparison.compared if cell.name.strategy == DELAYED]


def fitted(cells: Sequence[CellResult]) -> list[Noise]:
    """Noise of every kind of cell, fitted on the processes of all comparisons of a version with itself."""
    groups: dict[str, list[Pair]] = {}
    for cell in cells:
        if cell.a and cell.b:
            pairs = zip(cell.a.seconds, cell.b.seconds, strict=True)
            groups.setdefault(str(cell.name), []).extend(Pair(a, b) for a, b in pairs)
    return [fit(pairs) for pairs in groups.values() if len(pairs) >= 4]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
