"""An option is declared once, as a field of Request, and arrives wherever options are taken, kept or documented."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import contend
import contend.harness.plan.request
from contend.harness.api import RunArguments, takes_options
from contend.harness.commands import options as commands
from contend.harness.commands.options import ALL_OPTIONS, Asked, request_options
from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import choice, parse_workers
from contend.harness.plan.options import Option, options, record_schema
from contend.harness.plan.request import DEFAULT_WORKERS, Request, command_words
from contend.harness.record.load import SCHEMA_FILE
from contend.harness.records import schema
from contend.strategies.clocks.network_model import NETWORKS
from contend.strategies.registry import built_in
from contend.workloads import registry
from tools.docs import options as options_page
from tools.docs.records import schema_text


@dataclass(frozen=True)
class Larger(Request):
    """A request with one option more, which nothing but this class knows."""

    colour: Option[str, str] = Option(  # noqa: RUF009  # a descriptor
        "red", choice("red", "blue"), "--colour", meaning="Colour of the block", added_later=True
    )


@pytest.fixture
def asked_by(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Request]:
    """What a command with all options of a class makes of its arguments."""

    def ask(kind: type[Request], *words: str) -> Request:
        monkeypatch.setattr(commands, "Request", kind)
        found: list[Request] = []

        @click.command()
        @request_options(*options(kind))
        def command(asked: Asked) -> None:
            found.append(asked.request())

        done = CliRunner().invoke(command, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return found[0]

    return ask


def test_a_new_field_is_an_option_of_commands(
    monkeypatch: pytest.MonkeyPatch, asked_by: Callable[..., Request]
) -> None:
    assert asked_by(Larger, "--colour", "blue", "--seed", "4") == Larger(seed=4, colour="blue")
    assert asked_by(Larger) == Larger()

    @click.command()
    @request_options("colour")
    def command(asked: Asked) -> None: ...

    shown = CliRunner().invoke(command, ["--help"]).output
    assert "--colour [red|blue]  Colour of the block.  [default: red]" in " ".join(shown.split("\n")).replace(
        "   ", "  "
    )
    assert CliRunner().invoke(command, ["--colour", "green"]).exit_code == 2


def test_a_new_field_is_a_parameter_in_python() -> None:
    @takes_options(Larger)
    def ask(request: Larger) -> Larger:
        """Ask.

        Parameters
        ----------
        nothing
            Else.
        """
        return request

    assert ask("swaps", colour="blue") == Larger(workloads=("swaps",), colour="blue")
    parameter = inspect.signature(ask).parameters["colour"]
    assert (parameter.default, parameter.annotation) == ("red", str)
    assert "\ncolour : str, default 'red'\n    Colour of the block.\nnothing\n    Else." in str(ask.__doc__)
    with pytest.raises(BadInputError, match="colour: 'green' is not known; choose one of red, blue"):
        ask(colour="green")
    with pytest.raises(TypeError, match="color"):
        ask(color="blue")  # type: ignore[call-arg]  # the type checker knows the options, too


def test_a_new_field_is_in_records_and_documents() -> None:
    request = Larger(colour="blue")
    assert request.as_json()["colour"] == "blue"
    assert Larger.from_json(json.loads(json.dumps(request.as_json()))) == request
    assert command_words(request.as_json(), Larger) == ["--colour", "blue"]
    made = json.loads(schema_text(SCHEMA_FILE.read_text(), Larger))
    described = made["$defs"]["request"]["properties"]["colour"]
    assert described == {"enum": ["red", "blue"], "description": "colour of the block"}
    assert "| `--colour` | `CONTEND_COLOUR` | `colour` | str | red | Colour of the block. |" in options_page.page(
        Larger
    )


def test_nothing_else_lists_the_options() -> None:
    names = set(options(Request))
    root = Path(str(contend.harness.__file__)).parent
    lists = [
        f"{path.relative_to(root)}:{line}"
        for path in root.rglob("*.py")
        for line, listed in listings(ast.parse(path.read_text()))
        if 2 * len(names & listed) > len(names)
    ]
    declared = inspect.getsourcelines(Request)
    assert [place.partition(":")[0] for place in lists] == ["plan/request.py"], (lists, declared[1])


def listings(tree: ast.AST) -> Iterator[tuple[int, set[str]]]:
    """Names that a class has as fields, a function as parameters, a call as keywords, or a dict as keys."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(lineno=line, body=body):
                yield line, {ast.unparse(one.target) for one in body if isinstance(one, ast.AnnAssign)}
            case ast.arguments(args=args, kwonlyargs=others) if args:
                yield args[0].lineno, {one.arg for one in [*args, *others]}
            case ast.Call(lineno=line, keywords=keywords):
                yield line, {str(one.arg) for one in keywords}
            case ast.Dict(lineno=line, keys=keys):
                yield line, {str(key.value) for key in keys if isinstance(key, ast.Constant)}


@pytest.mark.parametrize(
    "request_",
    [
        Request(),
        Request(
            workloads=("swaps", "nft"),
            strategies="block_stm",
            workers=3,
            dials={"swaps.pools": 2, "zipf": 0.5, "preset": "burst-day"},
            block_size=7,
            repeat=4,
            seed=0,
            processes=3,
            timeout=1.5,
            block_count=5,
            rate=9.5,
        ),
        Request(
            workloads="replay",
            blocks=[Path("a.json"), "b.json"],
            clock="virtual",
            costs=Path("costs.json"),
            network="rack",
            workers=(1, 2),
        ),
        Request(sweep=("pools", [1, 0.5, "many"]), block_count=2, load=0.5),
        Request(suite="quick-1", block_size=400, seed=1),
        Request(quick=True, affinity=[2, 0], time_budget="1h30m"),
    ],
    ids=["defaults", "wall", "virtual", "sweep", "suite", "short"],
)
def test_a_request_is_the_same_by_command_line_python_and_record(
    request_: Request, asked_by: Callable[..., Request]
) -> None:
    assert asked_by(Request, *command_words(request_.as_json())) == request_
    assert Request.from_json(json.loads(json.dumps(request_.as_json()))) == request_
    arguments = RunArguments(**request_.as_json(), results="elsewhere")
    assert arguments.request() == request_
    assert type(arguments.request()) is Request


def test_a_record_of_another_version_is_shown_as_it_is() -> None:
    # It may lack options, have others, or go beyond this version's limits.
    assert command_words({"workloads": ["swaps"], "repeat": 10**9, "colour": "blue", "rate": None}) == [
        "--workload",
        "swaps",
        "--repeat",
        "1000000000",
    ]


def test_every_option_has_its_words() -> None:
    for name, option in options(Request).items():
        assert option.name == name
        assert option.flags, name
        assert len(option.meaning) > 10, name
        assert not option.meaning.endswith("."), name
    flags = [flag for option in options(Request).values() for flag in option.flags]
    assert len(flags) == len(set(flags))
    assert set(ALL_OPTIONS) == {field.name for field in fields(Request)}


def test_defaults_in_words_are_the_defaults() -> None:
    declared = options(Request)
    assert declared["workloads"].default_text == ",".join(registry.DEFAULT)
    assert declared["strategies"].default_text == ",".join(built_in())
    wall, _, virtual = declared["workers"].default_text.partition("; virtual: ")
    assert {"wall": parse_workers(wall), "virtual": parse_workers(virtual)} == DEFAULT_WORKERS
    assert Request(clock="virtual").workers == DEFAULT_WORKERS["virtual"]
    networks = declared["network"].help.partition(": ")[2].partition(", or ")[0]
    assert networks.split(", ") == list(NETWORKS)


def test_a_checked_request_can_be_changed_and_compared() -> None:
    request = Request("swaps", workers=2)
    assert replace(request, seed=2) == Request(("swaps",), workers=(2,), seed=2)
    with pytest.raises(BadInputError, match=r"^seed: -1 is out of range"):
        replace(request, seed=-1)
    with pytest.raises(AttributeError):
        request.seed = 3  # type: ignore[misc]  # frozen


def test_signature_and_docstring_of_run_say_every_option() -> None:
    parameters = inspect.signature(contend.run).parameters
    assert list(parameters) == [*options(Request), "results", "observer"]
    text = str(contend.run.__doc__)
    assert [name for name in parameters if f"\n{name} : " not in text] == []
    assert parameters["block_size"].annotation is int


def test_the_page_and_the_schema_are_up_to_date() -> None:
    assert options_page.PAGE.read_text(encoding="utf-8") == options_page.page(), "run python -m tools.docs.options"
    text = SCHEMA_FILE.read_text(encoding="utf-8")
    assert text == schema_text(text), "run python -m tools.docs.records"
    assert schema()["$defs"]["request"] == record_schema(Request)
