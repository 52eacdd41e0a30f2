"""Simulated runs from end to end: the same figures every time, marked everywhere, refused where they make no sense."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import contend
from contend.harness.calibrate.fit import errors, fit
from contend.harness.calibrate.validate import Validation, compare
from contend.harness.cli import main
from contend.harness.plan.clock_options import clock_maker
from contend.harness.plan.request import Request
from contend.harness.present.charts.timeline import merged
from contend.harness.records import schema
from contend.strategies.clocks.cost_table import CLASSES, default_costs
from tools.docs.virtual_clock import markdown

PARALLEL = ["block_stm", "static_partition", "sharded"]


def simulate(**more: Any) -> Any:
    wanted = {"workloads": "payments", "strategies": ["serial", *PARALLEL], "workers": [1, 8], "block_size": 200}
    return contend.run(**{**wanted, "clock": "virtual", **more})


def run_contend(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), standalone_mode=False)


def refused(*arguments: str) -> str:
    done = run_contend(*arguments)
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_two_runs_give_the_same_figures_and_say_that_they_are_simulated(tmp_path: Path) -> None:
    first, second = simulate(results=tmp_path), simulate()
    assert first["verified"].all()
    assert first["simulated"].all()
    assert set(first["clock"]) == {"virtual"}
    assert first["figures_digest"].notna().all()
    assert first["figures_digest"].tolist() == second["figures_digest"].tolist()
    assert first["seconds"].tolist() == second["seconds"].tolist()
    assert (first["share_of_bound"] <= 1 + 1e-9)[first["strategy"] != "sharded"].all()
    (file,) = (tmp_path / "records").glob("*.json")
    record = json.loads(file.read_text())
    jsonschema.validate(record, schema())
    assert record["environment"]["costs"] == default_costs().digest
    assert all(cell["warnings"] == [] for cell in record["cells"])


def test_another_table_gives_other_figures(tmp_path: Path) -> None:
    prices = dict(default_costs().nanoseconds) | {"read": 10_000.0}
    file = tmp_path / "costs.json"
    file.write_text(json.dumps({"nanoseconds": prices}))
    dear, usual = simulate(strategies="block_stm", costs=file), simulate(strategies="block_stm")
    assert (dear["seconds"] > 3 * usual["seconds"]).all()


def test_a_network_slows_shards_and_nobody_else() -> None:
    near, far = simulate(), simulate(network="datacenter")
    slower = far["seconds"] > 1.5 * near["seconds"]
    assert slower[(near["strategy"] == "sharded") & (near["workers"] == 8)].all()
    assert not slower[near["strategy"] != "sharded"].any()


def test_a_sweep_measures_every_value_and_draws_who_wins(tmp_path: Path) -> None:
    arguments = ["run", "-w", "swaps", "-s", "serial,block_stm", "--clock", "virtual", "--workers", "1,4"]
    done = run_contend(*arguments, "--sweep", "pools=1,20", "--block-size", "150", "--results", str(tmp_path), "-q")
    assert "SIMULATED" in done.output
    (file,) = (tmp_path / "records").glob("*.json")
    cells = contend.load(file)
    assert sorted(set(cells["dial.pools"])) == [1, 20]
    names = {path.name.rpartition("-")[2] for path in (tmp_path / "charts").iterdir()}
    assert names == {"contention.png", "contention.svg", "winners.png", "winners.svg"}
    drawn = next((tmp_path / "charts").glob("*winners.svg")).read_text()
    assert "SIMULATED" in drawn


def test_a_timeline_is_drawn(tmp_path: Path) -> None:
    done = run_contend("timeline", "-w", "swaps", "-s", "block_stm", "--workers", "3", "--results", str(tmp_path))
    assert done.output.count("chart:") == 2
    (picture,) = tmp_path.rglob("*.svg")
    text = picture.read_text()
    assert "SIMULATED" in text
    assert "execute" in text
    assert "wasted execution" in text
    # The same in the terminal: a line a worker, shares of its time, and what became of the executions.
    lines = done.stdout.splitlines()
    assert [line[:2] for line in lines[1:4]] == ["0 ", "1 ", "2 "]
    assert all({"e", "/"} <= set(line[2:]) <= set("sevwcpm/.") for line in lines[1:4])
    assert "/ wasted execution" in done.output
    (told,) = re.findall(r"^(\d+) executions = 200 transactions \+ (\d+) aborted \+ (\d+) begun", done.output, re.M)
    assert int(told[0]) == 200 + int(told[1]) + int(told[2]) > 200
    assert max(map(len, lines[1:-2])) <= 80


def test_a_block_of_a_file_has_a_timeline(tmp_path: Path) -> None:
    file = str(tmp_path / "block.json")
    run_contend("export", "-w", "payments", "--block-size", "20", "-o", file)
    own = ("-w", "replay", "--block", file, "-s", "block_stm", "--workers", "2", "--results", str(tmp_path))
    done = run_contend("timeline", *own)
    assert done.stdout.startswith("replay:block, 20 transactions, block_stm with 2 SIMULATED workers: ")
    assert (tmp_path / "charts" / "timeline-replay-block-block_stm-2.svg").is_file()


def test_neighbouring_rows_of_one_activity_are_joined() -> None:
    rows = np.array([[0, 1, 0, 5], [1, 1, 5, 7], [0, 1, 5, 9], [0, 2, 9, 10], [0, 2, 11, 12]])
    assert merged(rows).tolist() == [[0, 1, 0, 9], [0, 2, 9, 10], [0, 2, 11, 12], [1, 1, 5, 7]]


def test_what_makes_no_sense_is_refused_in_one_line(tmp_path: Path) -> None:
    small = ("run", "-w", "payments", "--results", str(tmp_path))
    assert "add --clock virtual" in refused(*small, "--costs", "x.json")
    assert "add --clock virtual" in refused(*small, "--network", "rack")
    assert "latency:overhead" in refused(*small, "--clock", "virtual", "--network", "moon")
    assert "calibrate" in refused(*small, "--clock", "virtual", "--costs", str(tmp_path / "none.json"))
    assert "two counts before it" in refused(*small, "--workers", "1,...,8")
    assert "--sweep" in refused(*small, "--sweep", "pools")
    assert "block_stm" in refused("timeline", "-w", "payments", "-s", "blok_stm", "--results", str(tmp_path))
    cell = {"-w": "payments", "-s": "block_stm", "--workers": "2", "--results": str(tmp_path)}
    for option, several in (("-w", "payments,swaps"), ("-s", "block_stm,sharded"), ("--workers", "1,2")):
        arguments = [word for pair in (cell | {option: several}).items() for word in pair]
        assert "a timeline is of one cell; name one" in refused("timeline", *arguments)
    assert "name one count" in refused("explain", "-w", "payments", "--workers", "1,2")
    assert not list(tmp_path.rglob("*.json"))


@given(
    prices=st.lists(st.floats(1e-9, 1e-6), min_size=3, max_size=3),
    counts=st.lists(st.lists(st.integers(1, 1_000), min_size=3, max_size=3), min_size=8, max_size=12),
)
def test_a_fit_explains_what_was_measured(prices: list[float], counts: list[list[int]]) -> None:
    matrix, true = np.array(counts, float), np.array(prices)
    seconds = matrix @ true
    found = fit(matrix, seconds, np.full(3, 1e-7), pull=1e-6)
    assert (found > 0).all()
    assert np.abs(errors(matrix, seconds, found)).max() < 0.05


def test_a_class_that_nothing_tells_apart_keeps_its_price() -> None:
    found = fit(np.array([[10.0, 0.0]]), np.array([1e-6]), np.array([2e-7, 3e-7]))
    assert found[1] == pytest.approx(3e-7)
    assert found[0] == pytest.approx(1e-7, rel=0.1)


@given(shares=st.lists(st.floats(0.05, 20.0), min_size=2, max_size=4))
def test_of_classes_that_occur_together_none_comes_out_as_free(shares: list[float]) -> None:
    # The work of the first class, and of all others as much: only the sum of their costs can be known.
    known = np.array([1e-7 * share for share in shares])
    found = fit(np.array([[10.0] * len(shares)]), np.array([5e-6 * sum(shares)]), known, pull=0.01)
    assert found.sum() == pytest.approx(5e-7 * sum(shares), rel=0.05)
    assert (found > known).all()
    # Less dear than they were, in turn: each keeps a good part.
    found = fit(np.array([[10.0] * len(shares)]), np.array([2e-7 * sum(shares)]), known)
    assert (found > 0.05 * known).all()
    assert (found < known).all()


def test_a_class_that_is_not_to_be_fitted_keeps_its_price() -> None:
    matrix, known = np.array([[10.0, 1.0], [10.0, 9.0]]), np.array([2e-7, 3e-7])
    # As if the first class cost half as much, and the second three times as much.
    seconds = matrix @ np.array([1e-7, 9e-7])
    found = fit(matrix, seconds, known, free=np.array([False, True]))
    assert found[0] == known[0]
    assert found[1] != known[1]


def cell(strategy: str, workers: int, seconds: float, speedup: float) -> Mapping[str, Any]:
    median = {"median": speedup, "low": speedup, "high": speedup, "confidence": 0.95}
    shown = {"strategy": strategy, "workers": workers, "seconds": seconds, "speedup": median}
    return {"workload": "payments", "verified": True, **shown}


def test_clocks_are_compared_cell_by_cell() -> None:
    wall = [cell("serial", 1, 1.0, 1.0), cell("block_stm", 1, 1.25, 0.8), cell("block_stm", 2, 0.5, 2.0)]
    virtual = [cell("serial", 1, 1.0, 1.0), cell("block_stm", 1, 1.0, 1.0), cell("block_stm", 2, 0.5, 1.8)]
    found = compare(wall, virtual)
    assert [(one.workers, round(one.speedup_error, 3)) for one in found] == [(1, 0.25), (2, -0.1)]
    environment = {"cpu": "one", "cores": 2, "time": "2026-01-01T00:00:00"}
    validation = Validation(found, {2: 1100}, environment, "0")
    assert validation.median_error == pytest.approx(0.175)
    page = markdown(json.loads(json.dumps(validation.as_json())))
    assert "| payments | block_stm | 1 | 0.80 | 1.00 | +25% |" in page
    assert "**17.5%** (goal: at most 10%): 25.0% with 1 worker, 10.0% with 2 workers." in page
    assert "2 cores 1.10 times" in page


def test_every_class_of_the_table_is_one_that_kernels_charge() -> None:
    assert len(CLASSES) == len(set(CLASSES)) == len(default_costs().nanoseconds)


def test_a_table_that_changes_meanwhile_changes_no_figure(tmp_path: Path) -> None:
    file = tmp_path / "costs.json"
    file.write_text(json.dumps({"nanoseconds": dict(default_costs().nanoseconds)}))
    make = clock_maker(Request(clock="virtual", costs=str(file)))
    file.unlink()
    one, other = make().costs, make().costs
    assert one is not None
    assert one is other
