"""``contend fetch-block``: what is written runs as the chain says; what goes wrong is one line, without a key."""

from __future__ import annotations

import copy
import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fake_node.answering_node import KEY, AnsweringNode, RpcError, answering
from fake_node.traced_block import NUMBER, TIME, TracedBlock, hash_of, traced_block, traced_file

from contend.evm.accounts import accounts_of
from contend.harness.cli import main
from contend.strategies.serial import Serial
from contend.workloads.files.block_file import read_block
from contend.workloads.files.replay import Replay


class Chain:
    """What a node knows, and tests spoil.

    Attributes
    ----------
    includes_empty : bool
        Whether the node's tracer shows empty accounts, as the newest geth does when it is asked to.
    """

    def __init__(self, traced: TracedBlock) -> None:
        self.block, self.receipts = copy.deepcopy(traced.block), copy.deepcopy(traced.receipts)
        self.traces = {empty: copy.deepcopy(traced.traces(empty)) for empty in (False, True)}
        self.differences = copy.deepcopy(traced.differences())
        self.includes_empty = True
        self.chain, self.newest = "0x1", int(self.block["number"], 16)

    def methods(self) -> dict[str, Any]:
        return {
            "eth_chainId": lambda _: self.chain,
            "eth_blockNumber": lambda _: hex(self.newest),
            "eth_getBlockByNumber": self._block,
            "eth_getBlockReceipts": lambda _: self.receipts,
            "debug_traceBlockByNumber": self._trace,
        }

    def _block(self, params: list[Any]) -> Any:
        number = self.newest if params[0] == "latest" else int(params[0], 16)
        if params[1]:
            return self.block if hex(number) == self.block["number"] else None
        return {"number": hex(number), "hash": _hex(hash_of(number)), "parentHash": _hex(hash_of(number - 1))}

    def _trace(self, params: list[Any]) -> Any:
        assert params[1]["tracer"] == "prestateTracer"
        config = params[1]["tracerConfig"]
        return self.differences if config.get("diffMode") else self.traces[self.includes_empty]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


@pytest.fixture
def chain() -> Chain:
    return Chain(traced_block())


@pytest.fixture
def node(chain: Chain) -> Iterator[AnsweringNode]:
    with answering(chain.methods()) as made:
        yield made


def fetch(node: AnsweringNode, folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error, in which no part of the URL is."""
    asked = [*arguments] if arguments else [str(NUMBER)]
    done = CliRunner().invoke(
        main, ["fetch-block", *asked, "-o", str(folder), "--tries", "1"], env={"CONTEND_RPC": node.url}
    )
    for text in (done.stdout, done.stderr, repr(done.exception)):
        assert KEY not in text
        assert str(node.server_address[1]) not in text
    return done.exit_code, done.stdout, done.stderr


def refused(node: AnsweringNode, folder: Path, *arguments: str) -> str:
    """The one line of a refusal, after which nothing is written."""
    code, shown, error = fetch(node, folder, *(arguments or (str(NUMBER),)), "-q")
    assert (code, shown) == (2, "")
    assert len(error.splitlines()) == 1
    assert not folder.exists() or not list(folder.iterdir())
    return error


def written(folder: Path) -> dict[str, Any]:
    raw = (folder / f"{NUMBER}.json.gz").read_bytes()
    assert KEY.encode() not in gzip.decompress(raw)
    assert b"127.0.0.1" not in gzip.decompress(raw)
    found: dict[str, Any] = json.loads(gzip.decompress(raw))
    return found


@pytest.mark.parametrize("includes_empty", [True, False], ids=["newest geth", "older geth"])
def test_what_is_fetched_is_the_block_and_the_state_before_it(
    node: AnsweringNode, chain: Chain, tmp_path: Path, includes_empty: bool
) -> None:
    chain.includes_empty = includes_empty
    code, shown, error = fetch(node, tmp_path / "new" / "blocks")
    assert code == 0, error
    path = tmp_path / "new" / "blocks" / f"{NUMBER}.json.gz"
    assert shown.startswith(f"{path}: 11 transactions, ")
    assert "Cancun" in shown
    assert error.startswith(f"1 of 1: block {NUMBER}\n")
    file = read_block(path)
    assert file.prestate == traced_block().before
    assert file.block.environment.timestamp == TIME
    assert file.block.environment.block_hashes == {number: hash_of(number) for number in range(NUMBER - 256, NUMBER)}
    scenario = Replay().build({"file": str(path)}, 1, 1)
    receipts = Serial().execute(scenario.blocks[0], scenario.genesis, 1).receipts
    assert Replay().check_receipts(scenario, receipts) == []
    assert accounts_of(scenario.genesis) == traced_block().steps[-1][2]
    document = written(path.parent)
    assert document["withdrawals"] == chain.block["withdrawals"]
    assert document["header"]["parentBeaconBlockRoot"] == _hex(bytes(32))
    assert not {"size", "uncles", "transactions", "withdrawals"} & document["header"].keys()
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_block_of_ethereum_is_fetched_as_it_is(mainnet_blocks: Path, tmp_path: Path) -> None:
    path = mainnet_blocks / "23587691.json.gz"
    chain = Chain(traced_file(path))
    chain.includes_empty = False
    with answering(chain.methods()) as node:
        assert fetch(node, tmp_path, "latest")[0] == 0
    # What its header says of receipts and logs has been checked with that.
    found, whole = read_block(tmp_path / path.name), read_block(path)
    assert found.block.transactions == whole.block.transactions
    assert found.block.environment.fork == "Prague"
    for address, account in found.prestate.items():
        assert replace(whole.prestate[address], storage={}) == replace(account, storage={})
        assert account.storage.items() <= whole.prestate[address].storage.items()


def test_what_is_there_is_not_fetched_again(node: AnsweringNode, tmp_path: Path) -> None:
    assert fetch(node, tmp_path)[0] == 0
    node.asked.clear()
    code, shown, _ = fetch(node, tmp_path)
    assert (code, node.asked) == (0, ["eth_chainId"])
    assert "is there already" in shown
    assert fetch(node, tmp_path, "latest")[0] == 0
    assert "debug_traceBlockByNumber" not in node.asked
    assert fetch(node, tmp_path, f"{NUMBER}..{NUMBER}", "--again")[0] == 0
    assert node.asked.count("debug_traceBlockByNumber") == 2


def test_hashes_are_asked_for_only_where_a_contract_may_ask(node: AnsweringNode, chain: Chain, tmp_path: Path) -> None:
    historian = _hex(bytes([0x12]) * 20)
    for trace in chain.traces[True]:
        if historian in trace["result"]:
            trace["result"][historian]["code"] = "0x00"
    assert fetch(node, tmp_path, str(NUMBER), "--no-check")[0] == 0
    assert set(written(tmp_path)["block_hashes"]) == {str(NUMBER - 1)}
    assert node.asked.count("eth_getBlockByNumber") == 1


def test_a_block_that_gives_other_receipts_is_not_written(node: AnsweringNode, chain: Chain, tmp_path: Path) -> None:
    chain.traces[True][1]["result"][_hex(bytes([0x11]) * 20)]["storage"][f"0x{5:064x}"] = f"0x{8:064x}"
    code, shown, error = fetch(node, tmp_path)
    assert (code, shown) == (1, "")
    assert "transaction 1: its logs are not those of the chain" in error
    assert list(tmp_path.iterdir()) == []
    assert fetch(node, tmp_path, str(NUMBER), "--no-check")[0] == 0
    assert len(read_block(tmp_path / f"{NUMBER}.json.gz").block) == 11


def test_the_root_of_receipts_is_the_header_s(node: AnsweringNode, chain: Chain, tmp_path: Path) -> None:
    chain.block["receiptsRoot"] = _hex(bytes(32))
    code, _, error = fetch(node, tmp_path)
    assert code == 1
    assert "receiptsRoot 0x" in error


def test_another_chain_s_blocks_are_told_by_their_names(node: AnsweringNode, chain: Chain, tmp_path: Path) -> None:
    chain.chain = "0x4268"
    assert fetch(node, tmp_path, str(NUMBER), "--chain", "holesky", "--no-check")[0] == 0
    assert [one.name for one in tmp_path.iterdir()] == [f"17000-{NUMBER}.json.gz"]
    assert read_block(tmp_path / f"17000-{NUMBER}.json.gz").block.environment.chain_id == 17000


@pytest.mark.parametrize(
    ("method", "error", "words"),
    [
        ("eth_getBlockByNumber", RpcError(-32005, "limit"), "rate limit"),
        ("debug_traceBlockByNumber", RpcError(-32000, "required historical state unavailable"), "(pruned)"),
        ("debug_traceBlockByNumber", RpcError(-32601, "none"), "does not offer debug_traceBlockByNumber"),
        ("debug_traceBlockByNumber", RpcError(-32000, "execution timeout"), "lack of time"),
        ("eth_getBlockReceipts", RpcError(-32000, f"no {KEY} here"), "no *** here"),
    ],
)
def test_a_node_that_refuses(node: AnsweringNode, tmp_path: Path, method: str, error: RpcError, words: str) -> None:
    def refuse(_: list[Any]) -> Any:
        raise error

    node.methods[method] = refuse
    assert words in refused(node, tmp_path / "blocks")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda chain: setattr(chain, "chain", "0xaa36a7"), "is of chain 11155111 (sepolia), not of 1 (mainnet)"),
        (lambda chain: setattr(chain, "chain", 1.5), "is not an integer"),
        (lambda chain: chain.block.update(transactions=[]), "it is empty"),
        (lambda chain: chain.block.update(timestamp="0x1"), "is executed under Paris"),
        (lambda chain: chain.block.update(gasUsed="0x5208"), "receipts use"),
        (lambda chain: chain.block.update(parentHash="0x" + "11" * 32), "two chains"),
        (lambda chain: chain.block.update(mixHash="0x 1"), "mixHash"),
        (lambda chain: chain.block["transactions"][0].update({"value": "1"}), "transactions[0].value"),
        (lambda chain: chain.block["transactions"][0].update({"from": None}), "'from' is missing"),
        (lambda chain: chain.receipts.pop(), "receipts are of other transactions"),
        (lambda chain: chain.receipts[0].update(blockHash="0x" + "00" * 32), "receipts are of another block"),
        (lambda chain: chain.receipts[0].update(status="0x2"), "status"),
        (lambda chain: chain.differences.pop(), "traced 10 of 11"),
        (lambda chain: chain.differences[0].update(txHash="0x" + "00" * 32), "reorganised"),
        (lambda chain: chain.traces[True][3]["result"].update({"0x12": {}}), "bytes, not 20"),
    ],
)
def test_answers_that_cannot_be_used(node: AnsweringNode, chain: Chain, tmp_path: Path, spoil: Any, words: str) -> None:
    spoil(chain)
    assert words in refused(node, tmp_path / "blocks")


def test_a_block_that_is_not_there(node: AnsweringNode, tmp_path: Path) -> None:
    assert f"its newest block is {NUMBER}" in refused(node, tmp_path / "blocks", str(NUMBER + 1))


def test_blocks_before_one_that_fails_are_kept(node: AnsweringNode, tmp_path: Path) -> None:
    code, _, error = fetch(node, tmp_path, str(NUMBER), str(NUMBER + 1))
    assert code == 2
    assert f"block {NUMBER + 1}: " in error
    assert len(read_block(tmp_path / f"{NUMBER}.json.gz").block) == 11


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x",), "is no block"),
        ((str(NUMBER), "--rpc", f"ftp://host/{KEY}"), "--rpc: is no URL"),
        ((str(NUMBER), "--chain", "mars"), "--chain: is one of mainnet"),
        ((str(NUMBER), "--chain", "99"), "when its forks began"),
        ((str(NUMBER), "--fork", "Dencun"), "--fork: "),
    ],
)
def test_what_cannot_be_asked(node: AnsweringNode, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in refused(node, tmp_path / "blocks", *arguments)
    assert node.asked == []


def test_a_node_has_to_be_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["fetch-block", "1", "-o", str(tmp_path)], env={"CONTEND_RPC": ""})
    assert done.exit_code == 2
    assert "CONTEND_RPC" in done.stderr


def test_a_folder_that_is_a_file(node: AnsweringNode, tmp_path: Path) -> None:
    place = tmp_path / "blocks"
    place.write_text("")
    code, _, error = fetch(node, place)
    assert code == 2
    assert "is a file" in error
    assert node.asked == []


def test_a_folder_of_what_was_fetched_runs(node: AnsweringNode, tmp_path: Path) -> None:
    folder = tmp_path / "blocks"
    assert fetch(node, folder)[0] == 0
    shutil.copy(folder / f"{NUMBER}.json.gz", folder / f"{NUMBER + 1}.json.gz")
    words = ["run", "-w", "replay", "--block", str(folder), "-s", "serial,block_stm", "--workers", "2"]
    done = CliRunner().invoke(
        main, [*words, "--clock", "virtual", "--results", str(tmp_path / "results"), "--no-charts", "-q"]
    )
    assert done.exit_code == 0, done.output
    assert f"replay:{NUMBER + 1}" in done.stdout
    total = done.stdout[done.stdout.index("all blocks, x serial") :]
    assert "block_stm" in total
    asked = ["explain", "-w", "replay", "-s", "block_stm", "--workers", "2", "-q", "--block"]
    done = CliRunner().invoke(main, [*asked, str(folder)])
    assert (done.exit_code, done.stderr) == (2, "contend: block: one block is explained; name one file, not 2\n")
    done = CliRunner().invoke(main, [*asked, str(folder / f"{NUMBER}.json.gz")])
    assert done.exit_code == 0, done.output
    assert "replay: 11 transactions" in done.stdout
