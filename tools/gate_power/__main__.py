"""``python -m tools.gate_power``: run the power study here and now, and write ``docs/gate.md``.

Real comparisons are kept as they are made. A study that was interrupted goes on when the same command is given again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from contend.harness.compare.checkout import ROOT
from contend.harness.compare.ratio import Pair
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.errors import BadInputError
from contend.harness.observer import Observer
from contend.harness.present.progress.progress_bar import display
from contend.harness.record import environment
from tools.gate_power import real
from tools.gate_power.noise import Noise, fit, fits
from tools.gate_power.outcomes import BIASED, SAME, SLOWER, CellOutcome, Outcomes, outcome_of
from tools.gate_power.page import Level, PowerStudy, page
from tools.gate_power.planted import DELAYED, write_plugin
from tools.gate_power.simulate import Design, simulate

PAGE = ROOT / "docs" / "gate.md"
KEPT = ROOT / "results" / "gate" / "outcomes.jsonl"
EFFECT = 0.10
EVERY = 100

LEVELS = {
    "quiet": Noise(core=0.01, process=0.003, burst_share=0.01, burst_size=0.1, drift=0.001),
    "shared": Noise(core=0.03, process=0.01, burst_share=0.05, burst_size=0.3, drift=0.003),
    "busy": Noise(core=0.08, process=0.03, burst_share=0.15, burst_size=0.5, drift=0.01),
}
"""Machines as they are met with: one's own, one shared with others, one that is overloaded."""
BIASES = {"quiet": 0.10, "shared": 0.10}
"""Levels that are simulated once more, with a bias for the second place of a pair."""


def main(arguments: Sequence[str]) -> int:
    """Run the study; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.gate_power", description=__doc__)
    parser.add_argument("--real", type=int, default=20, help="real comparisons of each kind (default: 20)")
    parser.add_argument("--biased", type=int, default=3, help="real ones with a bias for a place (default: 3)")
    parser.add_argument("--simulated", type=int, default=100, help="simulated ones of each kind (default: 100)")
    parser.add_argument("--block-size", type=int, default=2_000, help="transactions in real comparisons")
    parser.add_argument("--repeat", type=int, default=20, help="pairs of runs of each cell")
    parser.add_argument("--minutes", type=float, help="begin no further real comparison after so long")
    parser.add_argument("--output", type=Path, default=PAGE, help="page to write (default: docs/gate.md)")
    parser.add_argument(
        "--kept", type=Path, default=KEPT, help="outcomes so far (default: results/gate/outcomes.jsonl)"
    )
    options = parser.parse_args(arguments)
    scale = real.Scale(block_size=options.block_size, repeat=options.repeat)
    design = Design(rounds=options.repeat)
    where = environment.describe()
    # Where things were written to, and in how many sittings, says nothing about what is on the page.
    sizes = ("real", "biased", "simulated", "block_size", "repeat")
    said = {name: getattr(options, name) for name in sizes if getattr(options, name) != parser.get_default(name)}
    command = " ".join(
        ["python -m tools.gate_power", *(f"--{name.replace('_', '-')} {value}" for name, value in said.items())]
    )
    conditions = {
        "git": where["git"],
        "cpu": where["cpu"],
        "cores": where["cores"],
        "scale": str(scale),
        "effect": EFFECT,
    }
    try:
        outcomes = Outcomes(options.kept, conditions)
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2
    study = PowerStudy(command, where, Rule(), EFFECT, design, every=EVERY)
    wanted = list(_schedule(options.real, options.biased))
    began, sitting = time.monotonic(), len(outcomes.found)
    try:
        with tempfile.TemporaryDirectory() as folder, display(quiet=True) as observer:
            plain, slow = write_plugin(Path(folder) / "a"), write_plugin(Path(folder) / "b", EFFECT, EVERY)
            exactly = real.Scale(scale.workload, workers=(1, 2, 8))
            study.exact = real.simulated(plain, slow, exactly, Rule(), observer).compared
            for number, kind in _missing(wanted, outcomes):
                if options.minutes is not None and time.monotonic() - began > 60 * options.minutes:
                    _tell(f"{number} of {len(wanted)} comparisons are kept in {options.kept}; the same command goes on")
                    return 3
                _measure(outcomes, kind, plain, slow, scale, observer)
                _progress(outcomes, len(wanted), (time.monotonic() - began) / (len(outcomes.found) - sitting))
    except KeyboardInterrupt:
        _tell(f"interrupted: {len(outcomes.found)} comparisons are kept in {options.kept}; the same command goes on")
        return 130
    study.outcomes = outcomes.found
    _tell("simulating")
    _simulate(study, options.simulated, design)
    # The comparisons may have been made in several sittings.
    study.seconds = sum(one.seconds for one in outcomes.found[:sitting]) + time.monotonic() - began
    options.output.write_text(page(study))
    print(f"{options.output}: {study.seconds:.0f} s; delete {options.kept} to measure anew")
    return 0


def _schedule(times: int, biased: int) -> Iterator[str]:
    """Kinds of the real comparisons, in an order by which what the machine does for a while meets all of them."""
    for number in range(times):
        yield from (SAME, SLOWER)
        if biased and number * biased // times != (number + 1) * biased // times:
            yield from [BIASED] * ((number + 1) * biased // times - number * biased // times)


def _missing(wanted: Sequence[str], outcomes: Outcomes) -> Iterator[tuple[int, str]]:
    """Comparisons that are still to be made, each with how many there are already."""
    left = {kind: len(outcomes.of(kind)) for kind in (SAME, SLOWER, BIASED)}
    for kind in wanted:
        left[kind] -= 1
        if left[kind] < 0:
            yield len(outcomes.found), kind


def _measure(outcomes: Outcomes, kind: str, plain: Path, slow: Path, scale: real.Scale, observer: Observer) -> None:
    began = time.monotonic()
    b, second = slow if kind == SLOWER else plain, slow if kind == BIASED else None
    comparison = real.timed(plain, b, scale, Rule(), observer, second)
    outcomes.add(outcome_of(kind, comparison, DELAYED, environment.load_average(), time.monotonic() - began))


def _progress(outcomes: Outcomes, total: int, each: float) -> None:
    done = len(outcomes.found)
    alarms = sum(any(cell.claimed for cell in one.cells) for one in outcomes.of(SAME))
    planted = [cell for one in outcomes.of(SLOWER) for cell in one.cells if cell.planted]
    biased = [cell for one in outcomes.of(BIASED) for cell in one.cells if cell.planted]
    _tell(
        f"{done} of {total}, about {each * (total - done) / 60:.0f} min left: {alarms} false alarms, "
        f"{sum(cell.verdict == Verdict.SLOWER for cell in planted)} of {len(planted)} planted slow-downs found, "
        f"{sum(cell.claimed for cell in biased)} of {len(biased)} biased cells claimed"
    )


def _simulate(study: PowerStudy, times: int, design: Design) -> None:
    cores = os.cpu_count() or 1
    noises = fitted([cell for one in study.outcomes if one.kind == SAME for cell in one.cells])
    if noises:
        found = simulate(noises, times, design, Rule(), EFFECT, cores=cores)
        study.levels.append(Level("of this machine, during the real comparisons", None, 0.0, found))
    plans = [(name, noise, 0.0) for name, noise in LEVELS.items()]
    plans += [(name, LEVELS[name], bias) for name, bias in BIASES.items()]
    for name, noise, bias in plans:
        biased = Design(rounds=design.rounds, bias=bias)
        found = simulate([noise], times, biased, Rule(), EFFECT, cores=cores)
        study.levels.append(Level(name, noise, bias, found))


def fitted(cells: Sequence[CellOutcome]) -> list[Noise]:
    """Noise of every kind of cell, fitted on the processes of all comparisons of a version with itself."""
    groups: dict[str, list[Pair]] = {}
    for cell in cells:
        groups.setdefault(cell.name, []).extend(cell.samples())
    return [fit(pairs) for pairs in groups.values() if fits(pairs)]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
