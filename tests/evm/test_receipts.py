"""Receipts: written by kernels, read by everyone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.evm import Block, Log, Receipts, errors
from contend.evm import opcodes as op
from contend.evm.layout import MACHINE
from contend.evm.receipts import RECEIPT, RECEIPT_ARENA, ReceiptTable, write_receipt
from tests.evm.runner import CONTRACT, FREE, Runner, free_call, make_state, with_code

TOPIC = (1 << 255) + 7


def push(value: int, width: int = 32) -> bytes:
    return bytes([op.PUSH0 + width]) + value.to_bytes(width, "big")


def logs_then_returns(logs: list[tuple[int, int]], output: int) -> bytes:
    """Code that copies its call data, logs parts of it with some topics, and returns its beginning."""
    code = bytes([op.CALLDATASIZE, op.PUSH0, op.PUSH0, op.CALLDATACOPY])
    for topics, size in logs:
        for topic in range(topics):
            code += push(TOPIC + topic)
        code += push(size, 2) + bytes([op.PUSH0, op.LOG0 + topics])
    return code + push(output, 2) + bytes([op.PUSH0, op.RETURN])


DATA = bytes(range(1, 201))


@pytest.mark.bounds
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 200)), max_size=6), st.integers(0, 200))
def test_logs_and_output_of_any_size_come_back(runner: Runner, logs: list[tuple[int, int]], output: int) -> None:
    result = runner.run(with_code(logs_then_returns(logs, output)), free_call(data=DATA), FREE)
    expected = [
        Log(CONTRACT, tuple(TOPIC + topic for topic in reversed(range(topics))), DATA[:size]) for topics, size in logs
    ]
    assert result.logs == expected
    assert result.output == DATA[:output]


@pytest.fixture(scope="module")
def receipts() -> Receipts:
    """Of five transactions: logs and output, nothing, a revert with data, an invalid one, logs."""
    code = bytes([op.CALLDATASIZE, op.PUSH0, op.PUSH0, op.CALLDATACOPY, op.CALLDATASIZE, op.PUSH0, op.LOG0])
    code += bytes([op.CALLDATASIZE, op.PUSH0, op.PUSH0 + 1, 5, op.CALLDATASIZE, op.LT])
    code += bytes([op.PUSH0 + 1, len(code) + 4, op.JUMPI, op.REVERT, op.JUMPDEST, op.RETURN])
    block = [
        free_call(data=b"abc", nonce=0),
        free_call(data=b"", nonce=1),
        free_call(data=b"x" * 33, nonce=2),
        free_call(data=b"", nonce=9),
        free_call(data=b"yz", nonce=3),
    ]
    return Runner().run(with_code(code), block, FREE).receipts


def test_the_block_is_what_the_fixture_says(receipts: Receipts) -> None:
    assert receipts.status.tolist() == [1, 1, 0, 2, 1]
    assert [receipts.output(i) for i in range(5)] == [b"abc", b"", b"x" * 33, b"", b"yz"]
    assert [[log.data for log in receipts.logs(i)] for i in range(5)] == [[b"abc"], [b""], [], [], [b"yz"]]
    assert receipts.error(2) == "reverted"


def altered(receipts: Receipts, **fields: Any) -> Receipts:
    values = {
        name: getattr(receipts, name).copy() for name in ("status", "error_codes", "gas_used", "payload", "starts")
    }
    return Receipts(**{**values, **fields})


def test_differences_name_transaction_and_field(receipts: Receipts) -> None:
    assert list(receipts.differences(altered(receipts))) == []
    status, gas, payload = receipts.status.copy(), receipts.gas_used.copy(), receipts.payload.copy()
    status[1], gas[3] = 0, 5
    payload[int(receipts.starts[0, 0]) + 32] ^= 1
    payload[int(receipts.starts[2, 1])] ^= 1
    wrong = altered(receipts, status=status, gas_used=gas, payload=payload)
    assert list(receipts.differences(wrong)) == [(0, "logs"), (1, "status"), (2, "output"), (3, "gas_used")]
    assert wrong.digest != receipts.digest


def test_differences_name_what_is_missing(receipts: Receipts) -> None:
    shorter = receipts.reordered(np.arange(3))
    assert list(receipts.differences(shorter)) == [(3, "missing"), (4, "missing")]
    assert list(shorter.differences(receipts)) == [(3, "missing"), (4, "missing")]


@given(order=st.permutations(range(5)))
def test_reordering_moves_whole_receipts(receipts: Receipts, order: list[int]) -> None:
    places: npt.NDArray[np.int64] = np.array(order)
    moved = receipts.reordered(places)
    for now, before in enumerate(order):
        assert moved.status[now] == receipts.status[before]
        assert moved.error(now) == receipts.error(before)
        assert moved.gas_used[now] == receipts.gas_used[before]
        assert moved.logs(now) == receipts.logs(before)
        assert moved.output(now) == receipts.output(before)
    back = moved.reordered(np.argsort(places))
    assert back.digest == receipts.digest
    assert (moved.digest == receipts.digest) is (order == sorted(order))


def test_no_receipts_have_a_digest_too() -> None:
    table = ReceiptTable(1, 64)
    table.reset(0)
    empty = table.collect(0)
    assert len(empty) == 0
    assert empty.reordered(np.zeros(0, np.int64)).digest == empty.digest


@pytest.mark.bounds
def test_a_payload_that_fits_reuses_its_place() -> None:
    # A later incarnation overwrites what the one before wrote; only a larger payload takes new room.
    table, used = ReceiptTable(1, 1 << 8), list[int]()
    table.reset(1)
    machine = MACHINE.zeros()
    for size in (40, 8, 39, 41, 16):
        output = np.frombuffer(DATA[:size], np.uint8)
        machine["output"], machine["output_size"] = output.ctypes.data, size
        receipt, arena = RECEIPT.ref(table.address), RECEIPT_ARENA.ref(table.arena_address(0))
        assert write_receipt(MACHINE.ref(machine.ctypes.data), receipt, arena)
        used.append(int(table.arenas["used"][0]))
        assert table.collect(1).output(0) == DATA[:size]
    assert used == [40, 40, 40, 88, 88]


def test_a_full_arena_is_a_fault() -> None:
    small = Runner()
    small._table = ReceiptTable(1, 32)
    state = make_state(with_code(logs_then_returns([], 33)))
    with pytest.raises(AssertionError, match="driver fault -3"):
        small.run_block(state, Block(FREE, (free_call(data=DATA),)))


def test_every_error_has_a_name() -> None:
    assert errors.describe(errors.NONE) is None
    names = [errors.describe(code) for code in range(1, errors.PRECOMPILE_FAULT + 1)]
    assert all(names)
    assert len(set(names)) == len(names)
