"""What commands say beside their results: settings in force, a log where it is asked for, nothing where quiet."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner

from contend.harness.cli import main
from contend.harness.commands.verbosity import add_verbosity
from contend.harness.compare.from_records import compare_records
from contend.harness.compare.result import SCHEMA_FILE
from contend.harness.compare.runner import VersionComparison
from contend.harness.compare.verdict import Rule
from contend.harness.record.environment import describe, version_lines

ROOT = Path(__file__).resolve().parents[3]


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(leaves(main))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_can_be_quiet_and_verbose(path: tuple[str, ...]) -> None:
    flags = [flag for one in COMMANDS[path].params for flag in one.opts]
    for flag in ("-q", "--quiet", "-v", "--verbose"):
        assert flags.count(flag) == 1, flag


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The logger of all of Contend, as it was before."""
    found = logging.getLogger("contend")
    before = found.level, list(found.handlers)
    yield found
    found.setLevel(before[0])
    found.handlers[:] = before[1]


@pytest.mark.parametrize(("words", "said"), [([], []), (["-v"], ["info"]), (["-vv"], ["info", "debug"])])
def test_more_is_logged_the_more_often_it_is_asked_for(
    logger: logging.Logger, words: list[str], said: list[str]
) -> None:
    @click.command()
    def command() -> None:
        logging.getLogger("contend.somewhere.deep").info("info")
        logging.getLogger("contend.somewhere.deep").debug("debug")
        click.echo("result")

    add_verbosity(command)
    for _ in range(2):
        done = CliRunner().invoke(command, words, catch_exceptions=False)
        assert done.stdout == "result\n"
        assert [re.sub(r"^\[ *[0-9.]+ s\] deep: ", "", line) for line in done.stderr.splitlines()] == said


def test_settings_are_said_recorded_and_logged_and_a_quick_look_is_called_so(
    plugin_environment: dict[str, str], tmp_path: Path
) -> None:
    def run(*words: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-m", "contend", "run", "--no-charts", "--json", "copy.json", *words],
            cwd=tmp_path,
            env={**plugin_environment, "CONTEND_WORKERS": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done, json.loads((tmp_path / "copy.json").read_text())

    (tmp_path / "contend.toml").write_text('strategy = "default,honest"\nworkload = "ledger"\nblock-size = 60\n')
    done, record = run("-s", "honest", "--quick", "--repeat", "2", "-v")
    assert record["settings"] == [
        {"option": "workload", "value": "ledger", "source": "contend.toml"},
        {"option": "workers", "value": "1", "source": "CONTEND_WORKERS"},
    ]
    assert "\ncontend: settings: workload ledger (contend.toml); workers 1 (CONTEND_WORKERS)\n" in done.stderr
    assert "block-size 60 (contend.toml): gives way" in done.stderr
    assert "strategy default,honest (contend.toml): gives way" in done.stderr
    assert re.search(r"worker_process: worker 0 started, process [0-9]+\n", done.stderr)
    asked = (
        "asked for: contend run --workload ledger --strategy honest --workers 1 --block-size 1000 --repeat 2 --quick"
    )
    assert asked in done.stderr
    (cell,) = record["cells"]
    assert (cell["quick"], cell["block_size"], cell["repeat"]) == (True, 1_000, 2)
    assert any(warning.startswith("quick: a first look") for warning in cell["warnings"])
    assert "warning: quick: a first look (--quick)" in done.stdout

    done, record = run("-q", "--isolated", "-w", "ledger", "-s", "solo", "--repeat", "2", "--block-size", "50")
    assert done.stderr == ""
    assert record["settings"] == []
    assert "quick" not in done.stdout
    assert "quick" not in record["cells"][0]


def test_a_quick_record_is_not_compared_silently_with_a_full_one(make_cell: Any, make_record: Any) -> None:
    full, quick = (make_record([make_cell()]) for _ in range(2))
    quick["request"]["quick"] = True
    rule, labels = Rule(), ("old", "new")
    (note,) = [one for one in compare_records([full], [quick], labels, rule, frozenset()).notes if "quick" in one]
    assert note.startswith("quick: B measured for a first look (--quick)")
    both = compare_records([quick], [quick], labels, rule, frozenset()).notes
    assert any(one.startswith("quick: A and B measured") for one in both)
    assert not any("quick" in one for one in compare_records([full], [full], labels, rule, frozenset()).notes)
    # A quick measurement is not pooled with a full one of the same code either.
    pooled = compare_records([full, quick], [full], labels, rule, frozenset())
    alone = compare_records([quick], [full], labels, rule, frozenset())
    assert pooled.cells[0].a is not None
    assert alone.cells[0].a is not None
    assert len(pooled.cells[0].a.seconds) == len(alone.cells[0].a.seconds)


def test_the_version_says_commit_versions_and_machine() -> None:
    done = CliRunner().invoke(main, ["--version"])
    assert done.exit_code == 0
    environment = describe()
    assert done.stdout.splitlines() == version_lines(environment)
    contend, versions, machine = done.stdout.splitlines()
    revision = (environment["git"] or {}).get("revision")
    assert contend.startswith(f"contend {environment['contend']} (" + (f"commit {revision[:12]}" if revision else "of"))
    assert f"Python {environment['python']}, numba {environment['numba']}, numpy {environment['numpy']}" in versions
    assert environment["cpu"] in machine
    assert environment["machine"] in machine


@pytest.mark.parametrize(
    ("git", "said"),
    [
        ({"revision": "ab" * 20, "dirty": False}, "(commit abababababab)"),
        ({"revision": "ab" * 20, "dirty": True}, "(commit abababababab, with changes)"),
        (None, "(of no checkout)"),
    ],
)
def test_the_version_says_whether_the_checkout_has_changes(git: dict[str, Any] | None, said: str) -> None:
    assert version_lines({**describe(), "git": git})[0].endswith(said)


def test_a_comparison_carries_its_settings_and_says_that_it_is_quick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "contend.toml").write_text("repeat = 7\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTEND_SEED", "5")
    asked: list[Any] = []

    def run(self: VersionComparison, observer: Any) -> Any:
        asked.append(self._request)
        return self.comparison

    monkeypatch.setattr(VersionComparison, "run", run)
    words = ["compare", str(ROOT), str(ROOT), "--quick", "--repeat", "9", "--json", "-"]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    content = json.loads(done.stdout)
    jsonschema.validate(content, json.loads(SCHEMA_FILE.read_text()))
    assert content["settings"] == [{"option": "seed", "value": "5", "source": "CONTEND_SEED"}]
    assert "contend: settings: seed 5 (CONTEND_SEED)\n" in done.stderr
    # Which a comment on a pull request has, too.
    assert "settings: seed 5 (CONTEND_SEED)" in content["notes"]
    assert [note for note in content["notes"] if note.startswith("quick: a first look")]
    assert (asked[0].seed, asked[0].repeat, asked[0].block_size) == (5, 9, 1_000)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("contend run --clock v", ["virtual"]),
        ("contend run -w swaps,n", ["swaps,nft"]),
        ("contend explain -s shard", ["sharded", "sharded_ordered"]),
        ("contend run -w d", ["dao", "default"]),
        ("contend run --affi", ["--affinity"]),
        ("contend run --hints none,t", ["none,template", "none,truth"]),
    ],
)
def test_a_shell_completes_options_and_the_last_of_several_names(
    words: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = words.split()
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(parts) - 1))
    done = CliRunner().invoke(main, prog_name="contend", env={"_CONTEND_COMPLETE": "bash_complete"})
    assert done.stdout.splitlines() == [f"plain,{one}" for one in found]
