"""Access lists (EIP-2930), blob transactions (EIP-4844), the block's gas limit, and rules by fork."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contend.evm import Block, Environment, Transaction, errors
from contend.evm.forks import BLOB_GAS, FORKS, fork_named
from tests.evm.assembly import RETURN_TOP, assemble, call, push
from tests.evm.runner import CONTRACT, FREE, SENDER, Account, Runner, free_call, make_state, with_code

OTHER = bytes.fromhex("0e" * 20)
LISTED = ((CONTRACT, (0, 1 << 255)), (OTHER, ()))
BLOBS = (b"\1" + bytes(31), b"\1" + bytes(30) + b"\7")
PRICED = Environment(base_fee=7, blob_base_fee=11)


@pytest.mark.bounds
def test_an_access_list_is_paid_for_and_warms(runner: Runner) -> None:
    look = assemble("PUSH0 SLOAD POP", 1 << 255, "SLOAD POP", 1, "SLOAD POP")
    code = look + assemble(push(int.from_bytes(OTHER, "big"), 20), "BALANCE POP STOP")
    plain = runner.run(with_code(code), free_call(), FREE)
    listed = runner.run(with_code(code), replace(free_call(), access_list=LISTED), FREE)
    assert listed.gas_used - plain.gas_used == 2 * 2400 + 2 * 1900 - 2 * 2000 - 2500


@pytest.mark.bounds
def test_a_listed_slot_needs_gas_for_a_warm_access_only(runner: Runner) -> None:
    code = assemble("PUSH0 SLOAD STOP")
    intrinsic = 21_000 + 2 * 2400 + 2 * 1900
    for gas, error in ((102, None), (101, "out of gas")):
        transaction = replace(free_call(gas_limit=intrinsic + gas), access_list=LISTED)
        assert runner.run(with_code(code), transaction, FREE).error == error


def test_a_list_may_name_the_same_twice_and_is_paid_twice(runner: Runner) -> None:
    once = runner.run(with_code(b""), replace(free_call(), access_list=LISTED), FREE)
    twice = runner.run(with_code(b""), replace(free_call(), access_list=LISTED + LISTED), FREE)
    assert twice.gas_used - once.gas_used == 2 * 2400 + 2 * 1900


def test_what_a_list_warms_stays_warm_after_a_revert(runner: Runner) -> None:
    world = with_code(call("CALL", OTHER) + assemble("POP") + call("CALL", OTHER) + RETURN_TOP)
    world[OTHER] = Account(0, 1, assemble("PUSH0 SLOAD PUSH0 PUSH0 REVERT"))
    listed = replace(free_call(), access_list=((OTHER, (0,)),))
    plain, warm = runner.run(world, free_call(), FREE), runner.run(world, listed, FREE)
    # Unlisted, the slot is cold again after each revert.
    assert plain.gas_used - warm.gas_used == 2 * 2000 + 2500 - 2400 - 1900


def blobs(hashes: tuple[bytes, ...] = BLOBS, fee: int = 20) -> Transaction:
    return Transaction(SENDER, CONTRACT, 0, 100_000, 0, b"\1\2\3", 20, 3, (), hashes, fee)


@pytest.mark.bounds
def test_blob_hashes_can_be_read(runner: Runner) -> None:
    for place, expected in ((0, BLOBS[0]), (1, BLOBS[1]), (2, bytes(32)), (1 << 64, bytes(32))):
        code = assemble(place, "BLOBHASH") + RETURN_TOP
        listed = replace(blobs(), access_list=LISTED)
        assert runner.run(with_code(code), listed, PRICED).output == expected
    assert runner.run(with_code(assemble("PUSH0 BLOBHASH") + RETURN_TOP), free_call(), FREE).output == bytes(32)


def test_the_blob_fee_is_burned(runner: Runner) -> None:
    world = with_code(b"")
    result = runner.run(world, blobs(), PRICED)
    paid = world[SENDER].balance - result.state.balance(SENDER)
    assert paid == result.gas_used * 10 + 2 * BLOB_GAS * 11
    assert result.state.balance(PRICED.coinbase) == result.gas_used * 3


@pytest.mark.bounds
@pytest.mark.parametrize(
    ("transaction", "environment", "error"),
    [
        (blobs(()), PRICED, "number of blobs"),
        (blobs(BLOBS * 4), PRICED, "number of blobs"),
        (blobs((b"\2" + bytes(31),)), PRICED, "blob version"),
        (blobs(fee=10), PRICED, "max blob fee below blob base fee"),
        (replace(blobs(), to=None), PRICED, "blob transaction creates a contract"),
        (blobs(), replace(PRICED, fork="Shanghai"), "transaction type before its fork"),
        (blobs(fee=1 << 255), PRICED, "insufficient funds"),
        (blobs(fee=10**24), PRICED, "insufficient funds"),
        (replace(free_call(), gas_limit=30_001), replace(FREE, gas_limit=30_000), "gas limit above the block's"),
        (replace(free_call(), gas_limit=1001), replace(FREE, gas_limit=1000), "gas limit below intrinsic gas"),
    ],
)
def test_what_no_block_may_hold(runner: Runner, transaction: Transaction, environment: Environment, error: str) -> None:
    result = runner.run(with_code(b""), transaction, environment)
    assert (result.status, result.error) == (errors.STATUS_INVALID, error)
    assert not result.changes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"access_list": ((b"\1", ()),)}, "access_list has 1 bytes"),
        ({"access_list": ((OTHER, (1 << 256,)),)}, "access_list names a slot"),
        ({"blob_hashes": (b"\1",)}, "a blob hash has 1 bytes"),
        ({"max_blob_fee": -1}, "max_blob_fee"),
    ],
)
def test_what_no_transaction_can_hold(runner: Runner, change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=f"transaction 0: {words}"):
        runner.run(with_code(b""), replace(free_call(), **change), FREE)  # type: ignore[arg-type]  # on purpose


def test_the_blob_base_fee_follows_the_excess() -> None:
    # From EIP-4844's fake_exponential, and go-ethereum's tests of it.
    fork = FORKS["Cancun"]
    for excess, fee in ((0, 1), (2_314_057, 1), (2_314_058, 2), (10 * 1024 * 1024, 23)):
        assert fork.blob_base_fee(excess) == fee
    assert FORKS["Shanghai"].blob_base_fee(10**9) == 0


@pytest.mark.bounds
@pytest.mark.parametrize(
    "code",
    [
        assemble("PUSH0 TLOAD STOP"),
        assemble("PUSH0 PUSH0 TSTORE STOP"),
        assemble("PUSH0 PUSH0 PUSH0 MCOPY STOP"),
        assemble("PUSH0 BLOBHASH STOP"),
        assemble("BLOBBASEFEE STOP"),
    ],
)
def test_shanghai_lacks_what_cancun_brought(runner: Runner, code: bytes) -> None:
    assert runner.run(with_code(code), free_call(), FREE).error is None
    assert runner.run(with_code(code), free_call(), replace(FREE, fork="Shanghai")).error == "invalid opcode"


def test_one_state_runs_its_codes_under_both_forks(runner: Runner) -> None:
    # The code directory is the state's: what one fork decoded must not run under the other.
    state = make_state(with_code(assemble(1, "PUSH0 PUSH0 MCOPY STOP")))
    for fork, error in (
        ("Cancun", None),
        ("Shanghai", "invalid opcode"),
        ("Cancun", None),
        ("Shanghai", "invalid opcode"),
    ):
        block = Block(replace(FREE, fork=fork), (free_call(nonce=state.nonce(SENDER)),))
        assert runner.run_block(state, block).error == error
    # Decoded once for each fork, whatever the number of blocks.
    assert [code.code for code in map(state.codes.__getitem__, range(len(state.codes)))].count(
        state.code(CONTRACT)
    ) == 2


def test_init_code_is_decoded_by_the_blocks_fork(runner: Runner) -> None:
    creation = replace(free_call(), to=None, data=assemble("PUSH0 TLOAD STOP"))
    for fork, error in (("Cancun", None), ("Shanghai", "invalid opcode")):
        assert runner.run(with_code(b""), creation, replace(FREE, fork=fork)).error == error


def test_a_fork_is_found_in_any_case_or_named() -> None:
    assert fork_named("cancun") is FORKS["Cancun"]
    with pytest.raises(ValueError, match="unknown fork 'Frontier'; known are Berlin, London, Paris, Shanghai, Cancun"):
        fork_named("Frontier")
