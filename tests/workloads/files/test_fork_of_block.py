"""Fork of a block file: named, found by its time or content, and never one that the content does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from contend.evm.forks import FORKS
from contend.workloads.files.chain_forks import BLOCKS, TIMES
from contend.workloads.files.fields import Field, FieldError
from contend.workloads.files.fork_of_block import ORDER, fork_of_block

SHANGHAI = {"number": "0x1000000", "timestamp": "0x64800000", "baseFeePerGas": "0x7", "difficulty": "0x0"}
CANCUN = SHANGHAI | {"timestamp": "0x66000000", "excessBlobGas": "0x0"}
NO_FEE = SHANGHAI | {"baseFeePerGas": None}
BLOBS = {"type": "0x3", "blobVersionedHashes": ["0x01" + "00" * 31]}


def fork(header: dict[str, Any], *transactions: dict[str, Any], named: str | None = None, chain: int | None = 5) -> str:
    name = None if named is None else Field("fork", named)
    return fork_of_block(name, Field("header", header), Field("transactions", list(transactions)), chain).name


def test_every_fork_here_has_its_place_in_the_order() -> None:
    assert set(FORKS) < set(ORDER)


def test_content_and_time_tell_the_fork() -> None:
    assert fork(SHANGHAI) == fork(SHANGHAI, {"type": "0x2", "maxFeePerGas": "0x1"}) == "Shanghai"
    assert fork(CANCUN) == fork(SHANGHAI, BLOBS) == "Cancun"
    # Ethereum's own blocks tell it by their time.
    assert fork(SHANGHAI, chain=1) == "Shanghai"
    assert fork(CANCUN, chain=1) == "Cancun"


@pytest.mark.parametrize(
    ("number", "name"), [(12_244_000, "Berlin"), (12_965_000, "London"), (15_537_393, "London"), (15_537_394, "Paris")]
)
def test_ethereum_s_blocks_of_the_time_of_mining_tell_it_by_their_number(number: int, name: str) -> None:
    header = {"number": hex(number), "timestamp": "0x60000000"}
    header |= {"baseFeePerGas": "0x7"} if name != "Berlin" else {}
    assert fork(header, chain=1) == name
    with pytest.raises(FieldError, match="a block of a fork before Berlin"):
        fork(header | {"number": hex(12_243_999)}, chain=1)


@pytest.mark.parametrize(
    ("chain", "time", "name"),
    [
        (1, 1_764_798_550, "Prague"), (1, 1_764_798_551, "Osaka"), (1, 1_767_747_671, "BPO2"),
        (11_155_111, 1_677_557_087, "Paris"), (11_155_111, 1_677_557_088, "Shanghai"),
        (11_155_111, 1_761_017_184, "BPO1"),
        (17_000, 1_696_000_703, "Paris"), (17_000, 1_707_305_664, "Cancun"),
        (560_048, 1, "Cancun"), (560_048, 1_761_677_591, "Prague"), (560_048, 1_761_677_592, "Osaka"),
    ],
)  # fmt: skip
def test_blocks_of_public_chains_tell_it_by_their_time(chain: int, time: int, name: str) -> None:
    assert fork(SHANGHAI | {"timestamp": hex(time)}, chain=chain) == name
    assert fork(SHANGHAI | {"timestamp": hex(time), "difficulty": "0x1"}, chain=chain) == (
        "London" if name == "Paris" else name
    )


def test_a_chain_s_forks_stand_with_the_latest_first() -> None:
    for told in (*TIMES.values(), *BLOCKS.values()):
        assert [since for _, since in told] == sorted((since for _, since in told), reverse=True)
        assert {name for name, _ in told} <= set(FORKS)


def test_blocks_of_other_chains_tell_it_by_difficulty_and_types() -> None:
    assert fork(SHANGHAI | {"difficulty": "0x1"}) == "London"
    assert fork(CANCUN | {"requestsHash": "0x"}) == fork(CANCUN, {"type": "0x4", "authorizationList": []}) == "Prague"
    assert fork(NO_FEE, {"type": "0x1", "accessList": []}) == "Berlin"


@pytest.mark.parametrize(
    ("header", "transaction", "named", "words"),
    [
        (CANCUN, {"type": "0x4", "authorizationList": []}, "Cancun", "of type 4, which blocks have from Prague"),
        (CANCUN, {"authorizationList": []}, "Cancun", "transaction of type 4"),
        (SHANGHAI, BLOBS, "Shanghai", "transaction of type 3, which blocks have from Cancun on"),
        (CANCUN, {}, "Shanghai", "'excessBlobGas', which blocks have from Cancun on"),
        (CANCUN | {"requestsHash": "0x"}, {}, "Cancun", "'requestsHash', which blocks have from Prague on"),
        (CANCUN | {"blockAccessListHash": "0x"}, {}, None, "a block of Amsterdam, and there are rules for Berlin"),
        (CANCUN, {"type": "0x5"}, "Cancun", "there is no transaction of type 5"),
        (CANCUN, {"type": "0x2", "maxFeePerGas": "0x1", "maxFeePerBlobGas": "0x1"}, None, "type 3 have, not of type 2"),
        (CANCUN, {"type": "0x3"}, None, "'blobVersionedHashes' is missing"),
        (NO_FEE, {}, None, "a fork before London"),
        (NO_FEE, {"type": "0x2", "maxFeePerGas": "0x1"}, "Berlin", "type 2, which blocks have from London on"),
        (CANCUN | {"difficulty": "0x1"}, {}, None, "'excessBlobGas', which blocks have from Cancun on"),
        (SHANGHAI, {}, "Frontier", "unknown fork 'Frontier'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    header: dict[str, Any], transaction: dict[str, Any], named: str | None, words: str
) -> None:
    with pytest.raises(FieldError) as caught:
        fork(header, transaction, named=named)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("time", "name"),
    [
        (1_710_338_135, "Cancun"),
        (1_746_612_310, "Cancun"),
        (1_746_612_311, "Prague"),
        (1_764_798_551, "Osaka"),
        (1_765_290_071, "BPO1"),
        (1_767_747_671, "BPO2"),
    ],
)
def test_ethereum_s_own_blocks_tell_it_by_their_time(time: int, name: str) -> None:
    assert fork(CANCUN | {"timestamp": hex(time)}, chain=1) == name
    # Named, a block is executed under those rules, whenever it is from: that is asked for.
    assert fork(CANCUN | {"timestamp": hex(time)}, chain=1, named="cancun") == "Cancun"


def test_blobs_may_be_those_of_a_later_fork_with_the_same_rules() -> None:
    def with_blobs(named: str, schedule: str) -> str:
        fields = Field("header", CANCUN), Field("transactions", [])
        return fork_of_block(Field("fork", named), *fields, 1, Field("blob_schedule", schedule)).name

    assert with_blobs("Osaka", "bpo2") == "BPO2"
    assert with_blobs("prague", "prague") == "Prague"
    with pytest.raises(FieldError, match="BPO1 has other rules than Prague"):
        with_blobs("Prague", "bpo1")
    with pytest.raises(FieldError, match="unknown fork"):
        with_blobs("Prague", "bpo9")


def test_a_block_that_has_what_its_time_has_not_is_refused() -> None:
    with pytest.raises(FieldError, match="from Cancun on; this one is executed under Shanghai"):
        fork(SHANGHAI, BLOBS, chain=1)
