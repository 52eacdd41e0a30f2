"""``contend compare --null``: a version against itself, in exchanged places, beside A against B."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import miniature
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from contend.harness.cli import main
from contend.harness.compare.markdown import grounds, markdown
from contend.harness.compare.measured import CellName, MeasuredCell
from contend.harness.compare.result import SCHEMA_FILE, CellResult, Comparison
from contend.harness.compare.runner import VersionComparison
from contend.harness.compare.significance.null_run import NullRun, NullSamples
from contend.harness.compare.targets import Revision
from contend.harness.compare.terminal import print_comparison
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.measure.batch import Batch
from contend.harness.measure.executor import LocalExecutor
from contend.harness.measure.progress_log import Run
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.record.statistics import Interval

Versions = tuple[Revision, Revision]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Versions]:
    """Two versions of which the second takes so many times as long."""
    monkeypatch.setenv("CONTEND_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MINIATURE_LOG", str(tmp_path / "log"))

    def made(slower: float = 1.0) -> Versions:
        folder = tmp_path / "repository"
        sides = []
        for label, factor in (("A", 1.0), ("B", slower)):
            miniature.write(folder, {"even": factor, "odd": 1.0}, label=label)
            sides.append(Revision(label, folder, miniature.commit(folder, label)))
        return sides[0], sides[1]

    return made


def executor(slowed: Callable[[int, Run], float]) -> Callable[..., LocalExecutor]:
    """An executor by which a run takes longer for its place among the workers of a group, or for its turn."""

    class Biased(LocalExecutor):
        def measure(self, batches: Sequence[Batch], *arguments: Any, **more: Any) -> None:
            for batch in batches:
                self._bias(batch)
            super().measure(batches, *arguments, **more)

        @staticmethod
        def _bias(batch: Batch) -> None:
            keep = batch.log.keep

            def biased(group: int, number: int, runs: Mapping[Any, Sequence[Run]]) -> None:
                keep(
                    group,
                    number,
                    {
                        key: [
                            replace(run, sample=replace(run.sample, seconds=run.sample.seconds * slowed(place, run)))
                            for place, run in enumerate(by_place)
                        ]
                        for key, by_place in runs.items()
                    },
                )

            batch.log.keep = biased  # type: ignore[assignment]

    return Biased


def compared(sides: Versions, slowed: Callable[[int, Run], float], null: bool = True) -> Comparison:
    request = Request(repeat=8)
    return VersionComparison(*sides, request, Rule(), frozenset({"slower"}), null, executor(slowed)).run(Observer())


def cell_of(comparison: Comparison, strategy: str) -> CellResult:
    return next(cell for cell in comparison.cells if cell.name.strategy == strategy)


BIASES: dict[str, Callable[[int, Run], float]] = {
    "second place of a pair of processes": lambda place, run: 1.1 if place % 2 else 1.0,
    "second turn of a pair of runs": lambda place, run: 1.1 if run.turn % 2 else 1.0,
}


@pytest.mark.parametrize("where", BIASES)
def test_a_positional_bias_is_neither_claimed_nor_hidden(versions: Callable[..., Versions], where: str) -> None:
    found = compared(versions(), BIASES[where])
    assert {cell.verdict for cell in found.cells} == {Verdict.INCONCLUSIVE}
    assert found.exit_code == 0
    # Neither is the bias taken for a difference, nor the versions for the same.
    for cell in found.cells:
        assert cell.floor == pytest.approx(0.1, abs=0.01)
        assert cell.ratio is not None
        assert cell.ratio.low < 1.0 < cell.ratio.high
    (line,) = [line for line in grounds(found) if line.startswith("Bias")]
    assert f"+10 % in the {where}; that is no difference of A and B" in line
    assert line in markdown(found)


def test_without_a_null_run_a_bias_is_taken_for_a_difference(versions: Callable[..., Versions]) -> None:
    # What the null run is for: the same machine, and the same versions.
    found = compared(versions(), BIASES["second place of a pair of processes"], null=False)
    assert [cell.verdict for cell in found.cells] == [Verdict.SLOWER, Verdict.SLOWER]
    assert "No null run was made (--null)" in grounds(found)[0]


def test_a_slow_down_is_told_from_a_bias(versions: Callable[..., Versions]) -> None:
    found = compared(versions(1.5), BIASES["second place of a pair of processes"])
    assert cell_of(found, "even").verdict is Verdict.SLOWER
    assert cell_of(found, "odd").verdict is Verdict.INCONCLUSIVE
    assert any(line.startswith("Bias") for line in grounds(found))


def test_without_a_bias_the_floor_is_the_noise_and_costs_no_run(
    versions: Callable[..., Versions], tmp_path: Path
) -> None:
    sides, log = versions(1.1), tmp_path / "log"
    plain = compared(sides, lambda place, run: 1.0, null=False)
    runs = log.read_text().count("\n")
    log.unlink()
    found = compared(sides, lambda place, run: 1.0)
    assert log.read_text().count("\n") == runs
    for one in (plain, found):
        assert cell_of(one, "even").verdict is Verdict.SLOWER
        assert cell_of(one, "odd").verdict is Verdict.SAME
    assert [cell.floor for cell in plain.cells] == [None, None]
    assert all(cell.floor is not None and cell.floor < 0.01 for cell in found.cells)
    assert not any(line.startswith("Bias") for line in grounds(found))
    content = json.loads(json.dumps(found.as_json(), allow_nan=False))
    jsonschema.validate(content, json.loads(SCHEMA_FILE.read_text()))
    assert content["family"] == {"tested": 2, "rate": 0.05, "withdrawn": 0}
    assert {cell["strategy"]: len(cell["null"]) for cell in content["cells"]} == {"even": 2, "odd": 1}
    # Twelve pairs of processes all say slower: the least that so many can say.
    assert {cell["strategy"]: cell["p_value"] for cell in content["cells"]} == {"even": 2.0**-12, "odd": 1.0}


def test_places_and_turns_are_exchanged(versions: Callable[..., Versions], tmp_path: Path) -> None:
    sides = versions()
    request = Request(strategies=("odd",), repeat=8)
    VersionComparison(*sides, request, Rule(), frozenset(), null=True).run(Observer())
    # After a warm-up of every process, eight pairs of runs by four processes.
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()][4:]
    by_round = [lines[at : at + 4] for at in range(0, 16, 4)]
    assert ["".join(label for label, _, _ in one) for one in by_round] == ["ABBA", "BAAB", "ABBA", "BAAB"]
    # Each process has each turn once.
    turns: dict[str, set[int]] = {}
    for one in by_round:
        for turn, (_, process, _) in enumerate(one):
            turns.setdefault(process, set()).add(turn)
    assert list(turns.values()) == [{0, 1, 2, 3}] * 4


def test_a_process_that_dies_in_a_null_run_breaks_its_cell_alone(
    versions: Callable[..., Versions], tmp_path: Path
) -> None:
    a, _ = versions()
    miniature.write(a.repository, {"even": 1.0, "odd": 1.0}, label="B", deadly="odd")
    b = Revision("B", a.repository, miniature.commit(a.repository, "deadly"))
    found = VersionComparison(a, b, Request(repeat=4), Rule(), frozenset({"slower"}), null=True).run(Observer())
    assert cell_of(found, "odd").verdict is Verdict.BROKEN
    assert cell_of(found, "even").verdict is Verdict.SAME
    assert found.family is not None
    assert found.family.tested == 1


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_every_floor_and_verdict_whole(width: int) -> None:
    ratio, null = Interval(1.013, 0.9952, 1.13), NullRun(Interval(1, 0.99, 1.02), Interval(1, 0.99, 1.01), 0.0087)
    side = MeasuredCell("A", None, None, seconds=[np.full(4, 0.0123)])
    samples = NullSamples((np.full(4, 1.1),) * 2, (np.ones(2),) * 2)
    name = CellName("payments", (), 1, 100, "static_partition", 32, "wall")
    cell = CellResult(name, Verdict.INCONCLUSIVE, ratio, (ratio,), side, side, nulls=(null,), null_samples=samples)
    a_side, b_side = ({"label": label, "kind": "tree", "revision": None, "dirty": False} for label in "ab")
    comparison = Comparison(a_side, b_side, Rule(), frozenset(), True, {})
    comparison.conclude([replace(cell, p_value=1.0)])
    console = Console(width=width, file=io.StringIO())
    print_comparison(console, comparison)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    assert re.search(r"static_partition x32 .*12\.3 ms +\+1\.3 % \[-0\.48, \+13\] +±0\.87 % +inconclusive", shown)
    assert "1 cell tested at a false discovery rate of 5 %" in shown


def test_simulated_time_needs_no_null_run_and_says_so() -> None:
    options = ["-w", "payments", "-s", "serial", "--block-size", "20", "--clock", "virtual", "--null"]
    done = CliRunner().invoke(main, ["compare", str(ROOT), str(ROOT), *options, "--markdown", "-", "-q"])
    assert done.exit_code == 0, done.output
    assert "Simulated time is exact: nothing is left to chance, and no null run is needed." in done.stdout
    assert "| 0 % | exact | same |" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--null",), "--null: records have been measured already"),
        (("--false-discovery-rate", "0.1"), "--false-discovery-rate: records have been measured already"),
        (("--false-discovery-rate", "0"), "--false-discovery-rate: 0.0 is not a rate"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{}")
    done = CliRunner().invoke(main, ["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"), *arguments])
    assert done.exit_code == 2
    assert message in done.stderr
