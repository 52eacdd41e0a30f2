"""Interpreter: runs a machine until its transaction is done or it needs a location (`evm.vm` has the protocol).

Here is the loop that runs a frame, and the one around it that enters and leaves frames. Instructions are in
`evm.vm.instructions`; `run_frame`'s loop has a branch for each (`evm.vm.dispatch`), so that it is one
compiled function whose registers live in machine registers, with a jump table. Calls are in `evm.vm.call`, and the
first and the last act of a transaction in `evm.vm.transaction`. Strategies call `resume` by address, so it is compiled
once.
"""

from __future__ import annotations

from contend.evm import errors, layout, opcodes
from contend.evm.code import decoder
from contend.evm.layout import BLOCK, CODE, COLD, REGISTERS, WORD_BYTES
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import call_1, call_2, view_u64
from contend.evm.vm.call import CALL_ERROR, CALL_NEEDS, begin_call, end_call, frame_at, undo_frame
from contend.evm.vm.create import begin_create, deploy
from contend.evm.vm.dispatch import instruction_loop
from contend.evm.vm.instructions import (
    account,
    arithmetic,
    bitwise,
    control,
    environment,
    keccak,
    log,
    memory,
    stack,
    storage,
    system,
)
from contend.evm.vm.instructions.operands import CALLS, CONTINUE, REVERTED, STOPPED, SUSPENDED
from contend.evm.vm.precompiles import FUNCTIONS, NOT_COMPUTED, PYTHON, run_precompile
from contend.evm.vm.selfdestruct import selfdestruct
from contend.evm.vm.transaction import CONTINUE as BEGAN
from contend.evm.vm.transaction import begin_transaction, end_transaction, open_machine

INSTRUCTION_FILES = (stack, control, arithmetic, bitwise, memory, keccak, storage, environment, account, log, system)
OPERATION_MASK = U(decoder.OPERATION_MASK)


@kernel(inline=True)
def load_registers(machine, frame, registers):
    """Take the frame's registers up."""
    code = CODE.at(frame.code)
    registers.instruction = U0
    registers.pc = frame.pc
    registers.stack_top = machine.stack + frame.stack_top * WORD_BYTES
    registers.stack_base = machine.stack + frame.stack_base * WORD_BYTES
    registers.gas = frame.gas
    registers.memory = machine.memory + frame.memory_base
    registers.memory_size = frame.memory_size
    registers.code = frame.code
    registers.stream = code.stream
    registers.basic_blocks = code.basic_blocks
    registers.work_ps = U0


@kernel(inline=True)
def save_registers(machine, frame, registers, outcome):
    """Put the frame's registers back; the program counter stays on an instruction that is to run again."""
    gas = max(registers.gas, I(0))
    machine.gas_done += U(frame.gas - gas)
    machine.work_done_ps += registers.work_ps
    frame.pc = registers.pc - 1 if outcome == SUSPENDED else registers.pc
    frame.stack_top = (registers.stack_top - machine.stack) // WORD_BYTES
    frame.memory_size = registers.memory_size
    frame.gas = I(0) if outcome > CONTINUE else gas


@instruction_loop
def run_frame(machine):
    """Run the current frame until it ends, calls, or needs a location: the outcome of its last instruction."""
    frame = frame_at(machine, machine.depth)
    registers = REGISTERS.on_stack()
    load_registers(machine, frame, registers)
    outcome = CONTINUE
    while outcome == CONTINUE:
        registers.instruction = view_u64(registers.stream, registers.pc + 1)[U(registers.pc)]
        registers.pc += 1
        operation = I(registers.instruction & OPERATION_MASK)  # noqa: F841  # what the branches put below compare
        outcome = errors.INVALID_OPCODE
    save_registers(machine, frame, registers, outcome)
    return outcome


@kernel()
def leave_frame(machine):
    """Execute an instruction that makes a frame, or ends this one for good: see `evm.vm.call.begin_call`."""
    operation = machine.operation
    if operation == opcodes.SELFDESTRUCT:
        return selfdestruct(machine)
    if operation == opcodes.CREATE or operation == opcodes.CREATE2:
        return begin_create(machine, operation)
    return begin_call(machine, operation)


@kernel()
def run_machine(address):
    """Run a machine's transaction on: `DONE`, `NEED`, `FAULT`, or `COMPUTE` when a precompiled contract is wanted."""
    machine = open_machine(address)
    if machine.phase <= layout.PHASE_OPEN:
        began = begin_transaction(machine)
        if began != BEGAN:
            return began
    while True:
        frame = frame_at(machine, machine.depth)
        if frame.code == 0:
            error = run_precompile(machine)
            if error == NOT_COMPUTED:
                return errors.COMPUTE
        else:
            outcome = run_frame(machine)
            if outcome == SUSPENDED:
                return errors.NEED
            error = outcome
            if outcome == CALLS:
                called = leave_frame(machine)
                if called == CALL_NEEDS:
                    frame.pc -= 1
                    return errors.NEED
                if called == CALL_ERROR:
                    error = machine.error
                    frame.gas = I(0)
                elif machine.operation == opcodes.SELFDESTRUCT:
                    error = I(errors.NONE)
                    machine.output_size = I(0)
                else:
                    continue
            elif outcome == STOPPED:
                error = I(errors.NONE)
            elif outcome == REVERTED:
                error = I(errors.REVERTED)
        if error == errors.NONE and frame.creates != U0:
            error = deploy(machine)
        if error >= errors.FIRST_FAULT:
            machine.error = error
            return errors.FAULT
        if machine.depth == 0:
            if error != errors.NONE:
                undo_frame(machine, frame)
                if error != errors.REVERTED:
                    machine.output_size = I(0)
            break
        end_call(machine, error)
    machine.phase = I(layout.PHASE_END)
    return end_transaction(machine, error)


@kernel()
def compute_precompile(address):
    """Run the current frame, which is a precompiled contract's, by the function that its number has in the table."""
    machine = open_machine(address)
    functions = view_u64(machine.compute, FUNCTIONS)
    number = frame_at(machine, machine.depth).pc
    if call_1(I(functions[U(number)]), address) != 0:
        call_1(I(functions[PYTHON]), address)


@kernel(inline=True)
def fetch_pending(address):
    """Have the machine's pending location in memory, where something lies behind the state."""
    cold = BLOCK.at(open_machine(address).block).cold
    if cold != 0:
        call_2(COLD.at(cold).fetch, cold, address)


@native("int64(int64)")
def resume(address):
    """Run a machine on, from where it is: `DONE`, `NEED` or `FAULT`. The address of its header in, the reason out.

    Where the interpreter returns for a precompiled contract, the function that computes it is called here, by address,
    and the interpreter goes on. So drivers know locations only, and no cryptography is compiled into the hot loop.

    Likewise, where the location that is needed is not in memory, it is read from what lies behind the state, before the
    driver is asked for it. All drivers come by here, so none of them knows.
    """
    while True:
        outcome = run_machine(address)
        if outcome == errors.NEED:
            fetch_pending(address)
            return outcome
        if outcome != errors.COMPUTE:
            return outcome
        compute_precompile(address)
