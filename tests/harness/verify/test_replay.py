"""Real blocks under every strategy and clock, block files in both forms, and what is wrong in them."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contend.evm import State
from contend.evm.accounts import accounts_of
from contend.evm.state import Snapshot
from contend.harness.commands.export import export
from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import plan_workloads
from contend.harness.verify.knowledge import BlockKnowledge
from contend.strategies.base import Strategy
from contend.strategies.clocks import WALL
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get, names
from contend.strategies.serial import Serial
from contend.workloads.base import Scenario
from contend.workloads.files.block_file import read_block
from contend.workloads.files.fields import FieldError
from contend.workloads.files.replay import Replay

BLOCKS = (
    "11743952.cancun", "12522062.cancun", "13287210.cancun", "15537394.cancun", "17666333", "19923400", "19929064",
    "19932703", "19933122", "23587691", "24628607",
)  # fmt: skip


# Every strategy as it is usually given, and beside it those that are given something else.
CONTENDERS = (
    *names(variants=True), "block_stm+template", "block_stm+truth", "static_partition+block", "placeholder+dry_run",
    "groups+truth", "locks+dry_run",
)  # fmt: skip


@pytest.fixture(scope="module", params=CONTENDERS)
def strategy(request: pytest.FixtureRequest) -> Iterator[Strategy]:
    with get(request.param)() as made:
        yield made


@cache
def real_block(path: Path) -> tuple[Scenario, Snapshot, BlockKnowledge]:
    scenario = Replay().build({"file": str(path)}, 1, 1)
    knowledge = BlockKnowledge(scenario.blocks, scenario.genesis, Serial())
    return scenario, scenario.genesis.snapshot(), knowledge


@pytest.mark.parametrize(("clock", "workers"), [("wall", 2), ("virtual", 4)])
@pytest.mark.parametrize("name", BLOCKS)
def test_a_real_block_gives_the_chains_receipts_and_state(
    mainnet_blocks: Path, strategy: Strategy, name: str, clock: str, workers: int
) -> None:
    workload = Replay()
    scenario, snapshot, knowledge = real_block(mainnet_blocks / f"{name}.json.gz")
    block, state = scenario.blocks[0], scenario.genesis
    state.restore(snapshot)
    strategy.knowledge = knowledge.of(0, strategy.given)
    strategy.clock = WALL if clock == "wall" else VirtualClock()
    outcome = strategy.execute(block, state, workers)
    # Nothing is right in an order of its own here: others depend on the chain's.
    assert outcome.order is None
    assert outcome.refused_list is None
    assert workload.check_receipts(scenario, outcome.receipts) == []
    assert workload.check(scenario, state) == []
    changed = state.changes_since(snapshot)
    assert outcome.changes is not None
    assert outcome.changes.digest == changed.digest


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "swaps.json.gz"
    request = Request(workloads=("swaps",), dials={"pools": 3, "accounts": 40}, block_size=60)
    assert "60 transactions" in export(request, path)
    return path


def document(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return content


def test_an_exported_block_replays(exported: Path) -> None:
    from contend.workloads import registry, resolve_dials

    kind = registry.get("swaps")
    dials = resolve_dials(kind, {"pools": 3, "accounts": 40})
    original = kind().build(dials, 1, 60)
    workload = Replay()
    scenario = workload.build({"file": str(exported)}, 1, 1)
    assert scenario.blocks[0].transactions == original.blocks[0].transactions
    assert scenario.blocks[0].environment == original.blocks[0].environment
    assert scenario.genesis.digest() == original.genesis.digest()
    receipts = Serial().execute(scenario.blocks[0], scenario.genesis, 1).receipts
    assert workload.check_receipts(scenario, receipts) == []
    assert workload.check(scenario, scenario.genesis) == []


def test_exports_are_reproducible(exported: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.json.gz"
    export(Request(workloads=("swaps",), dials={"pools": 3, "accounts": 40}, block_size=60), again)
    assert again.read_bytes() == exported.read_bytes()


def test_what_is_not_as_the_file_says_is_reported(exported: Path, tmp_path: Path) -> None:
    content = document(exported)
    content["expected"]["receipts"][3]["gas_used"] += 1
    content["expected"]["receipts"][4]["status"] ^= 1
    content["expected"]["receipts"][5]["logs"] = []
    address, change = next(
        (a, c) for a, c in content["expected"]["post_diff_before_withdrawals"].items() if "balance" in c
    )
    change["balance"] = "0x1"
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(content))
    workload = Replay()
    scenario = workload.build({"file": str(path)}, 1, 1)
    receipts = Serial().execute(scenario.blocks[0], scenario.genesis, 1).receipts
    said = " ".join(workload.check_receipts(scenario, receipts))
    assert "transaction 3: gas" in said
    assert "transaction 4: status" in said
    assert "transaction 5: its logs" in said
    assert f"{address} balance" in workload.check(scenario, scenario.genesis)[0]


def client_form(content: dict[str, Any], traced: bool) -> dict[str, Any]:
    """The same block as a client answers it."""
    accounts = {
        address: {
            "balance": account["balance"],
            "nonce": account["nonce"],
            "code": content["codes"].get(account["code_hash"], "0x"),
            "storage": account["storage"],
        }
        for address, account in content["pre"].items()
    }
    pre: Any = accounts
    if traced:
        names = sorted(accounts)
        half = {name: accounts[name] for name in names[::2]}
        # A later result shows what earlier transactions did; only what is new in it is from before the block.
        rest = {name: accounts[name] for name in names[1::2]} | {names[0]: {"balance": "0x7", "nonce": 99}}
        pre = [{"txHash": "0x", "result": half}, {"txHash": "0x", "result": rest}]
    header = content["header"] | {"transactions": content["transactions"]}
    hashes = content["block_hashes"]
    return {"block": header, "pre": pre, "chainId": hex(content["chain_id"]), "block_hashes": hashes}


@pytest.mark.parametrize("traced", [False, True])
def test_a_client_s_answers_give_the_same_block(exported: Path, tmp_path: Path, traced: bool) -> None:
    path = tmp_path / "client.json"
    path.write_text(json.dumps(client_form(document(exported), traced)))
    first, second = read_block(exported), read_block(path)
    assert second.block == first.block
    assert dict(second.prestate) == dict(first.prestate)
    assert second.receipts is None


def set_at(content: dict[str, Any], way: str, value: Any) -> None:
    """Change one value; the way is names and numbers joined by slashes, ``*`` meaning the first member."""
    *steps, last = way.split("/")
    at: Any = content
    for step in steps:
        at = at[next(iter(at)) if step == "*" else int(step) if isinstance(at, list) else step]
    at[int(last) if isinstance(at, list) else last] = value


@pytest.mark.parametrize(
    ("way", "value", "words"),
    [
        ("format", "evm-block-replay/9", "format"),
        ("fork", "Frontier", "fork"),
        ("chain_id", "x", "chain_id"),
        ("header", [], "header"),
        ("header/gasLimit", "0x1" + "0" * 16, "header.gasLimit"),
        ("header/miner", "0x12", "header.miner"),
        ("transactions", {}, "transactions"),
        ("transactions/2", 7, "transactions[2]"),
        ("transactions/2/from", None, "'from'"),
        ("transactions/2/nonce", -1, "transactions[2].nonce"),
        ("transactions/2/to", [], "transactions[2].to"),
        ("transactions/2/gas", "0x7fffffffffffffff", "transactions[2].gas"),
        ("transactions/2/value", "0x1" + "0" * 64, "transactions[2].value"),
        ("transactions/2/input", "0xzz", "transactions[2].input"),
        ("transactions/2/accessList", [{"address": "0x00"}], "transactions[2].accessList[0].address"),
        ("transactions/2/blobVersionedHashes", ["0x00"], "transactions[2]: it has 'blobVersionedHashes'"),
        ("transactions/2/type", "0x3", "transactions[2]"),
        ("pre/*/balance", "many", "balance"),
        ("pre/*/storage", {"0x" + "f" * 65: "0x1"}, "storage"),
        ("pre/*/code_hash", "0x" + "12" * 32, "code_hash"),
        ("codes/*", "nothing", "codes"),
        ("expected/receipts", [], "expected.receipts"),
        ("expected/receipts/0/gas_used", True, "gas_used"),
        ("block_hashes", {"x": "0x" + "00" * 32}, "block_hashes"),
    ],
)
def test_a_malformed_block_file_names_the_field(
    exported: Path, tmp_path: Path, way: str, value: Any, words: str
) -> None:
    content = copy.deepcopy(document(exported))
    if way == "codes/*":
        content["codes"][next(iter(content["codes"]))] = value
    else:
        set_at(content, way, value)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FieldError) as caught:
        read_block(path)
    text = str(caught.value)
    assert str(path) in text
    assert words in text
    assert "\n" not in text
    with pytest.raises(BadInputError, match=r"bad\.json"):
        plan_workloads(Request(workloads=("replay",), blocks=(str(path),)))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\x1f\x8b\x08", b"\xff\xfe", b"[" * 100_000, b'{"format": 3}'])
def test_no_file_of_any_bytes_gets_through(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(raw)
    with pytest.raises(FieldError, match=r"bad\.json"):
        read_block(path)
    with pytest.raises(FieldError, match="absent"):
        read_block(tmp_path / "absent.json")


def test_replay_and_block_files_go_together(exported: Path) -> None:
    for request in (Request(workloads=("replay",)), Request(workloads=("swaps",), blocks=(str(exported),))):
        with pytest.raises(BadInputError, match="--workload replay --block PATH"):
            plan_workloads(request)
    plans = plan_workloads(Request(workloads=("replay",), blocks=(str(exported),)))
    assert [plan.title for plan in plans] == ["replay:swaps"]


def test_an_account_that_has_only_storage_keeps_it(exported: Path) -> None:
    from contend.evm.accounts import Account, new_state

    state: State = new_state({bytes(19) + b"\1": Account(storage={1: 2}), bytes(19) + b"\2": Account(5)})
    assert accounts_of(state) == {bytes(19) + b"\1": Account(storage={1: 2}), bytes(19) + b"\2": Account(5)}
