"""Files changed at random: each is taken, or refused in one line that names it; nothing else can come of one."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import CapacityError
from contend.harness.cli import main
from contend.harness.commands.export import export
from contend.harness.errors import BadInputError
from contend.harness.plan import suites
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import plan_workloads
from contend.harness.verify.statetest import Malformed, Vector, VectorRunner, entries_of, fork_of
from contend.strategies.serial import Serial
from contend.workloads import registry
from contend.workloads.files.block_file import read_block
from contend.workloads.files.fields import Field, FieldError
from contend.workloads.files.replay import Replay
from tests.harness.verify.test_statetest import content as state_test

ROOT = Path(__file__).parents[3]
OWN = (ROOT / "docs/examples/token.toml").read_text().replace("../../", f"{ROOT}/")
Way = tuple[str | int, ...]

# What stands where something else should: wrong types, wrong lengths, the ends of ranges and what is just beyond.
HOSTILE: list[Any] = [
    None, True, False, -1, 0, 1, 2**31, 2**36, 2**36 + 1, 2**63 - 1, 2**63, 2**64, 2**255, 2**256, 0.5, 1e300, "", "x",
    "0", "0x", "0x0", "0x1", "0xg", "0x" + "f" * 16, "0x" + "f" * 64, "0x1" + "0" * 64, "0x" + "11" * 20,
    "0x" + "22" * 32, "0x" + "5b600056" * 40, "-0x1", " 0x1", "0x 1",
    "\N{ARABIC-INDIC DIGIT ONE}", "\N{SNOWMAN}\n", "1" * 5000, "Cancun",
    "Shanghai", [], {}, [[]], [None], {"0x": "0x"}, {"": {}}, [{"address": "0x"}], {"x": None},
]  # fmt: skip
hostile = st.sampled_from(HOSTILE) | st.integers(-(2**70), 2**260) | st.text(max_size=6)


def ways(value: Any, here: Way = ()) -> Iterator[Way]:
    """Every way into a document."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*here, name)
        yield from ways(member, (*here, name))


def changed(document: Any, draw: Any) -> Any:
    """The document with one to three of its values replaced, left out, renamed or doubled."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        every = list(ways(document))
        if not every:
            break
        # By depth first: the few values near the root matter as much as the many in call data and storage.
        depth = draw(st.sampled_from(sorted({len(way) for way in every})))
        *way, last = draw(st.sampled_from([one for one in every if len(one) == depth]))
        at = document
        for step in way:
            at = at[step]
        act = draw(st.sampled_from(["replace", "replace", "replace", "drop", "rename", "double"]))
        if act == "drop":
            del at[last]
        elif act == "replace" or isinstance(at, list):
            # A copy: a later change may reach into it.
            at[last] = copy.deepcopy(draw(hostile))
        elif act == "rename":
            at[draw(st.text(max_size=6) | st.sampled_from(["0x", "0x" + "f" * 65, "to"]))] = at.pop(last)
        else:
            at[last] = [at[last], at[last]]
    return document


def check_refusal(error: Exception | str, path: Path) -> None:
    """A refusal is one line of readable length that names the file."""
    text = str(error)
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 1_000


once = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def small_block(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("small") / "small.json"
    export(Request(workloads=("payments",), dials={"accounts": 3}, block_size=3), path)
    found: dict[str, Any] = json.loads(path.read_bytes())
    found["transactions"][0]["accessList"] = [{"address": "0x" + "11" * 20, "storageKeys": ["0x1"]}]
    found["transactions"][1] |= {"type": "0x3", "blobVersionedHashes": ["0x01" + "00" * 31], "maxFeePerBlobGas": "0x1"}
    return found


@pytest.mark.parametrize("excess", [2**29, 2**64 - 1, "0x" + "f" * 64])
def test_blob_gas_whose_fee_nobody_could_compute_is_refused(
    small_block: dict[str, Any], tmp_path: Path, excess: Any
) -> None:
    path = tmp_path / "block.json"
    document = copy.deepcopy(small_block)
    document["header"]["excessBlobGas"] = excess
    path.write_text(json.dumps(document))
    with pytest.raises(FieldError, match=r"excessBlobGas.* is not an integer of at most 29 bits"):
        read_block(path)
    test = state_test()
    test["payment"]["env"]["currentExcessBlobGas"] = excess
    (entry,) = entries_of(Field(str(path), test), "test", fork_of("Cancun"))
    assert isinstance(entry, Malformed)
    assert re.search(r"currentExcessBlobGas.* is not an integer of at most 29 bits", entry.error)
    test["payment"]["env"]["currentExcessBlobGas"] = 2**29 - 1
    (entry,) = entries_of(Field(str(path), test), "test", fork_of("Cancun"))
    assert isinstance(entry, Vector)


@settings(once, max_examples=300)
@given(data=st.data())
def test_a_block_file(small_block: dict[str, Any], tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "block.json"
    path.write_text(json.dumps(changed(small_block, data.draw)))
    try:
        file = read_block(path)
    except FieldError as error:
        check_refusal(error, path)
        return
    workload = Replay()
    scenario = workload.build({"file": str(path)}, 1, 1)
    assert len(scenario.blocks[0]) == len(file.block)
    try:
        receipts = Serial().execute(scenario.blocks[0], scenario.genesis, 1).receipts
    except CapacityError:
        return
    assert all("\n" not in line for line in workload.check_receipts(scenario, receipts))
    assert all("\n" not in line for line in workload.check(scenario, scenario.genesis))


@settings(once, max_examples=300)
@given(data=st.data())
def test_a_state_test(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "test.json"
    document = changed(state_test(), data.draw)
    for entry in entries_of(Field(str(path), document), "test", fork_of("Cancun")):
        if isinstance(entry, Malformed):
            check_refusal(entry.error, path)
        if isinstance(entry, Vector):
            wrong = VectorRunner().check(entry)
            assert wrong is None or "\n" not in wrong


@settings(once, max_examples=40)
@given(data=st.data())
def test_a_state_test_on_the_command_line(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "test.json"
    path.write_text(json.dumps(changed(state_test(), data.draw)))
    result = CliRunner().invoke(main, ["statetest", str(path)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in {0, 1, 2}
    if result.exit_code == 2:
        assert str(path) in result.output
        assert len(result.output.splitlines()) == 1
    else:
        assert re.search(r"\d+ passed, \d+ failed(, \d+ not run: they say nothing of Cancun)?\n$", result.output)


TOKENS = re.compile(r'"[^"\n]*"|[A-Za-z_][\w.]*|[\d_.]+|[\[\]{}=,]')
TOML = [
    "0", "-1", "1", "2", "20", "1e9", "inf", "nan", "true", '""', '"x"', '"account"', '"10**24"', '"9**9**9**9"',
    '"0x12"', "[]", "{}", "[1, 2]", "9223372036854775807", "99999999999999999999", "1979-05-27", "{ account = 0 }",
    "{ uniform = [0, 1] }", "{ zipf = 1.0, n = 3 }", "\0", "gold", "=", ",", "", '"../"', '"/dev/null"', '"token.json"',
]  # fmt: skip


def changed_text(text: str, draw: Any) -> str:
    """The text with one to three of its tokens replaced, or of its lines left out."""
    for _ in range(draw(st.integers(1, 3))):
        found = list(TOKENS.finditer(text))
        if not found:
            return text
        token = draw(st.sampled_from(found))
        if draw(st.booleans()):
            text = text[: token.start()] + draw(st.sampled_from(TOML)) + text[token.end() :]
        else:
            lines = text.splitlines(keepends=True)
            del lines[draw(st.integers(0, len(lines) - 1))]
            text = "".join(lines)
    return text


@settings(once, max_examples=200)
@given(data=st.data())
def test_a_file_of_own_contracts(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "own.toml"
    path.write_text(changed_text(OWN, data.draw))
    try:
        plan = plan_workloads(Request(workloads=(str(path),), block_size=4))[0]
        scenario = registry.get(plan.name)().build(plan.dials, 1, 4)
    except (BadInputError, FieldError) as error:
        check_refusal(error, path)
        return
    assert len(scenario.blocks[0]) == 4


SUITE = (Path(suites.FOLDER) / "standard-1.toml").read_text()


@settings(once, max_examples=200)
@given(data=st.data())
def test_a_suite(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(changed_text(SUITE, data.draw))
    try:
        plan_workloads(Request(suite=str(path)))
    except BadInputError as error:
        check_refusal(error, path)
