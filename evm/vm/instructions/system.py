"""System: calls, creations and SELFDESTRUCT. They work on the machine's memory, outside the interpreter's loop."""

from __future__ import annotations

from contend.evm import opcodes as op
from contend.evm.runtime.integers import I
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.instructions.operands import CALLS


@instruction(op.CALL, op.CALLCODE, op.DELEGATECALL, op.STATICCALL, op.CREATE, op.CREATE2, op.SELFDESTRUCT)
def leave_frame(machine, frame, registers):
    """Leave the loop, for `begin_call` (`evm.vm.call`), `begin_create` (`evm.vm.create`) or `selfdestruct`."""
    machine.operation = I(registers.instruction)
    return CALLS
