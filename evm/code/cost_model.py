"""Cost model: classes of work that the interpreter does, and how much of each an instruction is, in picoseconds.

Under a virtual clock an execution takes as long as a table says: picoseconds for each class. A code directory holds
the table (`CodeDirectory.set_cost_model`). The constant part of a basic block's work is summed once and added where the
basic block begins, just as its gas is; what depends on operands is added where it is known. Without a table all costs
are zero and the machine's counter of work stays where it is.

Gas will not do for this: it is what a network charges for what it must store and transmit. Writing a slot takes five
thousand times the gas of an addition, and some fifteen times the time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contend.evm import opcodes as op
from contend.evm.code.decoder import block_of, skip_of
from contend.evm.layout import CODE_DIRECTORY
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64

CLASSES: tuple[str, ...] = (
    "block",  # entering straight-line code: its gas and stack are checked
    "stack",  # PUSH, DUP, SWAP, POP
    "arithmetic",  # additions, comparisons, bits, shifts
    "multiply",
    "divide",
    "modular",  # ADDMOD, MULMOD
    "exponent",
    "exponent_byte",
    "jump",
    "memory",  # loads and stores of words
    "expansion_word",  # memory that grows by a word
    "hash",
    "hash_block",  # one permutation of keccak-256: 136 bytes
    "hash_recent",  # of 64 bytes, found among those that were computed last
    "copy",
    "copy_word",
    "environment",
    "account",  # BALANCE, EXTCODE*
    "storage_load",
    "storage_store",
    "transient",
    "log",
    "call",  # with the return from it
    "transaction",  # beginning and end
    "calldata_byte",  # counted for the intrinsic gas
    "state_read",  # by a driver: a location is found and its word given to the machine
    "state_read_ahead",  # likewise, of a location that was asked for while transactions before it executed
    "state_write",
    "receipt",
    "code_byte",  # of init code that is decoded, and of code that is kept
    "precompile_gas",  # of precompiled contracts: their gas follows their times
)
(
    BASIC_BLOCK,
    STACK,
    ARITHMETIC,
    MULTIPLY,
    DIVIDE,
    MODULAR,
    EXPONENT,
    EXPONENT_BYTE,
    JUMP,
    MEMORY,
    EXPANSION_WORD,
    HASH,
    HASH_BLOCK,
    HASH_RECENT,
    COPY,
    COPY_WORD,
    ENVIRONMENT,
    ACCOUNT,
    STORAGE_LOAD,
    STORAGE_STORE,
    TRANSIENT,
    LOG,
    CALL,
    TRANSACTION,
    CALLDATA_BYTE,
    STATE_READ,
    STATE_READ_AHEAD,
    STATE_WRITE,
    RECEIPT,
    CODE_BYTE,
    PRECOMPILE_GAS,
) = range(len(CLASSES))
COUNT = len(CLASSES)

HASH_BLOCK_BYTES = 136
NO_COSTS = np.zeros(COUNT, np.uint64)


def _classes() -> npt.NDArray[np.int64]:
    """Class of each instruction of the decoded stream."""
    found = np.full(256, ARITHMETIC, np.int64)
    for number, instructions in (
        (BASIC_BLOCK, [op.BASIC_BLOCK, op.JUMPDEST_RUN]),
        (STACK, [op.PUSH_SMALL, op.PUSH_LARGE, op.DUP, op.SWAP, op.POP]),
        (MULTIPLY, [op.MUL]),
        (DIVIDE, [op.DIV, op.SDIV, op.MOD, op.SMOD]),
        (MODULAR, [op.ADDMOD, op.MULMOD]),
        (EXPONENT, [op.EXP]),
        (JUMP, [op.JUMP, op.JUMPI, op.JUMP_STATIC, op.JUMPI_STATIC, op.STOP]),
        (MEMORY, [op.MLOAD, op.MSTORE, op.MSTORE8, op.MSIZE]),
        (HASH, [op.KECCAK256]),
        (ENVIRONMENT, [op.ADDRESS, op.ORIGIN, op.CALLER, op.CALLVALUE, op.CALLDATALOAD, op.CALLDATASIZE]),
        (ENVIRONMENT, [op.CODESIZE, op.GASPRICE, op.RETURNDATASIZE, *range(op.BLOCKHASH, op.CHAINID + 1)]),
        (ENVIRONMENT, [op.BASEFEE, op.BLOBHASH, op.BLOBBASEFEE, op.GAS]),
        (COPY, [op.CALLDATACOPY, op.CODECOPY, op.RETURNDATACOPY, op.MCOPY, op.RETURN, op.REVERT]),
        (ACCOUNT, [op.BALANCE, op.SELFBALANCE, op.EXTCODESIZE, op.EXTCODECOPY, op.EXTCODEHASH]),
        (STORAGE_LOAD, [op.SLOAD]),
        (STORAGE_STORE, [op.SSTORE]),
        (TRANSIENT, [op.TLOAD, op.TSTORE]),
        (LOG, [op.LOG]),
        (CALL, [op.CALL, op.CALLCODE, op.DELEGATECALL, op.STATICCALL, op.CREATE, op.CREATE2, op.SELFDESTRUCT]),
    ):
        found[instructions] = number
    return found


CLASS_OF = _classes()
_BASIC_BLOCK_BEGINS, _RUN_BEGINS = U(op.BASIC_BLOCK), U(op.JUMPDEST_RUN)


@kernel(inline=True)
def add_work(machine, number, amount):
    """Add so much work of one class to what the machine has done."""
    model = view_u64(CODE_DIRECTORY.at(machine.codes).cost_model, COUNT)
    machine.work_done_ps += model[U(number)] * U(amount)


@kernel()
def sum_work(stream, basic_blocks, classes, model):
    """Sum the work of each basic block of a decoded stream into the second word of its row.

    A JUMPDEST of a run is an entry to the last one's block (`evm.code.decoder`): the same work, wherever it is entered.
    """
    at, entries = I(0), I(0)
    # The STOP that ends every stream is hardly ever met.
    for i in range(stream.size - 1):
        operation = stream[i] & U(0xFF)
        if operation == _BASIC_BLOCK_BEGINS or operation == _RUN_BEGINS:
            at = 2 * block_of(stream[i]) + 1
            basic_blocks[at] = U0
            entries += I(operation == _RUN_BEGINS)
        basic_blocks[at] += model[classes[operation]]
    i = stream.size - 2
    while entries > 0:
        if stream[i] & U(0xFF) == _RUN_BEGINS:
            last = stream[i + skip_of(stream[i])]
            basic_blocks[2 * block_of(stream[i]) + 1] = basic_blocks[2 * block_of(last) + 1]
            entries -= 1
        i -= 1
