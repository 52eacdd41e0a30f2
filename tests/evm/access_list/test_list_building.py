"""A list built in kernels is the one that plain Python assembles, however it is divided, with indices 0 and n + 1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contend.evm import State, layout
from contend.evm.access_list import AccountChanges, encode
from contend.evm.access_list.assembly import assemble
from contend.evm.access_list.building.access_log import IS_READ, IS_TOUCH, IS_WRITE, AccessLog
from contend.evm.access_list.building.builder import ListBuilder, build_list
from contend.evm.block import limbs
from contend.evm.receipts import RECEIPT
from contend.evm.state import location_key, word_to_int

COINBASE, TRANSACTIONS = bytes([0xCB]) * 20, 5
CODES = (b"", b"\1", b"\x80", b"x" * 55, b"y" * 56, b"z" * 300)
READ, WRITE, TOUCH = int(IS_READ), int(IS_READ | IS_WRITE), int(IS_TOUCH)

Location = tuple[bytes, int, int]
# What an index does with a location: its marks, and a word, or which code.
Row = Mapping[Location, tuple[int, int]]

addresses = st.sampled_from([bytes([1]) * 20, bytes([2]) * 20, bytes(19) + b"\4", bytes([255]) * 20, COINBASE])
words = st.sampled_from([0, 1, 127, 128, 255, 256, 2**64, 2**200 + 5, 2**256 - 1]) | st.integers(0, 2**256 - 1)
storage = st.tuples(addresses, st.just(layout.KIND_STORAGE), st.integers(0, 30) | words)
fields = st.tuples(addresses, st.integers(layout.KIND_BALANCE, layout.KIND_CODE), st.just(0))
marks = st.sampled_from([READ, WRITE, WRITE])
rows = st.dictionaries(storage | fields, st.tuples(marks, words), max_size=25)


def logged(found: list[Row], state: State) -> AccessLog:
    log = AccessLog(TRANSACTIONS)
    numbers = [state.codes.add(code) for code in CODES]
    for index, row in enumerate(found):
        keys, kept, values, codes = [], [], [], []
        for (address, kind, slot), (mark, word) in row.items():
            code = numbers[word % len(CODES)]
            if kind == layout.KIND_NONCE:
                word %= 1 << 64
            if kind == layout.KIND_CODE:
                mark |= TOUCH if word & 1 else 0
                word = int.from_bytes(state.codes[code].hash, "big") if CODES[word % len(CODES)] else 0
            keys.append(location_key(address, kind, slot))
            kept.append(mark)
            values.append(limbs(word))
            codes.append(code if kind == layout.KIND_CODE else 0)
        if keys:
            log.note(index, np.array(keys), np.array(kept, np.uint64), np.array(values, np.uint64), codes)
    return log


def both(found: list[Row], fees: list[int], buckets: int) -> tuple[AccountChanges, ...]:
    """Content of the list, once kernels have built what Python assembles."""
    state, balance = State(), 1000
    log = logged(found, state)
    receipts = RECEIPT.zeros(TRANSACTIONS)
    for receipt, fee in zip(receipts, fees, strict=True):
        receipt["fee"] = limbs(fee)
    invalid = [not row for row in found[1:-1]]
    right = assemble(log, state, COINBASE, balance, fees, invalid)
    builder = ListBuilder(log, buckets)
    builder.reset(state, COINBASE, balance, int(receipts.ctypes.data))
    assert build_list(builder) == encode(right)
    right.check(TRANSACTIONS)
    return right.accounts


@pytest.mark.bounds
@given(
    st.lists(rows, min_size=TRANSACTIONS + 2, max_size=TRANSACTIONS + 2),
    st.lists(st.sampled_from([0, 1, 2**70]), min_size=TRANSACTIONS, max_size=TRANSACTIONS),
    st.integers(1, 9),
)
@example([{}] * (TRANSACTIONS + 2), [0] * TRANSACTIONS, 3)
def test_any_log(found: list[Row], fees: list[int], buckets: int) -> None:
    # A transaction without an access is an invalid one, which pays nothing.
    both(found, [fee if row else 0 for fee, row in zip(fees, found[1:-1], strict=True)], buckets)


def test_what_a_block_does_before_and_after_its_transactions() -> None:
    address, paid = bytes([1]) * 20, bytes([2]) * 20
    slot, balance = (address, layout.KIND_STORAGE, 3), (paid, layout.KIND_BALANCE, 0)
    own = (COINBASE, layout.KIND_BALANCE, 0)
    found: list[Row] = [{} for _ in range(TRANSACTIONS + 2)]
    found[0] = {slot: (WRITE, 7)}
    found[2] = {slot: (READ, 0)}
    found[-1] = {balance: (WRITE, 9), own: (WRITE, 5000)}
    first, second, beneficiary = both(found, [0, 4, 0, 0, 0], 1)
    assert first.storage_changes == ((3, ((0, 7),)),)
    assert second.balance_changes == ((TRANSACTIONS + 1, 9),)
    assert beneficiary.balance_changes == ((2, 1004), (TRANSACTIONS + 1, 5000))


def test_a_withdrawal_to_the_beneficiary_names_it_without_a_transaction() -> None:
    found: list[Row] = [{} for _ in range(TRANSACTIONS + 2)]
    found[-1] = {(COINBASE, layout.KIND_BALANCE, 0): (WRITE, 1001)}
    (beneficiary,) = both(found, [0] * TRANSACTIONS, 1)
    assert beneficiary.balance_changes == ((TRANSACTIONS + 1, 1001),)


@pytest.mark.parametrize("buckets", [1, 2, 7, 64])
def test_a_hot_account_lies_in_many_buckets(buckets: int) -> None:
    hot = bytes([7]) * 20
    generator = np.random.default_rng(buckets)
    found: list[Row] = [{}]
    for _ in range(TRANSACTIONS):
        slots = generator.integers(0, 400, 300).tolist()
        row = {(hot, layout.KIND_STORAGE, slot): (WRITE if slot % 3 else READ, slot + 1) for slot in slots}
        found.append(row | {(hot, layout.KIND_CODE, 0): (WRITE, 4), (hot, layout.KIND_NONCE, 0): (WRITE, 9)})
    found.append({})
    account, beneficiary = both(found, [1] * TRANSACTIONS, buckets)
    assert len(account.storage_changes) + len(account.storage_reads) > 350
    assert len(beneficiary.balance_changes) == TRANSACTIONS


def test_records_come_back_out_of_the_log() -> None:
    state = State()
    address = bytes([1]) * 20
    log = logged([{}, {(address, layout.KIND_STORAGE, 3): (WRITE, 8)}, *([{}] * TRANSACTIONS)], state)
    keys, found_marks, found, indices = log.records()
    assert (keys == location_key(address, layout.KIND_STORAGE, 3)).all()
    assert (int(found_marks[0]), word_to_int(found[0]), int(indices[0])) == (WRITE, 8, 1)
