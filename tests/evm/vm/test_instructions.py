"""Instructions one at a time, each called alone on a machine made by hand; and the loop that is made of them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from contend.evm import Block, State, errors
from contend.evm import interpreter as found
from contend.evm import opcodes as op
from contend.evm.block import limbs
from contend.evm.block_image import BlockImage
from contend.evm.forks import LATEST
from contend.evm.layout import BASIC_BLOCK, FRAME, MACHINE, REGISTERS, WORD
from contend.evm.state import word_to_int
from contend.evm.vm import dispatch
from contend.evm.vm.access_table import supply_word
from contend.evm.vm.instructions import arithmetic, bitwise, control, memory, stack, storage
from contend.evm.vm.instructions.operands import CONTINUE, STOPPED, SUSPENDED
from contend.evm.vm.machine import Machine
from contend.evm.vm.transaction import start_transaction
from tests.evm.runner import FREE, free_call

ALL_ONES = (1 << 256) - 1


@dataclass
class Hand:
    """A machine with one frame, its registers, and what keeps them alive."""

    machine: Machine
    image: BlockImage
    state: State
    registers: Any

    @property
    def arguments(self) -> tuple[Any, Any, Any]:
        """What an instruction takes."""
        return (
            MACHINE.ref(self.machine.address),
            FRAME.ref(self.machine._frames.ctypes.data),
            REGISTERS.ref(self.registers.ctypes.data),
        )

    @property
    def words(self) -> list[int]:
        """The stack, its top first."""
        base, top = (int(self.registers[name][0]) for name in ("stack_base", "stack_top"))
        return (
            [word_to_int(row["value"]) for row in WORD.array_at(base, (top - base) // 32)][::-1] if top > base else []
        )

    @property
    def gas(self) -> int:
        return int(self.registers["gas"][0])


def hand(*words: int, gas: int = 100_000, immediate: int = 0) -> Hand:
    """A machine with these words on the stack, the top first."""
    state, image = State(), BlockImage(Block(FREE, (free_call(),)))
    machine, registers = Machine(image.address, state.codes.address), REGISTERS.zeros()
    start_transaction(MACHINE.ref(machine.address), 0)
    registers["instruction"] = immediate << 8
    registers["gas"] = gas
    base = int(machine.header["stack"])
    registers["stack_base"], registers["stack_top"] = base, base + 32 * len(words)
    registers["memory"] = machine.header["memory"]
    for row, word in zip(WORD.array_at(base, max(len(words), 1)), reversed(words), strict=False):
        row["value"] = limbs(word)
    return Hand(machine, image, state, registers)


@pytest.mark.parametrize(
    ("instruction", "before", "after"),
    [
        (arithmetic.add, (ALL_ONES, 2), [1]),
        (arithmetic.exp, (3, 5), [243]),
        (bitwise.lt, (1, 2), [1]),
        (bitwise.sar, (4, ALL_ONES - 255), [ALL_ONES - 15]),
        (stack.pop, (7, 8), [8]),
    ],
)
def test_an_instruction_takes_words_and_gives_one(instruction: Any, before: tuple[int, ...], after: list[int]) -> None:
    made = hand(*before)
    assert instruction(*made.arguments) == CONTINUE
    assert made.words == after


def test_immediates_come_with_the_instruction() -> None:
    made = hand(immediate=77)
    assert stack.push_small(*made.arguments) == CONTINUE
    assert made.words == [77]
    made = hand(1, 2, 3, immediate=2)
    assert stack.swap(*made.arguments) == CONTINUE
    assert made.words == [3, 2, 1]
    assert stack.dup(*made.arguments) == CONTINUE
    assert made.words == [2, 3, 2, 1]


def test_memory_grows_for_its_gas_and_keeps_the_first_byte_first() -> None:
    made = hand(64, 0x1234)
    assert memory.mstore(*made.arguments) == CONTINUE
    assert (made.words, 100_000 - made.gas, int(made.registers["memory_size"][0])) == ([], 9, 96)
    assert made.machine._memory[64:96].tobytes() == (0x1234).to_bytes(32, "big")
    poor = hand(64, 1, gas=8)
    assert memory.mstore(*poor.arguments) == errors.OUT_OF_GAS


def test_a_jump_enters_a_basic_block_and_goes_one_before_its_immediate_or_nowhere() -> None:
    made, stream, blocks = hand(immediate=6), np.zeros(6, np.uint64), BASIC_BLOCK.zeros(2)
    stream[4] = op.BASIC_BLOCK | 1 << 8
    blocks["requirement"] = [0, 12]
    made.registers["stream"], made.registers["basic_blocks"] = stream.ctypes.data, blocks.ctypes.data
    assert control.jump_static(*made.arguments) == CONTINUE
    assert (int(made.registers["pc"][0]), 100_000 - made.gas) == (5, 12)
    assert control.jump_static(*hand(immediate=0).arguments) == errors.INVALID_JUMP
    assert control.stop(*hand().arguments) == STOPPED


def test_sload_suspends_until_its_word_is_supplied_and_is_cold_once() -> None:
    made = hand(5)
    for _ in range(2):
        assert storage.sload(*made.arguments) == SUSPENDED
        assert (made.words, made.gas) == ([5], 100_000), "it changes nothing before it has all it needs"
    supply_word(made.arguments[0], 3, tuple(np.uint64(limb) for limb in limbs(99)))
    assert storage.sload(*made.arguments) == CONTINUE
    assert (made.words, 100_000 - made.gas) == ([99], 2100)
    again = hand(5)
    again.machine, again.image, again.state = made.machine, made.image, made.state
    again.registers["stack_base"], again.registers["stack_top"] = (
        made.registers[x] for x in ("stack_base", "stack_top")
    )
    WORD.array_at(int(made.registers["stack_base"][0]))["value"] = limbs(5)
    assert storage.sload(*again.arguments) == CONTINUE
    assert (again.words, 100_000 - again.gas) == ([99], 100)


def test_sstore_refuses_the_call_stipend_and_static_frames() -> None:
    assert storage.sstore(*hand(1, 2, gas=2300).arguments) == errors.OUT_OF_GAS
    made = hand(1, 2)
    made.machine._frames["static"][0] = 1
    assert storage.sstore(*made.arguments) == errors.STATIC_VIOLATION


# The loop.


def test_the_loop_has_every_instruction_of_the_latest_fork() -> None:
    numbers = set(dispatch.table())
    decoded = {op.PUSH_SMALL, op.PUSH_LARGE, op.DUP, op.SWAP, op.LOG, op.BASIC_BLOCK, op.JUMP_STATIC, op.JUMPI_STATIC}
    decoded.add(op.JUMPDEST_RUN)
    written_out = {*range(op.PUSH0, op.PUSH32 + 1), *range(op.DUP1, op.SWAP16 + 1), *range(op.LOG0, op.LOG4 + 1)}
    assert numbers == (set(LATEST.opcodes) - written_out - {op.PC, op.JUMPDEST, op.INVALID}) | decoded


def test_the_text_of_the_loop_can_be_looked_at() -> None:
    text = inspect.getsource(found.run_frame.py_func)
    assert f"operation == {op.SLOAD}:\n            outcome = execute_sload(machine, frame, registers)" in text


def test_what_is_no_instruction_is_refused() -> None:
    with pytest.raises(TypeError, match="an instruction takes machine, frame, registers"):
        dispatch.instruction(0x0C)(lambda machine: 0)
    with pytest.raises(TypeError, match="another function has its name, or one of its numbers"):
        dispatch.instruction(op.ADD)(lambda machine, frame, registers: 0)
