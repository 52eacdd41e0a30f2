"""Fork of a block file: named, found by its time or content, and never one that the content does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from contend.evm.forks import FORKS
from contend.workloads.files.fields import Field, FieldError
from contend.workloads.files.fork_of_block import ORDER, fork_of_block

SHANGHAI = {"timestamp": "0x64800000", "baseFeePerGas": "0x7", "difficulty": "0x0"}
CANCUN = SHANGHAI | {"timestamp": "0x66000000", "excessBlobGas": "0x0"}
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
    ("header", "transaction", "named", "words"),
    [
        (CANCUN, {"type": "0x4", "authorizationList": []}, "Cancun", "of type 4, which blocks have from Prague"),
        (CANCUN, {"authorizationList": []}, "Cancun", "transaction of type 4"),
        (SHANGHAI, BLOBS, "Shanghai", "transaction of type 3, which blocks have from Cancun on"),
        (CANCUN, {}, "Shanghai", "'excessBlobGas', which blocks have from Cancun on"),
        (CANCUN | {"requestsHash": "0x"}, {}, "Cancun", "'requestsHash', which blocks have from Prague on"),
        (CANCUN | {"requestsHash": "0x"}, {}, None, "a block of Prague, and there are rules for Shanghai, Cancun"),
        (CANCUN | {"blockAccessListHash": "0x"}, {}, None, "a block of Amsterdam"),
        (CANCUN, {"type": "0x4", "authorizationList": []}, None, "a block of Prague"),
        (CANCUN, {"type": "0x5"}, "Cancun", "there is no transaction of type 5"),
        (CANCUN, {"type": "0x2", "maxFeePerGas": "0x1", "maxFeePerBlobGas": "0x1"}, None, "type 3 have, not of type 2"),
        (CANCUN, {"type": "0x3"}, None, "'blobVersionedHashes' is missing"),
        (SHANGHAI | {"baseFeePerGas": None}, {}, None, "a fork before London"),
        (SHANGHAI | {"difficulty": "0x1"}, {}, None, "a fork before Paris"),
        (SHANGHAI, {}, "Prague", "unknown fork 'Prague'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    header: dict[str, Any], transaction: dict[str, Any], named: str | None, words: str
) -> None:
    with pytest.raises(FieldError) as caught:
        fork(header, transaction, named=named)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("time", "words"), [(1_681_338_454, "before Shanghai"), (1_746_612_311, "Prague"), (1_764_798_551, "Osaka")]
)
def test_ethereum_s_own_blocks_of_other_forks_are_refused(time: int, words: str) -> None:
    with pytest.raises(FieldError, match=words):
        fork(CANCUN | {"timestamp": hex(time)}, chain=1)
    # Named, a block is executed under those rules, whenever it is from: that is asked for.
    assert fork(CANCUN | {"timestamp": hex(time)}, chain=1, named="cancun") == "Cancun"


def test_a_block_that_has_what_its_time_has_not_is_refused() -> None:
    with pytest.raises(FieldError, match="from Cancun on; this one is executed under Shanghai"):
        fork(SHANGHAI, BLOBS, chain=1)
