from __future__ import annotations

import json
from pathlib import Path

import pytest

from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import CellKey, one_line, plan_workloads, resolve, split_overrides
from contend.strategies.registry import built_in, get, names
from contend.workloads import registry

DIALS = {"swaps": ("pools", "zipf"), "payments": ("accounts", "zipf")}


def test_a_dial_goes_to_every_workload_that_has_it() -> None:
    assert split_overrides({"zipf": 1.2, "pools": 3}, DIALS) == {
        "swaps": {"zipf": 1.2, "pools": 3},
        "payments": {"zipf": 1.2},
    }


def test_a_qualified_dial_goes_to_its_workload_only() -> None:
    assert split_overrides({"zipf": 1.2, "swaps.zipf": 0.0}, DIALS) == {
        "swaps": {"zipf": 0.0},
        "payments": {"zipf": 1.2},
    }


def test_an_unknown_dial_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInputError, match=r"unknown dial 'pool' \(did you mean 'pools'\?\)"):
        split_overrides({"pool": 1}, DIALS)


def test_a_dial_of_another_workload_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"unknown dial 'accounts'.*dials of swaps: pools, zipf"):
        split_overrides({"swaps.accounts": 1}, DIALS)


def test_a_dial_of_a_workload_that_was_not_chosen_is_refused() -> None:
    with pytest.raises(BadInputError, match="'nft' is not among those chosen"):
        split_overrides({"nft.zipf": 1}, DIALS)


@pytest.mark.parametrize("swept", ["pools", "swaps.pools"])
@pytest.mark.parametrize("given", ["pools", "swaps.pools"])
@pytest.mark.parametrize("workloads", [("swaps",), ("payments", "swaps")])
def test_a_dial_that_is_set_is_not_swept(swept: str, given: str, workloads: tuple[str, ...]) -> None:
    asked = Request(workloads, ("serial",), dials={given: 5}, sweep=(swept, [1, 2]))
    with pytest.raises(BadInputError, match="dial pools: set to 5 and swept over 1, 2 in swaps; leave one of the two"):
        plan_workloads(asked)


def test_a_dial_that_is_set_in_one_workload_is_swept_in_another() -> None:
    asked = Request(
        ("payments", "swaps"), ("serial",), dials={"payments.accounts": 5}, sweep=("swaps.accounts", [10, 20])
    )
    assert [one.dials["accounts"] for one in plan_workloads(asked)] == [10, 20]


def test_errors_are_put_in_one_line() -> None:
    assert one_line(ValueError("two\n  lines")) == "two lines"
    assert one_line(KeyError("a key")) == "a key"
    assert one_line(ValueError()) == "ValueError"


@pytest.mark.usefixtures("plugins")
def test_serial_is_always_measured_and_reported_only_where_it_was_asked_for() -> None:
    plan = resolve(Request(("ledger",), ("honest", "solo"), (1, 2)))
    assert plan.cells == (CellKey("serial", 1), CellKey("honest", 1), CellKey("honest", 2), CellKey("solo", 1))
    assert plan.reported == {CellKey("honest", 1), CellKey("honest", 2), CellKey("solo", 1)}
    assert plan.workloads[0].dials == {"accounts": 20}


def test_four_workloads_by_default_and_all_when_asked() -> None:
    assert [one.name for one in resolve(Request(strategies=("serial",))).workloads] == [
        "payments",
        "swaps",
        "nft",
        "dao",
    ]
    everything = [one.name for one in resolve(Request(("all",), ("serial",))).workloads]
    assert {"payments", "lending", "mixed", "adversarial"} <= set(everything)


def test_a_preset_is_a_setting_that_others_go_before() -> None:
    request = Request(("swaps", "nft"), ("serial",), dials={"swaps.preset": "burst-day", "swaps.pools": 5, "mint": 0.1})
    swaps, nft = resolve(request).workloads
    assert (swaps.dials["pools"], swaps.dials["pool_zipf"]) == (5, 1.6)
    assert nft.dials["mint"] == 0.1
    assert "preset" not in swaps.dials


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInputError, match=r"unknown preset 'burstday' \(did you mean 'burst-day'\?\)"):
        resolve(Request(("swaps",), ("serial",), dials={"preset": "burstday"}))


def test_by_default_strategies_are_those_of_the_clock() -> None:
    simulated = {cell.strategy for cell in resolve(Request(("dao",), clock="virtual")).cells}
    assert simulated == {name for name in built_in() if "virtual" in get(name).clocks}
    assert simulated == {"serial", "block_stm", "sharded", "placeholder", "bal"}
    assert "sharded" in {cell.strategy for cell in resolve(Request(("dao",))).cells}


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("clock", ["wall", "virtual"])
def test_an_installed_plug_in_joins_no_run_that_does_not_name_it(clock: str) -> None:
    assert {"honest", "unimportable"} <= set(names())
    for asked in ((), "default", "all"):
        plan = resolve(Request("dao", asked, clock=clock))
        assert {cell.strategy for cell in plan.cells} <= set(built_in(variants=True)), asked
    usual = [cell.strategy for cell in resolve(Request("dao", workers=2, clock=clock)).cells]
    assert usual == list(built_in())
    everything = [cell.strategy for cell in resolve(Request("dao", "all", 2, clock=clock)).cells]
    assert everything == list(built_in(variants=True))


@pytest.mark.usefixtures("plugins")
def test_a_plug_in_is_added_by_name_to_the_default_or_to_all() -> None:
    plan = resolve(Request("dao", ["default", "solo"], 2))
    assert [cell.strategy for cell in plan.cells] == [*built_in(), "solo"]
    plan = resolve(Request("dao", ["solo", "all", "serial"], 2))
    assert [cell.strategy for cell in plan.cells] == ["serial", "solo", *built_in(variants=True)[1:]]


@pytest.mark.usefixtures("plugins")
def test_an_installed_workload_joins_no_run_that_does_not_name_it() -> None:
    def chosen(*asked: str) -> list[str]:
        return [one.name for one in resolve(Request(asked, "serial")).workloads]

    assert "ledger" in registry.names()
    assert chosen() == chosen("default") == list(registry.DEFAULT)
    assert chosen("all") == list(registry.BUILT_IN)
    assert chosen("default", "ledger") == [*registry.DEFAULT, "ledger"]
    assert chosen("ledger", "all") == ["ledger", *registry.BUILT_IN]


def test_the_default_by_name_is_the_default() -> None:
    # Which older versions, too, know as nothing named.
    assert Request("default", ["default"]) == Request()


@pytest.mark.usefixtures("plugins")
def test_a_strategy_of_one_worker_has_one_cell() -> None:
    plan = resolve(Request(("ledger",), ("serial",), (2, 4)))
    assert plan.cells == (CellKey("serial", 1),)
    assert plan.reported == {CellKey("serial", 1)}


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(("ledgr",)), ("ledgr", "ledger")),
        (Request(("ledger",), ("honst",)), ("honst", "honest")),
        (Request(("ledger",), ("unimportable",)), ("unimportable", "contend_fakes_that_are_not_there")),
        (Request(("unimportable",), ("serial",)), ("unimportable", "contend_fakes_that_are_not_there")),
        (Request(("ledger",), ("serial",), dials={"accounts": 1}), ("ledger", "accounts", "2")),
        (Request(("ledger",), ("serial",), dials={"accounts": "many"}), ("ledger", "accounts", "many")),
        (Request(("ledger",), ("serial",), dials={"acounts": 4}), ("acounts", "accounts")),
    ],
)
def test_bad_names_and_dials_are_refused_in_one_line_that_helps(request_: Request, words: tuple[str, ...]) -> None:
    with pytest.raises(BadInputError) as caught:
        resolve(request_)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_each_block_file_of_a_folder_is_a_workload(tmp_path: Path) -> None:
    def planned(*paths: Path) -> list[str]:
        asked = Request(("replay",), ("serial",), blocks=[str(path) for path in paths])
        return [plan.title for plan in plan_workloads(asked)]

    folder = tmp_path / "blocks"
    folder.mkdir()
    with pytest.raises(BadInputError, match="the folder has no block files"):
        planned(folder)
    block = {"number": "0x1", "timestamp": "0x1", "gasLimit": "0x5208", "miner": "0x" + "00" * 20}
    sent = {"from": "0x" + "01" * 20, "to": "0x" + "02" * 20, "input": "0x", "gas": "0x5208"}
    numbers = dict.fromkeys(("nonce", "value", "gasPrice"), "0x0")
    content = json.dumps({"block": block | {"transactions": [sent | numbers]}, "pre": {}, "fork": "Berlin"})
    for name in ("10.json", "9.json"):
        (folder / name).write_text(content)
    assert planned(folder) == planned(folder, folder / "9.json") == ["replay:9", "replay:10"]
    (folder / "11.json").write_text("{}")
    with pytest.raises(BadInputError, match=r"11\.json: the field 'format' is missing"):
        planned(folder)
