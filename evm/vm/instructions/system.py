"""System: calls, creations and SELFDESTRUCT. They work on the machine's memory, outside the interpreter's loop."""

from __future__ import annotations

from evm import opcodes as op
from evm.integers import I
from evm.vm.dispatch import instruction
from evm.vm.instructions.operands import CALLS


@instruction(op.CALL, op.CALLCODE, op.DELEGATECALL, op.STATICCALL, op.CREATE, op.CREATE2, op.SELFDESTRUCT)
def leave_frame(machine, frame, registers):
    """Leave the loop, for `evm.frames.begin_call`, `evm.creation.begin_create` or `evm.destruction.selfdestruct`."""
    machine.operation = I(registers.instruction)
    return CALLS
