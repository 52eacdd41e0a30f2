"""What the generators write: the same bytes for the same seed, real nonce chains, and contention where dials put it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest

from contend.evm import keccak256
from contend.strategies.serial import Serial
from contend.workloads import DialValue, Preset, get, registry, resolve_dials
from contend.workloads.contracts.abi import decode_words, load
from tests.workloads.conftest import Build

NAMES = tuple(registry.BUILT_IN)
GOLDEN = [
    ("payments", 500, {}, 1, "4b713a041e93d13c57fb7dbff2c061d8", "8d7543e72cff47bd2d2480a5ba14724c"),
    (
        "payments",
        200,
        {"accounts": 10, "erc20": 1.0},
        7,
        "ffc2ef9c92b9b46b68bb5a0575cff7c3",
        "8c6b8a26666a8f700cc720e3fde2f35f",
    ),
    ("swaps", 500, {}, 1, "93914a813de26c5977b0db742db25908", "63a9f706f0beb025e64cb22c198e2ba7"),
    ("swaps", 200, {"pools": 1}, 7, "1f8e139ec4eb1d8dbe066915e6ff00a2", "21bfab189a75231d48d6a41011a80b03"),
    ("nft", 500, {}, 1, "4489e6180ae9181cf72e66575ba1666d", "e9870835f8151e08626f049e3d330b78"),
    (
        "nft",
        200,
        {"collections": 2, "batch": 1},
        7,
        "e42dfb908ac231abce93cff76eccb4bf",
        "8208137d827a9064c616c968b56213d6",
    ),
    ("dao", 500, {}, 1, "f8d862cd3b0c326b11b27327e9aa6e65", "63957494f7cc2022d9c9e33620714da7"),
    (
        "dao",
        200,
        {"voters": 25, "proposals": 9},
        7,
        "11da92f1ac17537cd7e646e5beacf569",
        "8155d216a6c5622e9e65254fb8261082",
    ),
]


@pytest.mark.parametrize(("name", "block_size", "dials", "seed", "genesis", "block"), GOLDEN)
def test_golden_digests(
    build: Build, name: str, block_size: int, dials: Mapping[str, DialValue], seed: int, genesis: str, block: str
) -> None:
    # A digest that changes means that figures measured before are about other blocks: say so in the changelog.
    scenario = build(name, block_size, dials, seed)
    assert (scenario.genesis.digest(), scenario.blocks[0].digest) == (genesis, block)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides(build: Build, name: str) -> None:
    first, again, other = build(name, 100, seed=3), build(name, 100, seed=3), build(name, 100, seed=4)
    assert first.genesis.digest() == again.genesis.digest()
    assert first.blocks[0].digest == again.blocks[0].digest
    assert first.blocks[0].digest != other.blocks[0].digest


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("block_size", [1, 2, 37])
def test_blocks_have_the_size_asked_for_and_nonces_form_chains(build: Build, name: str, block_size: int) -> None:
    scenario = build(name, block_size, blocks=3)
    assert [len(block) for block in scenario.blocks] == [block_size] * 3
    nonces: Counter[bytes] = Counter()
    for block in scenario.blocks:
        for transaction in block:
            assert transaction.nonce == nonces[transaction.sender]
            nonces[transaction.sender] += 1
    assert all(scenario.genesis.nonce(sender) == 0 for sender in nonces)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "adversarial"])
def test_by_default_senders_come_back_and_blocks_mostly_succeed(build: Build, name: str) -> None:
    scenario = build(name, 2_000, blocks=2)
    assert max(transaction.nonce for transaction in scenario.blocks[0]) >= 2
    with Serial() as serial:
        for block in scenario.blocks:
            receipts = serial.execute(block, scenario.genesis, 1).receipts
            assert (receipts.status == 1).mean() > 0.95
            assert set(receipts.status.tolist()) <= {0, 1}
            limits = np.array([transaction.gas_limit for transaction in block])
            assert (receipts.gas_used / limits).max() <= 1.0
            # Limits are those of a wallet, not thrice what is used.
            assert np.median(receipts.gas_used / limits) > 0.4


@pytest.mark.parametrize(("name", "preset"), [(name, preset) for name in NAMES for preset in get(name).presets])
def test_presets_build_and_run(name: str, preset: Preset) -> None:
    workload = get(name)()
    scenario = workload.build(resolve_dials(workload, {"preset": preset.name}), 1, 60, 3)
    with Serial() as serial:
        statuses = [serial.execute(block, scenario.genesis, 1).receipts.status for block in scenario.blocks]
    assert workload.check(scenario, scenario.genesis) == []
    assert {int(status) for block in statuses for status in block} <= {0, 1}
    assert sum(map(len, scenario.blocks)) == 180


def test_nobody_pays_itself(build: Build) -> None:
    dials = {"accounts": 3, "sender_zipf": 3.0, "receiver_zipf": 3.0, "tokens": 1}
    for transaction in build("payments", 500, dials).blocks[0]:
        payee = decode_words(transaction.data[4:])[0].to_bytes(20, "big") if transaction.data else transaction.to
        assert payee != transaction.sender


def test_payments_mix(build: Build) -> None:
    for share in (0.0, 0.3, 1.0):
        block = build("payments", 1_000, {"erc20": share}).blocks[0]
        assert sum(bool(transaction.data) for transaction in block) / 1_000 == pytest.approx(share, abs=0.05)


def test_token_transfers_log_who_paid_whom_how_much(build: Build) -> None:
    scenario = build("payments", 200, {"erc20": 1.0})
    with Serial() as serial:
        receipts = serial.execute(scenario.blocks[0], scenario.genesis, 1).receipts
    signature = int.from_bytes(keccak256(b"Transfer(address,address,uint256)"), "big")
    for i, transaction in enumerate(scenario.blocks[0]):
        payee, amount = decode_words(transaction.data[4:])
        (entry,) = receipts.logs(i)
        assert entry.address == transaction.to
        assert entry.topics == (signature, int.from_bytes(transaction.sender, "big"), payee)
        assert decode_words(entry.data) == (amount,)


@pytest.mark.parametrize(
    "dials",
    [{}, {"pools": 1}, {"pools": 2, "two_hops": 1.0, "slippage_bps": 2}, {"pool_zipf": 0.0, "slippage_bps": 0}],
)
def test_the_swaps_that_revert_are_those_foretold(build: Build, dials: Mapping[str, DialValue]) -> None:
    scenario = build("swaps", 700, dials, seed=2, blocks=2)
    reverted: list[int] = []
    with Serial() as serial:
        for number, block in enumerate(scenario.blocks):
            status = serial.execute(block, scenario.genesis, 1).receipts.status
            reverted += (np.flatnonzero(status != 1) + 700 * number).tolist()
    assert reverted == scenario.notes["reverts"]
    if "slippage_bps" in dials:
        assert reverted


def hottest(build: Build, name: str, dials: Mapping[str, DialValue], place: int) -> float:
    """Share of the most frequent value of a word of call data."""
    block = build(name, 1_000, dials).blocks[0]
    values = Counter(decode_words(transaction.data[4:])[place] for transaction in block if len(transaction.data) > 4)
    return values.most_common(1)[0][1] / values.total()


def test_dials_move_contention(build: Build) -> None:
    path = 7  # amount, minimum, token, offset, receiver, deadline, length, first pool
    single = hottest(build, "swaps", {"pools": 1}, path)
    skewed = hottest(build, "swaps", {"pools": 100, "pool_zipf": 1.6}, path)
    default = hottest(build, "swaps", {"pools": 100}, path)
    uniform = hottest(build, "swaps", {"pools": 100, "pool_zipf": 0.0}, path)
    assert single == 1.0
    assert 0.35 < skewed < 0.6
    assert 0.18 < default < 0.35
    assert uniform < 0.04
    assert hottest(build, "dao", {"proposals": 1, "other": 0.0}, 0) == 1.0
    assert hottest(build, "dao", {"proposals": 10, "proposal_zipf": 0.0, "other": 0.0}, 0) < 0.2


def test_one_collection_takes_every_mint(build: Build) -> None:
    scenario = build("nft", 300, {"collections": 1, "mint": 1.0, "batch": 1})
    assert {transaction.to for transaction in scenario.blocks[0]} == {scenario.contracts["collection 0"]}
    with Serial() as serial:
        serial.execute(scenario.blocks[0], scenario.genesis, 1)
    state = scenario.genesis
    counter = load("collection").slots["totalSupply"]
    assert state.storage(scenario.contracts["collection 0"], counter) == 300


def test_markets_share_the_collections(build: Build) -> None:
    scenario = build("nft", 400, {"collections": 12, "collection_zipf": 0.0, "mint": 0.0, "markets": 3})
    used = Counter(transaction.to for transaction in scenario.blocks[0])
    assert set(used) == {scenario.contracts[f"market {number}"] for number in range(3)}


def test_sold_out_mints_revert(build: Build) -> None:
    scenario = build("nft", 300, {"collections": 1, "mint": 1.0, "supply": 50, "batch": 3})
    with Serial() as serial:
        receipts = serial.execute(scenario.blocks[0], scenario.genesis, 1).receipts
    assert 230 < (receipts.status == 0).sum() < 290
    assert b"sold out" in receipts.output(299)
    assert get("nft")().check(scenario, scenario.genesis) == []


def test_voters_who_have_all_voted_do_other_things(build: Build) -> None:
    scenario = build("dao", 200, {"voters": 30, "proposals": 3, "other": 0.0})
    to = Counter(transaction.to for transaction in scenario.blocks[0])
    assert to == {scenario.contracts["dao"]: 90, scenario.contracts["token"]: 110}
    assert all(len(set(voters)) == len(voters) == 30 for voters in scenario.notes["ballots"].values())
