from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from contend.harness.cli import main
from contend.harness.records import schema

Result = subprocess.CompletedProcess[str]
Contend = Callable[..., Result]


@pytest.fixture
def run_contend(plugin_environment: dict[str, str], tmp_path: Path) -> Contend:
    """The command in a process of its own, in an empty folder."""

    def run(*arguments: str) -> Result:
        command = [sys.executable, "-m", "contend", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=plugin_environment, capture_output=True, text=True, timeout=600
        )

    return run


def records_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "results" / "records").glob("*.json"))]


SMALL = ("run", "-w", "ledger", "--block-size", "50", "--repeat", "4", "--no-charts")


def test_cells_are_measured_printed_and_recorded(run_contend: Contend, tmp_path: Path) -> None:
    done = run_contend(*SMALL[:-1], "-s", "serial,honest", "--workers", "1,2", "--set", "accounts=5", "--seed", "7")
    assert done.returncode == 0, done.stderr
    assert "honest" in done.stdout
    (record,) = records_in(tmp_path)
    jsonschema.validate(record, schema())
    assert record["complete"]
    cells = record["cells"]
    assert [(cell["strategy"], cell["workers"]) for cell in cells] == [("serial", 1), ("honest", 1), ("honest", 2)]
    for cell in cells:
        assert cell["verified"]
        assert cell["dials"] == {"accounts": 5}
        assert (cell["seed"], cell["transactions"], cell["gas"]) == (7, 50, 50 * 21_000)
        assert len(cell["samples_seconds"]) == 4
        assert sorted({sample["process"] for sample in cell["samples"]}) == [0, 1]
        assert cell["speedup"]["low"] <= cell["speedup"]["median"] <= cell["speedup"]["high"]
    assert (tmp_path / "results" / "charts" / f"{record['id']}-throughput.png").exists()
    assert "ledger: done" in done.stderr
    most = max(cell["peak_memory_bytes"] for cell in cells)
    assert 1 << 24 < most < 1 << 36
    assert f"memory: {most / 2**20:,.0f} MiB at most" in " ".join(done.stdout.split())


def test_compilation_is_told_while_it_lasts_and_recorded(run_contend: Contend, tmp_path: Path) -> None:
    done = run_contend(*SMALL, "-s", "compiling", "--workers", "1")
    assert "compiling planted_kernel" in done.stderr
    (cell,) = records_in(tmp_path)[0]["cells"]
    assert cell["compile_seconds"] > 0
    # It was over before anything was timed.
    assert [sample["counters"]["compiled"] for sample in cell["samples"]] == [0] * 4


def test_the_rounds_interleave_strategies_and_processes(run_contend: Contend, tmp_path: Path) -> None:
    run_contend(*SMALL, "-s", "serial,honest", "--workers", "1")
    serial, honest = records_in(tmp_path)[0]["cells"]
    assert [(one["process"], one["round"]) for one in honest["samples"]] == [(0, 0), (0, 2), (1, 1), (1, 3)]
    assert [one["baseline_seconds"] for one in honest["samples"]] == [one["seconds"] for one in serial["samples"]]


def test_json_on_standard_output_is_all_there_is(run_contend: Contend, tmp_path: Path) -> None:
    done = run_contend(*SMALL, "-s", "honest", "--workers", "2", "--json", "-")
    record = json.loads(done.stdout)
    jsonschema.validate(record, schema())
    assert [cell["strategy"] for cell in record["cells"]] == ["honest"]
    assert record == records_in(tmp_path)[0]
    assert "x serial" in done.stderr


def test_json_in_a_file_is_the_record(run_contend: Contend, tmp_path: Path) -> None:
    done = run_contend(*SMALL, "-s", "serial", "--json", "copy.json", "--results", "elsewhere", "-q")
    assert done.returncode == 0
    assert done.stderr == ""
    (stored,) = (tmp_path / "elsewhere" / "records").glob("*.json")
    assert (tmp_path / "copy.json").read_text() == stored.read_text()


def test_fewer_runs_than_processes_need_fewer_processes(run_contend: Contend, tmp_path: Path) -> None:
    run_contend(*SMALL, "-s", "serial", "--repeat", "1", "--processes", "3")
    (cell,) = records_in(tmp_path)[0]["cells"]
    assert len(cell["samples_seconds"]) == 1
    assert any("one process only" in warning for warning in cell["warnings"])


def test_one_process_is_enough(run_contend: Contend, tmp_path: Path) -> None:
    run_contend(*SMALL, "-s", "serial", "--repeat", "3", "--processes", "1")
    (cell,) = records_in(tmp_path)[0]["cells"]
    assert {sample["process"] for sample in cell["samples"]} == {0}


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("wrong_receipt", ["transaction 3, status: serial 1, here 0"]),
        ("wrong_word", ["state, balance of", "serial 0x", "here 0x"]),
        ("wrong_later", ["transaction 0, status: serial 1, here 0"]),
        ("raising", ["ZeroDivisionError: planted in two lines"]),
        ("crashing", ["SIGSEGV"]),
    ],
)
def test_a_cell_that_goes_wrong_is_failed_and_the_others_stand(
    run_contend: Contend, tmp_path: Path, strategy: str, words: list[str]
) -> None:
    done = run_contend(*SMALL, "-s", f"honest,{strategy}", "--workers", "2")
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    for word in words:
        assert word in " ".join(done.stdout.split())
    honest, failed = records_in(tmp_path)[0]["cells"]
    assert honest["verified"]
    assert len(honest["samples_seconds"]) == 4
    assert failed["error"]
    assert failed["tx_per_second"] is None
    assert failed["samples"] == failed["samples_seconds"] == []
    jsonschema.validate(records_in(tmp_path)[0], schema())


def test_a_strategy_that_never_ends_is_ended(run_contend: Contend, tmp_path: Path) -> None:
    done = run_contend(*SMALL, "-s", "slow,honest", "--workers", "1", "--timeout", "3")
    assert done.returncode == 1
    slow, honest = records_in(tmp_path)[0]["cells"]
    assert slow["error"] == "no sign of life for 3 s"
    assert honest["verified"]


def test_a_serialisation_of_its_own_is_verified(run_contend: Contend, tmp_path: Path) -> None:
    assert run_contend(*SMALL, "-s", "reordering", "--workers", "1").returncode == 0
    assert records_in(tmp_path)[0]["cells"][0]["verified"]


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        ("leaking", "invariant fails after the serial run: supply is 3, not 4"),
        ("unbuildable", "ValueError: planted"),
    ],
)
def test_a_workload_that_goes_wrong_fails_its_cells_only(
    run_contend: Contend, tmp_path: Path, workload: str, words: str
) -> None:
    done = run_contend("run", "-w", f"{workload},ledger", "-s", "serial", "--block-size", "20", "--repeat", "2")
    assert done.returncode == 1
    failed, good = records_in(tmp_path)[0]["cells"]
    assert words in failed["error"]
    assert good["verified"]


BAD = [
    (["--workload", "ledgr"], ["unknown workload 'ledgr'", "ledger"]),
    (["--strategy", "bogus_serial"], ["unknown strategy 'bogus_serial'"]),
    (["--strategy", "unimportable"], ["unimportable", "contend_fakes_that_are_not_there"]),
    (["--workload", "unimportable"], ["unimportable", "contend_fakes_that_are_not_there"]),
    (["--set", "acounts=3"], ["acounts", "accounts"]),
    (["--set", "accounts=1"], ["accounts = 1", "2..1000"]),
    (["--set", "accounts=few"], ["accounts = few"]),
    (["--set", "accounts"], ["accounts", "dial=value"]),
    (["--set", "accounts=3", "--set", "accounts=4"], ["--set accounts", "given twice, as 3 and as 4"]),
    (["--set", "accounts=3", "--sweep", "accounts=4,5"], ["dial accounts", "set to 3 and swept over 4, 5 in ledger"]),
    (["--workers", "0"], ["workers: 0"]),
    (["--workers", "1,two"], ["workers: 'two'"]),
    (["--workers", "-1"], ["workers: -1"]),
    (["--block-size", "0"], ["block size: 0"]),
    (["--block-size", "ten"], ["--block-size", "'ten'"]),
    (["--repeat", "0"], ["repeat: 0"]),
    (["--processes", "0"], ["processes: 0"]),
    (["--seed", "-1"], ["seed: -1"]),
    (["--baseline", "seral"], ["baseline: 'seral' is not measured", "did you mean 'serial'?"]),
    (["--baseline", "honest"], ["baseline: 'honest' is not measured; measured are serial"]),
    (["--baseline", ""], ["baseline: '' is no name"]),
    (["--json", "missing/record.json"], ["missing/record.json", "does not exist"]),
    (["--json", "."], ["is a folder"]),
    (["--results", "a-file"], ["a-file is a file"]),
    (["--results", "a-file/below"], ["a-file is a file"]),
    (["--results", "/dev/null/below"], ["/dev/null is a file"]),
    (["--bogus"], ["--bogus"]),
    (["extra"], ["extra"]),
]


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(
    arguments: list[str], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    done = CliRunner().invoke(main, ["run", "-w", "ledger", "-s", "serial", *arguments])
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("contend: ")
    for word in words:
        assert word in line
    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


@pytest.mark.parametrize(
    "command",
    [("validate-clock",), ("run", "-w", "payments")],
    ids=lambda command: command[0],
)
def test_an_option_is_no_file_that_was_forgotten(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, [*command, "--json", "-q"])
    assert done.exit_code == 2
    assert done.output.splitlines()[-1] == "contend: --json -q: names an option; put a file between, or write ./-q"
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_results_folder_without_permission_is_refused(run_contend: Contend, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    done = run_contend(*SMALL, "--results", "closed/results")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_the_list_shows_strategies_workloads_and_dials(run_contend: Contend) -> None:
    done = run_contend("list")
    # The fakes include a plug-in that cannot be imported: it is named instead of breaking the list.
    assert done.returncode == 0, done.stderr
    for word in ("honest", "serial in disguise", "ledger", "accounts", "2 to 1,000", "unimportable"):
        assert word in done.stdout


def test_the_list_of_a_name_is_about_it_alone() -> None:
    workload = CliRunner().invoke(main, ["list", "swaps"], env={"COLUMNS": "100"})
    assert workload.exit_code == 0
    for word in ("exact-input swaps", "pool_zipf", "0 to 5", "preset=burst-day", "pools=330, pool_zipf=1.6"):
        assert word in workload.output
    assert "payments" not in workload.output
    strategy = CliRunner().invoke(main, ["list", "block_stm", "--json"])
    content = json.loads(strategy.output)
    assert [one["name"] for one in content["strategies"]] == ["block_stm"]
    assert content["workloads"] == content["suites"] == []


@pytest.mark.parametrize(("name", "nearest"), [("swap", "swaps"), ("block-stm", "block_stm"), ("quick", "quick-1")])
def test_a_misspelt_name_of_the_list_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    done = CliRunner().invoke(main, ["list", name])
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert f"{name!r} (did you mean {nearest!r}?)" in line


def test_help_lists_commands_with_whole_sentences() -> None:
    done = CliRunner().invoke(main, ["--help"])
    listed = " ".join(done.output.partition("Commands:")[2].split())
    assert "..." not in listed
    for name, command in main.commands.items():
        sentence = " ".join(str(command.help).partition("\n\n")[0].split())
        assert f"{name} {sentence}" in listed
    assert max(map(len, done.output.splitlines())) <= 80


@pytest.mark.parametrize("name", sorted(main.commands))
def test_the_help_of_each_command_fits_a_terminal(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert max(map(len, done.output.splitlines())) <= 80
    # No word of the help stands behind a gap that is wider than the text itself.
    assert not [line for line in done.output.splitlines() if line.startswith(" " * 40)]


def test_that_most_transactions_fail_is_said_first_and_stays_with_the_figures(
    run_contend: Contend, tmp_path: Path
) -> None:
    small = ("-w", "doomed", "--block-size", "40", "-q")
    done = run_contend("run", *small, "-s", "honest", "--workers", "1", "--repeat", "2", "--no-charts")
    assert done.returncode == 0, done.stderr
    first = next(line for line in done.stdout.splitlines() if line)
    assert first.startswith("doomed: MOST TRANSACTIONS FAIL, 30 of 40")
    (record,) = records_in(tmp_path)
    assert "most transactions fail: 30 of 40" in record["cells"][0]["warnings"]
    explained = run_contend("explain", *small, "-s", "serial")
    assert explained.stdout.startswith("doomed: MOST TRANSACTIONS FAIL, 30 of 40")
    assert "1.00!" in explained.stdout


def test_the_list_as_json(run_contend: Contend) -> None:
    content = json.loads(run_contend("list", "--json").stdout)
    strategies = {one["name"]: one for one in content["strategies"]}
    assert strategies["serial"]["parallel"] is False
    assert strategies["bal"]["takes"] == ["block"]
    assert strategies["bal"]["default"]
    assert strategies["honest"] == {
        "name": "honest",
        "summary": "serial in disguise",
        "parallel": True,
        "takes": [],
        "default": False,
        "error": None,
    }
    assert "contend_fakes_that_are_not_there" in strategies["unimportable"]["error"]
    ledger = next(one for one in content["workloads"] if one["name"] == "ledger")
    assert ledger["dials"] == [
        {"name": "accounts", "default": 20, "summary": "senders and receivers", "low": 2, "high": 1000, "choices": []}
    ]


def test_a_reader_that_has_read_enough_is_no_error(plugin_environment: dict[str, str]) -> None:
    command = f"{sys.executable} -m contend list --json | head -n 1"
    done = subprocess.run(command, shell=True, env=plugin_environment, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_the_version_is_printed() -> None:
    done = CliRunner().invoke(main, ["--version"])
    assert done.exit_code == 0
    assert done.stdout.startswith("contend ")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["list", "-h"], ["compare", "--help"]])
def test_help_needs_no_compiler(arguments: list[str], plugin_environment: dict[str, str]) -> None:
    script = "import sys; from contend.harness.cli import main\n"
    script += f"try: main({arguments})\nfinally: print([m for m in ('numba', 'numpy', 'pandas') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], env=plugin_environment, capture_output=True, text=True, check=True
    )
    assert "Usage:" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_without_arguments_there_is_help_and_exit_code_2() -> None:
    done = CliRunner().invoke(main, [])
    assert done.exit_code == 2
    assert "Usage:" in done.stderr
