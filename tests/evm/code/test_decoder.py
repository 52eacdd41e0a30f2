"""Decoding: bytecode to the stream that runs."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contend.evm import errors
from contend.evm import opcodes as op
from contend.evm.code.decoder import (
    BLOCK_MASK,
    GAS_MASK,
    GROWTH_SHIFT,
    IMMEDIATE_SHIFT,
    NEED_SHIFT,
    PLACE_BITS,
    PLACE_MASK,
    SKIP_SHIFT,
    STACK_MASK,
    decode,
)
from contend.evm.crypto.keccak import keccak256
from contend.evm.forks import CANCUN, LATEST, SHANGHAI
from tests.evm.assembly import assemble, push
from tests.evm.runner import FREE, Runner, free_call, with_code


def stream_of(code: bytes) -> list[tuple[int, int]]:
    """(operation, immediate) of each instruction."""
    return [(int(x) & 0xFF, int(x) >> IMMEDIATE_SHIFT) for x in decode(code).stream]


def blocks_of(code: bytes) -> list[tuple[int, int, int]]:
    """(gas, stack words needed, growth) of each block."""
    words = [int(x) for x in decode(code).basic_blocks[::2]]
    return [(x & GAS_MASK, (x >> NEED_SHIFT) & STACK_MASK, x >> GROWTH_SHIFT) for x in words]


def destinations(code: bytes) -> set[int]:
    """Positions of all JUMPDESTs that are not push data."""
    found, at = set(), 0
    while at < len(code):
        if code[at] == op.JUMPDEST:
            found.add(at)
        at += 1 + (code[at] - op.PUSH0 if op.PUSH0 <= code[at] <= op.PUSH32 else 0)
    return found


BYTES = st.lists(
    st.one_of(
        st.sampled_from([op.JUMPDEST, op.PUSH0 + 1, op.PUSH0 + 2, op.PUSH32, op.JUMP, op.JUMPI, op.STOP, op.PC]),
        st.integers(0, 255),
    ),
    max_size=120,
).map(bytes)


@pytest.mark.bounds
@given(BYTES)
@example(b"")
@example(bytes([op.PUSH32]))
@example(bytes([op.PUSH32]) * 40)
@example(bytes(range(256)))
@example(bytes([op.PUSH0 + 8, 1]) * 30)
def test_any_bytes_decode_to_a_stream_that_ends(code: bytes) -> None:
    decoded = decode(code)
    assert bytes(decoded.code) == code
    assert decoded.hash == keccak256(code)
    assert int(decoded.stream[-1]) == op.STOP
    targets = {at for at in range(len(code)) if decoded.targets[at]}
    assert targets == destinations(code)
    for at in targets:
        assert int(decoded.stream[decoded.targets[at] - 1]) & 0xFF in (op.BASIC_BLOCK, op.JUMPDEST_RUN)
    for position, word in enumerate(decoded.stream):
        operation, immediate = int(word) & 0xFF, int(word) >> IMMEDIATE_SHIFT
        if operation == op.BASIC_BLOCK:
            assert immediate < len(decoded.basic_blocks)
        elif operation == op.JUMPDEST_RUN:
            assert immediate & BLOCK_MASK < len(decoded.basic_blocks)
            assert int(decoded.stream[position + (immediate >> SKIP_SHIFT)]) & 0xFF == op.BASIC_BLOCK
        elif operation == op.PUSH_LARGE:
            assert 4 * immediate + 3 < len(decoded.constants)
        elif operation in (op.JUMP_STATIC, op.JUMPI_STATIC):
            place, skipped = immediate & PLACE_MASK, immediate >> PLACE_BITS
            if immediate:
                assert int(decoded.stream[place - 2]) & 0xFF == op.BASIC_BLOCK
                entered = int(decoded.stream[place - 2 - skipped])
                assert entered & 0xFF == (op.JUMPDEST_RUN if skipped else op.BASIC_BLOCK)
                assert entered >> (IMMEDIATE_SHIFT + SKIP_SHIFT) == skipped


@given(value=st.integers(0, (1 << 256) - 1), width=st.integers(0, 32))
def test_push_of_every_width(value: int, width: int) -> None:
    value %= 1 << (8 * width)
    operation, immediate = stream_of(push(value, width))[1]
    if width <= 7:
        assert (operation, immediate) == (op.PUSH_SMALL, value)
    else:
        assert operation == op.PUSH_LARGE
        words = decode(push(value, width)).constants
        assert sum(int(word) << (64 * i) for i, word in enumerate(words)) == value


@pytest.mark.parametrize("width", range(1, 33))
def test_push_data_cut_off_by_the_end_is_padded_with_zeros(runner: Runner, width: int) -> None:
    # Nothing runs after such a push, so it is seen only in that it costs gas and needs a place on the stack.
    for present in range(width):
        result = runner.run(with_code(bytes([op.PUSH0 + width]) + b"\xff" * present), free_call(), FREE)
        assert (result.status, result.gas_used) == (errors.STATUS_SUCCESS, 21_003)
    full = assemble("PUSH0 " * 1024) + bytes([op.PUSH0 + width])
    assert runner.run(with_code(full), free_call(), FREE).error == "stack overflow"


def test_a_block_sums_prices_and_stack_needs() -> None:
    assert blocks_of(assemble("ADD MUL DUP5 POP POP")) == [(3 + 5 + 3 + 2 + 2, 7, 0)]
    assert blocks_of(assemble("PUSH0 PUSH0 PUSH0 ADD SWAP4")) == [(2 + 2 + 2 + 3 + 3, 3, 3)]
    assert blocks_of(assemble("PUSH0 GAS PUSH0 GAS")) == [(4, 0, 2), (4, 0, 2)]
    assert blocks_of(assemble("PUSH0 JUMPDEST PUSH0")) == [(2, 0, 1), (3, 0, 1)]


def test_what_a_fork_lacks_decodes_to_invalid() -> None:
    code = assemble("PUSH0 TLOAD STOP")
    operations = [[int(x) & 0xFF for x in decode(code, fork).stream] for fork in (CANCUN, SHANGHAI)]
    assert operations == [
        [op.BASIC_BLOCK, op.PUSH_SMALL, op.TLOAD, op.STOP, op.STOP],
        [op.BASIC_BLOCK, op.PUSH_SMALL, op.INVALID, op.STOP],
    ]


def test_what_no_path_reaches_is_dropped() -> None:
    assert stream_of(assemble("STOP ADD MUL JUMPDEST STOP SUB")) == [
        (op.BASIC_BLOCK, 0),
        (op.STOP, 0),
        (op.BASIC_BLOCK, 1),
        (op.STOP, 0),
        (op.STOP, 0),
    ]


def test_a_jump_to_a_constant_is_resolved() -> None:
    stream = stream_of(assemble(4, "JUMP INVALID JUMPDEST STOP"))
    jump = (op.JUMP_STATIC, 4)  # behind the entry to the second basic block
    assert stream == [(op.BASIC_BLOCK, 0), jump, (op.BASIC_BLOCK, 1), (op.STOP, 0), (op.STOP, 0)]


def test_a_run_of_jump_destinations_is_entered_once() -> None:
    code = assemble("JUMPDEST JUMPDEST JUMPDEST PUSH0 STOP")
    assert stream_of(code) == [
        (op.JUMPDEST_RUN, 2 << SKIP_SHIFT | 0),
        (op.JUMPDEST_RUN, 1 << SKIP_SHIFT | 1),
        (op.BASIC_BLOCK, 2),
        (op.PUSH_SMALL, 0),
        (op.STOP, 0),
        (op.STOP, 0),
    ]
    assert blocks_of(code) == [(5, 0, 1), (4, 0, 1), (3, 0, 1)]


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("length", [1, 2, 3, 40])
def test_a_jump_into_a_run_charges_what_is_left_of_it(runner: Runner, length: int, computed: bool) -> None:
    jump = assemble("PUSH0 OR JUMP" if computed else "JUMP")
    for skipped in range(length):
        at = 2 + len(jump) + skipped
        landing = bytes([op.JUMPDEST]) * length + assemble("PC PUSH0 MSTORE", 32, "PUSH0 RETURN")
        code = bytes([op.PUSH1, at]) + jump + landing
        result = runner.run(with_code(code), free_call(), FREE)
        assert int.from_bytes(result.output, "big") == 2 + len(jump) + length
        ahead = 3 + (2 + 3 if computed else 0) + 8
        assert result.gas_used == 21_000 + ahead + (length - skipped) + 2 + 2 + 3 + 3 + 3 + 2


@pytest.mark.parametrize(
    "code",
    [
        assemble(5, "JUMP", push(0x5B), "STOP"),  # into push data
        assemble(1, "JUMP"),
        assemble(200, "JUMP"),
        assemble(push(1 << 64), "JUMP"),
        assemble(push((1 << 64) + 5), "JUMP STOP JUMPDEST"),
        assemble(push((1 << 256) - 1), "JUMP"),
        assemble(1, 2, "JUMPI"),
        assemble(1, "PUSH0 PUSH0 ADD", "JUMPI"),
        assemble("PC JUMP"),
    ],
    ids=bytes.hex,
)
@pytest.mark.parametrize("computed", [False, True])
def test_jumps_to_nowhere_fail(runner: Runner, code: bytes, computed: bool) -> None:
    if computed:
        at = max(code.rfind(bytes([op.JUMP])), code.rfind(bytes([op.JUMPI])))
        code = code[:at] + assemble("PUSH0 OR") + code[at:]
    result = runner.run(with_code(code), free_call(), FREE)
    assert (result.error, result.gas_used) == ("invalid jump", 1_000_000)


def test_a_conditional_jump_to_nowhere_may_stay(runner: Runner) -> None:
    for target in (1, 1 << 200):
        result = runner.run(with_code(assemble("PUSH0", push(target), "JUMPI")), free_call(), FREE)
        assert result.error is None


def test_pc_is_the_position_in_the_bytes(runner: Runner) -> None:
    code = assemble(push(0, 20), push(0, 3), "PC PUSH0 MSTORE", 32, "PUSH0 RETURN")
    assert int.from_bytes(runner.run(with_code(code), free_call(), FREE).output, "big") == 25


def test_the_tables_of_instructions_agree_with_their_names() -> None:
    named = set(op.NAMES)
    assert named == set(LATEST.opcodes)
    assert set(SHANGHAI.opcodes) < named
    assert op.NAMES[op.PUSH0 + 1] == "PUSH1"
    assert op.NAMES[op.SWAP16] == "SWAP16"
    assert {op.BASIC_BLOCK, op.PUSH_LARGE, op.JUMP_STATIC, op.JUMPI_STATIC}.isdisjoint(named)
