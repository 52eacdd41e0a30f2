"""What `contend explain` finds out and prints."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner
from rich.console import Console

from contend.evm import Block, Changes
from contend.evm.drivers.recorder import Recording
from contend.evm.state import location_of
from contend.harness.analysis.conflicts import WORKERS, link_runs
from contend.harness.analysis.explain import Explainer
from contend.harness.analysis.names import CLASSES, Namer
from contend.harness.cli import main
from contend.harness.errors import BadInputError, CrashError
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.present.tables.explain_tables import print_explanation
from contend.harness.record.bound import Bounds
from contend.harness.record.content.cell_facts import given_in
from contend.strategies.registry import get, names
from contend.workloads import Scenario, Workload

Found = dict[str, Any]


def ask(workload: str = "swaps", **changes: Any) -> Request:
    arguments: dict[str, Any] = {
        "workloads": (workload,),
        "strategies": ("serial", "block_stm", "static_partition"),
        "workers": (8,),
        "dials": {"pools": 2} if workload == "swaps" else {},
        "block_size": 300,
        "clock": "virtual",
    }
    return Request(**(arguments | changes))


@pytest.fixture(scope="module")
def swaps() -> Found:
    return Explainer(ask()).run()


def strategy(found: Found, name: str) -> Found:
    return next(one for one in found["strategies"] if one["strategy"] == name)


def test_a_hot_pool_is_found_and_named(swaps: Found) -> None:
    hottest = next(one for one in swaps["hottest"][:3] if one["name"] == "pool 0.packed")
    assert hottest["class"] == "pool reserve"
    assert hottest["kind"] == "storage"
    assert hottest["readers"] >= hottest["writers"] > 100
    assert hottest["dependent"] < hottest["readers"]
    assert swaps["classes"][0]["class"] == "pool reserve"
    assert [one["dependent"] for one in swaps["hottest"]] == sorted(
        (one["dependent"] for one in swaps["hottest"]), reverse=True
    )


def test_the_critical_path_is_a_chain_of_dependent_transactions(swaps: Found) -> None:
    path, bound = swaps["critical_path"], Bounds.from_json(swaps["bounds"]).plain
    assert path["picoseconds"] == bound.critical_path
    assert len(path["links"]) == len(path["transactions"]) - 1
    assert path["transactions"] == sorted(set(path["transactions"]))
    assert sum(path["by_location"].values()) == sum(path["by_class"].values()) == len(path["links"])
    assert next(iter(path["by_location"])) == "pool 0.packed"


def test_speedups_lie_below_the_bound_and_rise(swaps: Found) -> None:
    rows = swaps["speedups"]
    assert [row["workers"] for row in rows] == list(WORKERS)
    for name in ("", "_commutative"):
        for row in rows:
            assert row[f"schedule{name}"] <= row[f"bound{name}"] * (1 + 1e-12) <= row["workers"] * (1 + 1e-9)
        assert [row[f"bound{name}"] for row in rows] == sorted(row[f"bound{name}"] for row in rows)
    assert all(row["bound"] <= row["bound_commutative"] * (1 + 1e-12) for row in rows)


def test_aborts_are_attributed_to_the_last_one(swaps: Found) -> None:
    one = strategy(swaps, "block_stm")
    assert sum(one["aborts_by_class"].values()) == one["counters"]["aborts"] > 0
    assert sum(place["aborts"] for place in one["aborts_by_location"]) == one["counters"]["aborts"]
    assert set(one["aborts_by_class"]) <= set(CLASSES)
    assert max(one["aborts_by_class"], key=one["aborts_by_class"].__getitem__) == "pool reserve"
    assert strategy(swaps, "serial")["aborts_by_class"] is None


def test_the_serial_run_takes_as_long_as_the_work(swaps: Found) -> None:
    # The bound and the simulated strategies go by the same table.
    assert strategy(swaps, "serial")["seconds"] == pytest.approx(swaps["bounds"]["plain"]["work"] / 1e12)


def test_no_simulated_strategy_beats_the_bound(swaps: Found) -> None:
    bound, path = Bounds.from_json(swaps["bounds"]).plain, swaps["version_path"]
    for name in ("serial", "block_stm"):
        one = strategy(swaps, name)
        assert bound.work / 1e12 / one["seconds"] <= bound.speedup(one["workers"]) * (1 + 1e-9)
    # Who waits at a read can beat the bound of whole transactions, and not the floor by accesses.
    one = strategy(swaps, "static_partition")
    assert one["seconds"] * 1e12 >= max(path["picoseconds"], path["work"] / one["workers"])


def test_each_contender_is_held_against_the_bound_and_the_schedule_of_its_role() -> None:
    found = Explainer(ask(strategies=("block_stm", "bal"), hints=("truth", "block"), block_size=200)).run()
    told = {one["strategy"]: one for one in found["strategies"]}
    assert {name: one["given"]["role"] for name, one in told.items()} == {
        "block_stm+block": "validator",
        "block_stm+truth": "ceiling",
        "bal": "validator",
    }
    bounds = Bounds.from_json(found["bounds"])
    assert bounds.independent is not None
    # On two pools transactions wait for each other, but for one that has the values.
    assert told["bal"]["list_schedule"] < told["block_stm+block"]["list_schedule"]
    assert told["bal"]["seconds"] * 1e12 >= told["bal"]["list_schedule"] >= bounds.independent.critical_path
    assert bounds.independent.speedup(8) > 2 * bounds.plain.speedup(8)
    target = io.StringIO()
    print_explanation(Console(file=target, width=140), found)
    lines = target.getvalue().splitlines()
    for heading in ("given", "of schedule", "ns a hop", "prepare"):
        assert any(f" {heading} " in line for line in lines), heading
    rows = [line.split() for line in lines if line.split()[:1] in (["block_stm+block"], ["bal"], ["block_stm+truth"])]
    assert [row[0] for row in rows[:3]] == ["block_stm+block", "bal", "block_stm+truth"]
    # Who waits for nobody has no overhead of waiting.
    assert rows[1][6] == "-"
    assert int(rows[0][6].replace(",", "")) > 0
    place = lines.index("Whose bound that is")
    whose = [line.split() for line in lines[place + 1 :] if line.split()[:1] in (["validator"], ["ceiling"])][:3]
    waiting, independent = (f"{one.speedup(8):,.2f}" for one in (bounds.plain, bounds.independent))
    assert whose == [
        ["validator", "block_stm+block", "writers", waiting],
        ["validator", "bal", "nobody", independent],
        ["ceiling", "block_stm+truth", "writers", waiting],
    ]


def test_who_predicts_had_nothing_to_learn_from() -> None:
    found = Explainer(ask(strategies=("hint_trial", "block_stm+template", "block_stm"), block_size=40)).run()
    given = {one["strategy"]: given_in(one) for one in found["strategies"]}
    assert given == {"hint_trial": "nothing learned", "block_stm+template": "nothing learned", "block_stm": "none"}


def test_the_same_block_is_explained_in_the_same_words(swaps: Found) -> None:
    assert Explainer(ask()).run() == swaps
    assert json.loads(json.dumps(swaps)) == swaps


@pytest.mark.parametrize("workload", ["payments", "nft", "dao", "swaps"])
@pytest.mark.parametrize("width", [80, 120])
def test_what_is_printed_fits_and_cuts_nothing_off(workload: str, width: int) -> None:
    found = Explainer(ask(workload, block_size=200)).run()
    target = io.StringIO()
    print_explanation(Console(file=target, width=width), found)
    text = target.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for word in ("Dependencies", "1,024", "Hottest locations", "Critical path", "simulated", "of bound"):
        assert word in text


def test_classes_of_each_workload_are_told_apart() -> None:
    nft = Explainer(ask("nft", strategies=("block_stm",), block_size=400)).run()
    assert {"counter", "balance", "nonce"} <= {one["class"] for one in nft["classes"]}
    balance = next(one for one in nft["classes"] if one["class"] == "balance")
    # Mints pay the collection blindly: only the chain of those who pay is left.
    assert balance["longest_chain_commutative"] < balance["longest_chain"] / 3
    dao = Explainer(ask("dao", strategies=("block_stm",), block_size=400)).run()
    assert any(one["name"].startswith("dao.tallies[") and one["class"] == "counter" for one in dao["hottest"])


def test_independent_transactions_are_explained_too() -> None:
    request = ask("payments", dials={"accounts": 1_000_000, "sender_zipf": 0.0, "receiver_zipf": 0.0}, block_size=2)
    found = Explainer(request).run()
    assert found["classes"] == found["hottest"] == []
    target = io.StringIO()
    print_explanation(Console(file=target, width=80), found)
    assert "No transaction depends on another." in target.getvalue()


def test_under_the_wall_clock_one_run_gives_no_speedup() -> None:
    found = Explainer(ask(clock="wall", strategies=("block_stm",), workers=(2,), block_size=100)).run()
    assert strategy(found, "block_stm")["seconds"] is None
    target = io.StringIO()
    print_explanation(Console(file=target, width=80), found)
    assert "simulated" not in target.getvalue()


def test_progress_is_told() -> None:
    told: list[str] = []

    class Listener(Observer):
        def stage(self, process: int, workload: str, what: str) -> None:
            told.append(what)

    Explainer(ask(block_size=20, strategies=("block_stm",)), Listener()).run()
    assert told == ["building", "recording access sets", "naming locations", "running block_stm with 8 workers"]


def test_all_strategies_are_those_that_run_under_the_clock() -> None:
    found = Explainer(ask(strategies=(), block_size=30)).run()
    able = [name for name in names() if "virtual" in get(name).clocks]
    assert sorted(one["strategy"] for one in found["strategies"]) == sorted(able)


def test_a_workload_that_does_not_build_is_told(fakes: object) -> None:
    with pytest.raises(CrashError, match="workload unbuildable: building it and running it serially: "):
        Explainer(ask("unbuildable", strategies=("serial",))).run()


def test_one_workload_is_explained_at_a_time() -> None:
    with pytest.raises(BadInputError, match="name one"):
        Explainer(ask(workloads=("swaps", "nft")))


def test_runs_of_links_are_counted() -> None:
    assert link_runs([1, 4, 6, 9], ["a", "a", "b"]) == [("a", 2, 1, 6), ("b", 1, 6, 9)]
    assert link_runs([3], []) == []


def test_the_command_prints_tables_or_json() -> None:
    small = [
        "explain",
        "-w",
        "swaps",
        "--set",
        "pools=1",
        "--block-size",
        "40",
        "--workers",
        "4",
        "-s",
        "block_stm",
        "-q",
    ]
    plain = CliRunner().invoke(main, small)
    assert plain.exit_code == 0, plain.output
    assert "pool 0.packed" in plain.output
    as_json = CliRunner().invoke(main, [*small, "--json"])
    found = json.loads(as_json.stdout)
    assert (found["dials"]["pools"], found["block_size"], found["clock"]) == (1, 40, "virtual")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-w", "swop"], "swaps"),
        (["-w", "all"], "workload: name one"),
        (["-w", "swaps,nft"], "workload: name one"),
        (["-w", "swaps", "--set", "pool=1"], "pools"),
        (["-w", "swaps", "--workers", "0"], "workers: 0 is out of range"),
        (["-w", "swaps", "-s", "block_st"], "block_stm"),
        (["-w", "swaps", "-s", "block_stm", "--costs", "nowhere.json"], "nowhere.json"),
        (["-w", "swaps", "--clock", "wall", "--costs", "x.json"], "costs"),
        (["-w", "swaps", "--block-size", "0"], "block size: 0"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], complaint: str) -> None:
    done = CliRunner().invoke(main, ["explain", "-q", *arguments])
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert complaint in line


def test_a_strategy_that_is_wrong_or_raises_is_named(plugin_environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "contend", "explain", "-w", "ledger", "-s", "wrong_word,raising,honest"]
    command += ["--clock", "wall", "--workers", "2", "--block-size", "20"]
    done = subprocess.run(command, cwd=tmp_path, env=plugin_environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1, done.stderr
    assert "FAILED wrong_word: differs from the serial result: state, balance of" in " ".join(done.stdout.split())
    assert "FAILED raising:" in done.stdout
    assert "honest" in done.stdout


class KeptNamer(Namer):
    """The namer that was made last, and what was executed."""

    last: ClassVar[tuple[Namer, Recording]]

    def __init__(self, workload: Workload, scenario: Scenario, block: Block, recording: Recording, changes: Changes):
        super().__init__(workload, scenario, block, recording, changes)
        KeptNamer.last = self, recording


@pytest.mark.parametrize("workload", ["nft", "grants"])
def test_names_are_looked_for_in_the_state_before_the_block(workload: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Or counters, which the block moves, are not found.
    monkeypatch.setattr("contend.harness.analysis.names.Namer", KeptNamer)
    Explainer(ask(workload, strategies=("serial",))).run()
    namer, recording = KeptNamer.last
    touched = [location_of(recording.keys[number]) for number in set(recording.locations.tolist())]
    assert len(touched) > 500
    assert [namer.name(place) for place in touched if not namer.is_named(place)] == []
