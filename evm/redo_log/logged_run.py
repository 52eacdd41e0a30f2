"""Logged run: the interpreter (`evm.interpreter`), with a redo log kept of what it does.

The loop is compiled a second time, with branches that look at numbers (`evm.redo_log.branches`); the one around it does
what that of the interpreter does, and logs what happens at frames' ends.
"""

from __future__ import annotations

from contend.evm import errors, layout, opcodes
from contend.evm.interpreter import (
    INSTRUCTION_FILES,
    OPERATION_MASK,
    compute_precompile,
    fetch_pending,
    leave_frame,
    load_registers,
    save_registers,
)
from contend.evm.layout import REGISTERS
from contend.evm.redo_log.around_frames import (
    log_beginning,
    log_call,
    log_of,
    log_refund,
    log_return,
    pin_call,
    sender_balance,
    undo_log,
    value_of_call,
)
from contend.evm.redo_log.branches import LOGGED
from contend.evm.redo_log.numbers import clear_numbers, pin_bytes
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_u64
from contend.evm.vm.call import CALL_ERROR, CALL_NEEDS, end_call, frame_at, undo_frame
from contend.evm.vm.create import deploy
from contend.evm.vm.dispatch import instruction_loop_with
from contend.evm.vm.instructions.operands import CALLS, CONTINUE, REVERTED, STOPPED, SUSPENDED
from contend.evm.vm.precompiles import NOT_COMPUTED, run_precompile
from contend.evm.vm.transaction import CONTINUE as BEGAN
from contend.evm.vm.transaction import begin_transaction, end_transaction, open_machine

assert INSTRUCTION_FILES  # whose import enters them in the table of instructions


@instruction_loop_with(LOGGED)
def run_logged_frame(machine):
    """As `evm.interpreter.run_frame`, logged."""
    frame = frame_at(machine, machine.depth)
    log = log_of(machine)
    numbers = log.numbers  # noqa: F841  # of the branches below
    registers = REGISTERS.on_stack()
    load_registers(machine, frame, registers)
    outcome = CONTINUE
    while outcome == CONTINUE:
        registers.instruction = view_u64(registers.stream, registers.pc + 1)[U(registers.pc)]
        registers.pc += 1
        operation = I(registers.instruction & OPERATION_MASK)  # noqa: F841  # what the branches compare
        outcome = errors.INVALID_OPCODE
    save_registers(machine, frame, registers, outcome)
    return outcome


@kernel()
def _end_logged(machine, error):
    before = sender_balance(machine)
    ended = end_transaction(machine, error)
    log_refund(machine, before)
    return ended


@kernel()
def _call_logged(machine):
    """As `evm.interpreter.leave_frame`, logged."""
    operation, depth = machine.operation, machine.depth
    pin_call(machine, operation)
    size = frame_at(machine, depth).memory_size
    value, target = value_of_call(machine, operation)
    called = leave_frame(machine)
    if called != CALL_NEEDS:
        log_call(machine, depth, size, operation, value, target, called)
    return called


@kernel()
def _run_precompile_logged(machine):
    error = run_precompile(machine)
    if error != NOT_COMPUTED:
        log, frame = log_of(machine), frame_at(machine, machine.depth)
        if machine.depth > 0:
            pin_bytes(log, frame.calldata, frame.calldata_size)
        clear_numbers(log.numbers, machine.output, machine.output_size)
    return error


@kernel()
def run_logged_machine(address):
    """As `evm.interpreter.run_machine`, logged."""
    machine = open_machine(address)
    if machine.phase <= layout.PHASE_OPEN:
        began = begin_transaction(machine)
        if began == BEGAN:
            log_beginning(machine)
        else:
            if began == errors.DONE:
                log_of(machine).broken = U1
            return began
    while True:
        depth = machine.depth
        frame = frame_at(machine, depth)
        if frame.code == 0:
            error = _run_precompile_logged(machine)
            if error == NOT_COMPUTED:
                return errors.COMPUTE
        else:
            outcome = run_logged_frame(machine)
            if outcome == SUSPENDED:
                return errors.NEED
            error = outcome
            if outcome == CALLS:
                called = _call_logged(machine)
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
        if error != errors.NONE:
            undo_log(machine, frame)
        if machine.depth == 0:
            if error != errors.NONE:
                undo_frame(machine, frame)
                if error != errors.REVERTED:
                    machine.output_size = I(0)
            break
        end_call(machine, error)
        log_return(machine, machine.depth, error)
    machine.phase = I(layout.PHASE_END)
    return _end_logged(machine, error)


@native("int64(int64)")
def resume_logged(address):
    """As `evm.interpreter.resume`, logged; of a machine that has a log (`evm.redo_log.log_memory`)."""
    while True:
        outcome = run_logged_machine(address)
        if outcome == errors.NEED:
            fetch_pending(address)
            return outcome
        if outcome != errors.COMPUTE:
            return outcome
        compute_precompile(address)
