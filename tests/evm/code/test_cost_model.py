"""Work is counted by class: as often as an instruction executes, and as much as its operands ask for."""

from __future__ import annotations

import numpy as np
import pytest
from assembler import assemble

from contend.evm import Block
from contend.evm.code import cost_model
from contend.evm.state import State
from tests.evm.runner import FREE, Runner, free_call, make_state, with_code

LOOP = "10 loop: 1 SWAP1 SUB DUP1 :loop JUMPI STOP"


def work(source: str, data: bytes = b"") -> dict[str, int]:
    """How much of each class a call of this program is, from a run for each class with a price of one."""
    runner, found = Runner(), {}
    state: State = make_state(with_code(assemble(source)))
    for number, name in enumerate(cost_model.CLASSES):
        table = np.zeros(cost_model.COUNT, np.uint64)
        table[number] = 1
        copy = state.copy()
        copy.codes.set_cost_model(table)
        if runner.machine is not None:
            runner.machine.header["work_done_ps"] = 0
        runner.run_block(copy, Block(FREE, (free_call(data=data),)))
        assert runner.machine is not None
        found[name] = int(runner.machine.header["work_done_ps"])
    return found


def test_a_loop_counts_each_round() -> None:
    found = work(LOOP)
    # Before the loop one PUSH; in it PUSH, SWAP, DUP, SUB and a jump whose target is part of it.
    assert found["stack"] == 1 + 10 * 3
    assert found["arithmetic"] == 10
    assert found["jump"] == 10 + 1  # and the STOP
    assert found["block"] == 1 + 10 + 1
    assert found["transaction"] == 1


def test_a_run_of_jump_destinations_is_one_entry_wherever_it_is_entered() -> None:
    for source in ("JUMPDEST JUMPDEST JUMPDEST 1 POP STOP", "3 JUMP JUMPDEST JUMPDEST JUMPDEST 1 POP STOP"):
        found = work(source)
        entries = 1 + ("JUMP " in source)
        assert (found["block"], found["stack"]) == (entries, 2)


@pytest.mark.parametrize(
    ("source", "name", "amount"),
    [
        ("2 3 EXP POP STOP", "exponent_byte", 1),
        ("256 3 EXP POP STOP", "exponent_byte", 2),
        ("0 0 KECCAK256 POP STOP", "hash_block", 1),
        ("135 0 KECCAK256 POP STOP", "hash_block", 1),
        ("136 0 KECCAK256 POP STOP", "hash_block", 2),
        ("1 64 MSTORE STOP", "expansion_word", 3),
        ("65 0 0 CALLDATACOPY STOP", "copy_word", 3),
        ("0 SLOAD 0 SLOAD POP POP STOP", "storage_load", 2),
        ("1 0 SSTORE STOP", "storage_store", 1),
        ("1 0 SSTORE STOP", "state_write", 2),  # the slot and the sender's nonce: gas is free here
        ("1 0 TSTORE 0 TLOAD POP STOP", "transient", 2),
        ("64 0 LOG0 STOP", "copy_word", 2),
        ("3 2 MUL POP STOP", "multiply", 1),
        ("5 3 2 MULMOD POP STOP", "modular", 1),
        ("ADDRESS BALANCE POP STOP", "account", 1),
    ],
)
def test_what_depends_on_operands(source: str, name: str, amount: int) -> None:
    assert work(source)[name] == amount


def test_call_data_is_counted_by_the_byte() -> None:
    assert work("STOP", b"\1" * 77)["calldata_byte"] == 77


def test_nothing_is_counted_without_a_cost_model() -> None:
    runner = Runner()
    runner.run_block(make_state(with_code(assemble(LOOP))), Block(FREE, (free_call(),)))
    assert runner.machine is not None
    assert int(runner.machine.header["work_done_ps"]) == 0


def test_code_that_is_added_later_has_prices_too() -> None:
    state = make_state(with_code(assemble("STOP")))
    table = np.full(cost_model.COUNT, 3, np.uint64)
    state.codes.set_cost_model(table)
    number = state.codes.add(assemble("1 2 ADD POP STOP"))
    # Block, two pushes, ADD, POP and STOP.
    assert state.codes.basic_blocks(number)["work_ps"][0] == 3 * 6


def test_every_instruction_has_a_class() -> None:
    assert cost_model.CLASS_OF.min() >= 0
    assert cost_model.CLASS_OF.max() < cost_model.COUNT
