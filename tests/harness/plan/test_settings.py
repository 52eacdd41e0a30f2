"""Defaults of a user's own: command line, environment, file, built-in; said, recorded, refused by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import contend
from contend import outside_files
from contend.harness.cli import main
from contend.harness.commands.options import Asked, RequestOption, request_options
from contend.harness.compare.comparison_request import ComparisonRequest
from contend.harness.errors import BadInputError
from contend.harness.plan.options import options
from contend.harness.plan.request import Request
from contend.harness.plan.setting import FROM_ENVIRONMENT, FROM_FILE, Setting, shown
from contend.harness.plan.settings_environment import read_environment
from contend.harness.plan.settings_file import read_nearest
from contend.harness.plan.settings_in_force import in_force, with_settings

OPTIONS = options(Request)
Ask = Callable[..., Asked]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to call commands in, and no settings in the environment."""
    for option in OPTIONS.values():
        monkeypatch.delenv(option.variable, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ask(folder: Path) -> Ask:
    """What a command with all options makes of its arguments, there."""

    def asked_by(*words: str, kind: type[Request] = Request, **changes: Any) -> Asked:
        found: list[Asked] = []

        @click.command()
        @request_options(*options(kind), kind=kind, **changes)
        def command(asked: Asked) -> None:
            found.append(asked)

        done = CliRunner().invoke(command, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return found[0]

    return asked_by


def from_toml(folder: Path, text: str) -> dict[str, Any]:
    (folder / "contend.toml").write_text(text)
    return {one.name: one.value for one in read_nearest(folder, OPTIONS)}


# Files


def test_the_nearest_file_upward_counts_and_a_project_without_the_table_is_passed_over(folder: Path) -> None:
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[tool.contend]\nseed = 1\n")
    (folder / "a" / "pyproject.toml").write_text("[tool.other]\nseed = 2\n")
    (found,) = read_nearest(inner, OPTIONS)
    assert (found.value, found.source) == (1, "../../pyproject.toml [tool.contend]")
    (folder / "a" / "pyproject.toml").write_text("[tool.contend]\nseed = 3\n")
    (folder / "a" / "contend.toml").write_text("seed = 4\n")
    (found,) = read_nearest(inner, OPTIONS)
    assert (found.value, found.source) == (4, "../contend.toml")
    assert read_nearest(Path("/"), OPTIONS) == []


def test_a_value_may_be_a_text_as_on_the_command_line_or_plain_toml(folder: Path) -> None:
    texts = from_toml(
        folder,
        'workload = "swaps,nft"\nworkers = "1,2,...,8"\nblock_size = "50"\nset = "pools=3"\nsweep = "pools=1,2"\n'
        'timeout = "2.5"\nquick = "yes"\nblock = "a.json"\nload = "0.5"',
    )
    plain = from_toml(
        folder,
        'workload = ["swaps", "nft"]\nworkers = [1, 2, "...", 8]\nblock-size = 50\nset = { pools = 3 }\n'
        'sweep = { pools = [1, 2] }\ntimeout = 2.5\nquick = true\nblock = ["a.json"]\nload = 0.5',
    )
    kept = [{name: OPTIONS[name].type.keep(name, value) for name, value in one.items()} for one in (texts, plain)]
    assert kept[0] == kept[1]
    assert kept[0]["workers"] == (1, 2, 4, 8)
    assert len(kept[0]) == 9


def test_a_dial_of_one_workload_needs_no_quotes(folder: Path) -> None:
    assert from_toml(folder, "set.swaps.pools = 3\nset.zipf = 0.5")["dials"] == {"swaps.pools": 3, "zipf": 0.5}
    assert from_toml(folder, "[sweep]\nswaps.pools = [1, 2]")["sweep"] == ("swaps.pools", [1, 2])


def test_files_that_a_settings_file_names_lie_beside_it(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "contend.toml").write_text(
        'costs = "my/costs.json"\nblock = ["a.json", "/b.json"]\nworkload = "swaps,token.toml"\nsuite = "mine.toml"\n'
    )
    found = {one.name: one.value for one in read_nearest(inner, OPTIONS)}
    assert found["costs"] == "../my/costs.json"
    assert found["blocks"] == ["../a.json", "/b.json"]
    assert list(found["workloads"]) == ["swaps", "../token.toml"]
    assert found["suite"] == "../mine.toml"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("worker = 1", r"^contend\.toml: unknown key 'worker' \(did you mean 'workers'\?\); known are .*block-size"),
        ("strategies = 1", r"^contend\.toml: unknown key 'strategies' \(did you mean 'strategy'\?\)"),
        ("dials = {}", r"unknown key 'dials' \(did you mean 'set'\?\)"),
        ("block-size = 0", r"^contend\.toml: block-size: 0 is out of range"),
        ('block-size = "big"', r"^contend\.toml: block-size: 'big' is not a whole number"),
        ("block-size = 1.5", r"^contend\.toml: block-size: 1\.5 is not a whole number"),
        ("block-size = true", r"^contend\.toml: block-size: True is not a whole number"),
        ("workers = [0]", r"^contend\.toml: workers: 0 is out of range"),
        ("workers = []", r"^contend\.toml: workers: name at least one"),
        ("workers = true", r"^contend\.toml: workers: True is not a list"),
        ('workers = "1,x"', r"^contend\.toml: workers: 'x'"),
        ("workload = 3", r"^contend\.toml: workload: 3 is not a list of texts"),
        ('workload = ""', r"^contend\.toml: workload: '' names nothing"),
        ("strategy = [1]", r"^contend\.toml: strategy: \[1\]"),
        ("set = 3", r"^contend\.toml: set: 3 is not a table"),
        ("set = { pools = [1] }", r"^contend\.toml: set: pools = \[1\]"),
        ('set = "pools"', r"^contend\.toml: .*--set pools"),
        ("sweep = { pools = 1 }", r"^contend\.toml: sweep: pools = 1"),
        ("sweep = { a = [1, 2], b = [1, 2] }", r"^contend\.toml: sweep: "),
        ('clock = "sun"', r"^contend\.toml: clock: 'sun' is not known"),
        ("clock = 1", r"^contend\.toml: clock: 1 is not a text"),
        ('timeout = "soon"', r"^contend\.toml: timeout: 'soon' is not a number"),
        ("timeout = -1", r"^contend\.toml: timeout: -1"),
        ("timeout = inf", r"^contend\.toml: timeout: inf"),
        ("quick = 1", r"^contend\.toml: quick: 1 is neither true nor false"),
        ("costs = 1", r"^contend\.toml: costs: 1 is not a text"),
        ("seed", r"contend\.toml: not TOML: .*; --isolated ignores it"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line_with_file_and_key(folder: Path, text: str, complaint: str) -> None:
    with pytest.raises(BadInputError, match=complaint) as caught:
        from_toml(folder, text)
    assert "\n" not in str(caught.value)


def test_a_folder_above_that_may_not_be_looked_into_holds_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = folder / "inner"
    inner.mkdir()
    is_file = Path.is_file

    def guarded(path: Path) -> bool:
        if path.parent == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", guarded)
    assert read_nearest(inner, OPTIONS) == []


def test_a_file_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "contend.toml").write_bytes(b"seed = 1 # \xff")
    with pytest.raises(BadInputError, match=r"contend\.toml: not TOML: .*--isolated ignores it"):
        read_nearest(folder, OPTIONS)

    def refuse(path: Path | str) -> BinaryIO:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(outside_files, "opened", refuse)
    with pytest.raises(BadInputError, match=r"contend\.toml: Permission denied; --isolated ignores it"):
        read_nearest(folder, OPTIONS)


def test_a_table_that_is_none_is_refused(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool]\ncontend = 3\n")
    with pytest.raises(BadInputError, match=r"pyproject\.toml \[tool\.contend\]: is no table"):
        read_nearest(folder, OPTIONS)


# Variables


def test_every_option_has_a_key_and_a_variable_of_its_own() -> None:
    keys, variables = ([getattr(one, what) for one in OPTIONS.values()] for what in ("key", "variable"))
    assert len(set(keys)) == len(set(variables)) == len(OPTIONS)
    assert (OPTIONS["block_size"].key, OPTIONS["block_size"].variable) == ("block-size", "CONTEND_BLOCK_SIZE")
    # What else has a meaning must not become an option's.
    assert not {"CONTEND_CACHE_DIR", "CONTEND_DATA_DIR"} & set(variables)
    assert not any(name.startswith("CONTEND_SUITE_") for name in variables)


def test_variables_are_read_as_the_command_line_is() -> None:
    environment = {
        "CONTEND_WORKERS": "1,2,...,8",
        "CONTEND_SET": "pools=3 'swaps.kind=a b'",
        "CONTEND_QUICK": "1",
        "CONTEND_SEED": "",
        "CONTEND_CACHE_DIR": "/somewhere",
        "CONTEND_SUITE_ROUNDS": "3",
        "CONTEND_FAKES_PIDS": "/pids",
    }
    found = {one.name: one.value for one in read_environment(environment, OPTIONS)}
    assert found == {"workers": (1, 2, 4, 8), "dials": {"pools": 3, "swaps.kind": "a b"}, "quick": True}


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("CONTEND_WORKER", "1", r"CONTEND_WORKER: is no option's variable \(did you mean 'CONTEND_WORKERS'\?\)"),
        ("CONTEND_STRATEGIES", "serial", r"did you mean 'CONTEND_STRATEGY'"),
        ("CONTEND_BLOCKSIZE", "3", r"did you mean 'CONTEND_BLOCK_SIZE'"),
        ("CONTEND_WORKERS", "two", r"^CONTEND_WORKERS: .*'two'"),
        ("CONTEND_BLOCK_SIZE", "x", r"^CONTEND_BLOCK_SIZE: 'x' is not a whole number"),
        ("CONTEND_QUICK", "perhaps", r"^CONTEND_QUICK: 'perhaps' is neither true nor false"),
        ("CONTEND_SET", "'pools=1", r"^CONTEND_SET: .*quotation"),
        ("CONTEND_CLOCK", "sun", r"^CONTEND_CLOCK: 'sun' is not known"),
    ],
)
def test_what_is_wrong_in_a_variable_is_named(name: str, value: str, complaint: str) -> None:
    with pytest.raises(BadInputError, match=complaint):
        read_environment({name: value}, OPTIONS)


# Which of them hold

LAYERS = ("built-in", "file", "environment", "command line")


@pytest.mark.parametrize("top", range(1, 4))
def test_command_line_environment_file_built_in_in_this_order(
    top: int, folder: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "contend.toml").write_text("seed = 11\nrepeat = 3\n")
    if top >= 2:
        monkeypatch.setenv("CONTEND_SEED", "12")
    asked = ask(*(["--seed", "13"] if top == 3 else []))
    assert asked.request() == Request(seed=10 + top, repeat=3)
    sources = {"repeat": "contend.toml"} | {1: {"seed": "contend.toml"}, 2: {"seed": "CONTEND_SEED"}, 3: {}}[top]
    assert {one.name: one.source for one in asked.settings} == sources


def test_isolated_ignores_even_what_is_wrong(folder: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "contend.toml").write_text("nonsense")
    monkeypatch.setenv("CONTEND_SEED", "x")
    asked = ask("--isolated")
    assert (asked.request(), asked.settings) == (Request(), ())


@given(
    st.dictionaries(st.sampled_from(["seed", "repeat", "block_size", "processes"]), st.integers(1, 3)),
    st.dictionaries(st.sampled_from(["seed", "repeat", "block_size", "processes"]), st.integers(4, 6)),
    st.dictionaries(st.sampled_from(["seed", "repeat", "block_size", "processes"]), st.integers(7, 9)),
)
def test_the_strongest_says_it(file: dict[str, int], environment: dict[str, int], said: dict[str, int]) -> None:
    found = [Setting(OPTIONS[name], value, "file", FROM_FILE) for name, value in file.items()]
    found += [Setting(OPTIONS[name], value, "variable", FROM_ENVIRONMENT) for name, value in environment.items()]
    settings = in_force(found, said)
    assert with_settings(settings, said) == file | environment | said
    assert {one.name for one in settings} == (file.keys() | environment.keys()) - said.keys()


def of_file(**values: Any) -> list[Setting]:
    return [Setting(OPTIONS[name], value, "contend.toml", FROM_FILE) for name, value in values.items()]


@pytest.mark.parametrize(
    ("values", "said", "left"),
    [
        # A suite fixes what makes a block; and gives way to who says that himself.
        ({"workloads": "swaps", "seed": 3, "block_size": 9, "repeat": 5}, {"suite": "quick-1"}, {"repeat": 5}),
        ({"suite": "quick-1", "repeat": 5}, {"workloads": "swaps"}, {"repeat": 5}),
        ({"load": 0.5, "block_count": 3}, {"rate": 9.0}, {"block_count": 3}),
        ({"load": 0.5}, {}, {}),
        ({"load": 0.5}, {"block_count": 2}, {"load": 0.5}),
        ({"network": "rack", "costs": "c.json"}, {}, {}),
        ({"network": "rack", "clock": "virtual"}, {}, {"network": "rack", "clock": "virtual"}),
        ({"network": "rack", "clock": "virtual"}, {"clock": "wall"}, {}),
        ({"blocks": ["a.json"]}, {}, {}),
        ({"blocks": ["a.json"]}, {"workloads": ("replay",)}, {"blocks": ["a.json"]}),
        ({"sweep": ("pools", [1, 2])}, {"dials": {"swaps.pools": 3}}, {}),
        # What is said for this run goes before the sizes of a quick look, and those before a project's.
        ({"block_size": 9, "repeat": 5}, {"quick": True}, {}),
        ({"block_size": 9, "quick": True}, {}, {"block_size": 9, "quick": True}),
    ],
)
def test_a_default_gives_way_to_what_leaves_no_room_for_it(
    values: dict[str, Any], said: dict[str, Any], left: dict[str, Any]
) -> None:
    assert {one.name: one.value for one in in_force(of_file(**values), said)} == left


def test_contradictions_within_one_file_are_refused_as_on_the_command_line(folder: Path, ask: Ask) -> None:
    (folder / "contend.toml").write_text("load = 0.5\nrate = 9\nblock-count = 2\n")
    with pytest.raises(BadInputError, match=r"^load, rate: .*\[load 0\.5 is from contend\.toml"):
        ask().request()


def test_each_dial_is_a_setting(folder: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "contend.toml").write_text("set = { pools = 1, pool_zipf = 0.5, mint = 0.1, 'payments.accounts' = 7 }\n")
    monkeypatch.setenv("CONTEND_SET", "pool_zipf=0.6")
    asked = ask("-w", "swaps", "--set", "pools=2")
    # Neither minting nor the accounts of payments are swaps' business; on the command line they would be refused.
    assert dict(asked.request().dials) == {"pools": 2, "pool_zipf": 0.6}
    assert shown(asked.settings) == "set pool_zipf=0.6 (CONTEND_SET)"
    swept = ask("-w", "swaps", "--sweep", "pools=1,2").request()
    assert dict(swept.dials) == {"pool_zipf": 0.6}


@pytest.mark.parametrize("dial", ["pols", "swaps.pols"])
def test_a_dial_that_no_workload_has_is_refused_by_file_and_with_the_nearest(folder: Path, ask: Ask, dial: str) -> None:
    (folder / "contend.toml").write_text(f"set = {{ '{dial}' = 1 }}\n")
    near = dial.replace("pols", "pools")
    with pytest.raises(BadInputError, match=rf"^contend\.toml: set: unknown dial '{dial}' \(did you mean '{near}'\?\)"):
        ask("-w", "payments").request()


def test_a_name_from_a_setting_that_the_plan_refuses_is_told_with_its_source(folder: Path, ask: Ask) -> None:
    (folder / "contend.toml").write_text('strategy = "serial,blok"\n')
    asked = ask()
    asked.request()
    with (
        pytest.raises(BadInputError, match=r"'blok'; .* \[strategy serial,blok is from contend\.toml\]$"),
        asked.naming_sources(),
    ):
        raise BadInputError("unknown strategy 'blok'; did you mean 'block_stm'?")
    with pytest.raises(BadInputError, match=r"^results: cannot be written$"), asked.naming_sources():
        raise BadInputError("results: cannot be written")


def test_an_option_with_a_meaning_of_the_commands_own_takes_nothing_from_settings(folder: Path, ask: Ask) -> None:
    (folder / "contend.toml").write_text("workers = 3\nseed = 5\n")
    request = ask(workers={"default": "32", "help": "Workers."}).request()
    assert (request.workers, request.seed) == ((32,), 5)
    assert ask(settings=False).request() == Request()


def test_both_sides_of_a_comparison_get_the_same(folder: Path, ask: Ask) -> None:
    (folder / "contend.toml").write_text("repeat = 6\nload = 0.5\n")
    assert ask(kind=ComparisonRequest).request() == ComparisonRequest(repeat=6)
    assert ask("--quick", kind=ComparisonRequest).request() == ComparisonRequest(repeat=8, block_size=1_000, quick=True)


def test_every_command_with_options_of_a_request_can_be_isolated_and_no_other() -> None:
    for name, command in main.commands.items():
        takes = {one.name for one in command.params if isinstance(one, RequestOption)}
        isolated = any(one.name == "isolated" for one in command.params)
        # Those of fuzz mean something else there.
        assert isolated == bool(takes and name != "fuzz"), name


def test_python_takes_what_it_is_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "contend.toml").write_text("seed = 5\n")
    monkeypatch.setenv("CONTEND_BLOCK_SIZE", "7")
    from contend.harness.api import RunArguments, takes_options

    @takes_options(RunArguments)
    def run(arguments: RunArguments) -> Request:
        """Run.

        Parameters
        ----------
        nothing
            Else.
        """
        return arguments.request()

    assert run() == Request()
    assert run(quick=True) == Request(quick=True, block_size=1_000, repeat=4)
    assert run(quick=True, repeat=7) == Request(quick=True, block_size=1_000, repeat=7)
    assert "isolated" not in inspect.signature(contend.run).parameters
