"""Stages of a node from end to end: a phase of their own, in records, tables and names; nothing where not asked for."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from rich.console import Console

pytest.importorskip("coincurve", reason="libsecp256k1 comes with coincurve")

import contend
from contend.harness.cli import main
from contend.harness.compare.compatibility import unmatched
from contend.harness.compare.measured import cells_of
from contend.harness.errors import BadInputError
from contend.harness.measure.task import Task, tasks_of
from contend.harness.plan.request import Request, command_words, stages_text
from contend.harness.plan.resolve import CellKey, WorkloadPlan
from contend.harness.present.charts.style import clock_of
from contend.harness.present.report.block_setting import common_of, common_words
from contend.harness.present.tables.result_table import print_results
from contend.harness.record.frame import to_frame
from contend.harness.records import schema

SIZE = 120
STRATEGIES = ["serial", "block_stm", "sharded"]


def measured(folder: Path, **more: Any) -> dict[str, Any]:
    """Record of a simulated run."""
    wanted = {"workloads": "payments", "strategies": STRATEGIES, "workers": [2], "block_size": SIZE, "clock": "virtual"}
    contend.run(**{**wanted, **more}, results=folder)
    (file,) = (folder / "records").glob("*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    jsonschema.validate(found, schema())
    return found


def text_of(record: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=250)
    print_results(console, record)
    shown = console.file
    assert isinstance(shown, io.StringIO)
    return " ".join(shown.getvalue().split())


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Without stages, and with signatures."""
    bare, signed = (tmp_path_factory.mktemp(name) for name in ("bare", "signed"))
    return measured(bare), measured(signed, signatures="secp256k1")


def test_a_stage_is_a_phase_more_and_changes_nothing_else(records: tuple[dict[str, Any], dict[str, Any]]) -> None:
    bare, signed = records
    for one, other in zip(bare["cells"], signed["cells"], strict=True):
        assert list(other["phases"]) == ["recover", *one["phases"]]
        assert {name: other["phases"][name] for name in one["phases"]} == pytest.approx(one["phases"])
        assert other["seconds"] == pytest.approx(one["seconds"] + other["phases"]["recover"])
        assert other["figures_digest"] != one["figures_digest"]
        assert other["counters"] == one["counters"]
        for name in ("genesis_digest", "block_digest", "gas"):
            assert other[name] == one[name]
        assert other["stages"] == {"signatures": {"scheme": "secp256k1", "signature_bytes": 65 * SIZE, "key_bytes": 0}}
        # It is no bound on what has a stage in it.
        assert other["share_of_bound"] is None
        assert one["strategy"] == "serial" or one["share_of_bound"] is not None
    serial, *others = (cell["phases"]["recover"] for cell in signed["cells"])
    assert all(2 * one == pytest.approx(serial, rel=0.05) for one in others)
    assert signed["environment"]["kernels"] != bare["environment"]["kernels"]


def test_without_stages_records_and_tables_say_nothing_of_them(records: tuple[dict[str, Any], dict[str, Any]]) -> None:
    bare, signed = records
    assert all("stages" not in cell and "recover" not in cell["phases"] for cell in bare["cells"])
    shown = text_of(bare)
    assert "p/e/c" in shown
    assert "recover" not in shown
    assert "of bound" in shown
    shown = text_of(signed)
    assert " r/p/e/c " in shown
    assert "share of recover, prepare, execute and commit in %" in shown
    assert "Every time, serial's too, has signatures in it: senders are found by secp256k1 (65 bytes a tran" in shown
    assert "of bound" not in shown


def test_cells_with_and_without_are_not_compared(records: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = (cells_of(record, "x") for record in records)
    assert not ours.keys() & theirs.keys()
    assert all("stages" not in name.as_json() for name in ours)
    assert {name.as_json()["stages"] for name in theirs} == {"signatures secp256k1"}
    assert all(str(name).endswith("virtual clock, signatures secp256k1") for name in theirs)
    assert any("stages none in A, signatures secp256k1 in B" in why for why in unmatched(ours, theirs).values())
    told = [common_words(common_of(record["cells"][0], record["request"])) for record in records]
    assert told == [f"blocks of {SIZE} transactions", f"blocks of {SIZE} transactions, signatures secp256k1"]


def test_charts_say_what_is_in_the_time(records: tuple[dict[str, Any], dict[str, Any]]) -> None:
    told = [clock_of(to_frame([record])) for record in records]
    bare = "SIMULATED workers, virtual clock"
    assert told == [bare, f"{bare}, with signatures by secp256k1"]


def test_agreement_is_told_by_records_and_tables(tmp_path: Path) -> None:
    asked = {"consensus": "hotstuff", "validators": 7, "silent": 1, "jitter": 0.3, "network": "rack"}
    found = measured(tmp_path, **asked, block_count=2, strategies=["serial", "block_stm"])
    for cell in found["cells"]:
        assert cell["verified"], cell["error"]
        assert list(cell["phases"]) == ["agree", "prepare", "execute", "commit"]
        expected = {"protocol": "hotstuff", "validators": 7, "faults": 2, "silent": 1, "jitter": 0.3}
        assert cell["stages"] == {"consensus": expected}
        assert cell["counters"]["agreement_rounds"] == 2 * 2
        assert cell["counters"]["agreement_delays"] > 2 * (14 + 7)
    shown = text_of(found)
    assert " a/p/e/c " in shown
    assert "has agreement in it: hotstuff among 7 validators, 1 of them silent, jitter 0.3, " in shown
    assert "message delays a block, before execution." in shown
    assert stages_text(found["request"]) == "consensus hotstuff, validators 7, silent 1, jitter 0.3"


def test_blocks_in_a_row_have_their_senders_found_each(tmp_path: Path) -> None:
    found = measured(tmp_path, signatures="secp256k1", block_count=3, workloads=["swaps", "nft"])
    for cell in found["cells"]:
        assert cell["verified"], cell["error"]
        assert cell["stages"]["signatures"]["signature_bytes"] == 65 * cell["transactions"]


def test_the_machine_s_limit_has_the_stage_in_it(tmp_path: Path) -> None:
    found = measured(tmp_path, clock="wall", signatures="secp256k1", repeat=2, processes=1, strategies=["block_stm"])
    (cell,) = found["cells"]
    assert cell["verified"]
    assert cell["phases"]["recover"] > 0
    for sample in cell["samples"]:
        # Both have the senders to find, which takes most of the time.
        assert sample["limit_seconds"] > 0.2 * sample["baseline_seconds"]


def test_stages_travel_with_the_task() -> None:
    asked = Request(signatures="mldsa44", keys="registry")
    (task,) = tasks_of(asked, WorkloadPlan("payments", {}), [CellKey("serial", 1)]).values()
    assert task.stages == {"signatures": "mldsa44", "keys": "registry"}
    assert Task.from_plain(json.loads(json.dumps(task.as_plain()))) == task
    assert stages_text(asked.as_json()) == "signatures mldsa44, keys registry"
    assert stages_text({}) == ""
    assert command_words(asked.as_json()) == ["--signatures", "mldsa44", "--keys", "registry"]
    assert Request().stages == {}
    assert Request(signatures="secp256k1").stages == {"signatures": "secp256k1"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--signatures", "secp256k1", "--keys", "registry"], "keys: for signatures whose keys are not recovered"),
        (["--consensus", "tendermint"], "consensus: validators are simulated; add --clock virtual"),
        (["--validators", "7"], "validators: for validators that agree; add --consensus, one of tendermint, hotstuff"),
        (["--jitter", "0.1", "--clock", "virtual"], "jitter: for validators that agree; add --consensus"),
        (["--jitter", "nan"], "jitter: nan is out of range; give a number from 0 to 2"),
        (
            ["--consensus", "hotstuff", "--clock", "virtual", "--validators", "7", "--silent", "3"],
            "silent: of 7 validators 2 may be silent, not 3",
        ),
        (["--keys", "registry"], "keys: for signatures whose keys are not recovered; add --signatures, one of mldsa44"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_a_line(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["run", "--workload", "payments", *arguments], standalone_mode=False)
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_a_scheme_that_is_not_installed_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    from contend.harness.plan.resolve import resolve
    from contend.node.signatures import making

    monkeypatch.setattr(making, "find_spec", lambda name: None)
    with pytest.raises(BadInputError, match="mldsa44 needs the package cryptography"):
        resolve(Request(workloads="payments", signatures="mldsa44"))
