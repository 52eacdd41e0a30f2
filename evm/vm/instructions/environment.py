"""Environment: what code can ask of its frame, its call data and code, the transaction and the block."""

from __future__ import annotations

from contend.evm import errors
from contend.evm import opcodes as op
from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.layout import BLOCK, CODE, HASHES_KEPT, TRANSACTION, WORD
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import clear_bytes, move_bytes, view_u8
from contend.evm.u256 import ZERO, fits_u64, from_u64, is_zero
from contend.evm.vm.call import address_word, reach
from contend.evm.vm.dispatch import instruction
from contend.evm.vm.gas import GAS_COPY_WORD
from contend.evm.vm.instructions.operands import (
    CONTINUE,
    OUT_OF_GAS,
    charge,
    drop,
    grow_memory,
    load_word,
    operand,
    push,
    replace,
    words_in,
)


@instruction(op.ADDRESS)
def address(machine, frame, registers):
    """Address of the frame's account."""
    push(registers, address_word(frame.address))
    return CONTINUE


@instruction(op.CALLER)
def caller(machine, frame, registers):
    """Address of the account that called."""
    push(registers, address_word(frame.caller))
    return CONTINUE


@instruction(op.CALLVALUE)
def callvalue(machine, frame, registers):
    """Wei that came with the call."""
    push(registers, frame.value)
    return CONTINUE


@instruction(op.CALLDATASIZE)
def calldatasize(machine, frame, registers):
    """Size of the call data in bytes."""
    push(registers, from_u64(U(frame.calldata_size)))
    return CONTINUE


@instruction(op.CODESIZE)
def codesize(machine, frame, registers):
    """Size of the running code in bytes."""
    push(registers, from_u64(U(CODE.at(registers.code).size)))
    return CONTINUE


@instruction(op.RETURNDATASIZE)
def returndatasize(machine, frame, registers):
    """Size of what the last call returned (EIP-211)."""
    push(registers, from_u64(U(machine.output_size)))
    return CONTINUE


@instruction(op.GAS)
def gas_left(machine, frame, registers):
    """Gas left, this instruction paid."""
    push(registers, from_u64(U(registers.gas)))
    return CONTINUE


@kernel()
def _calldata_word(source, size, offset):
    """32 bytes of the call data from `offset`, zero beyond its end."""
    if not fits_u64(offset) or offset[0] >= U(size):
        return ZERO
    data, at = view_u8(source, size), I(offset[0])
    if at + 32 <= size:
        return load_word(data, at)
    r0, r1, r2, r3 = U0, U0, U0, U0
    for i in range(32):
        byte = U(data[U(at + i)]) if at + i < size else U0
        r3 = (r3 << U(8)) | (r2 >> U(56))
        r2 = (r2 << U(8)) | (r1 >> U(56))
        r1 = (r1 << U(8)) | (r0 >> U(56))
        r0 = (r0 << U(8)) | byte
    return r0, r1, r2, r3


@instruction(op.CALLDATALOAD)
def calldataload(machine, frame, registers):
    """A word of the call data."""
    offset = operand(registers, 0)
    replace(registers, 0, _calldata_word(frame.calldata, frame.calldata_size, offset))
    return CONTINUE


@kernel()
def copy_padded(machine, memory, source, source_size, offset, count):
    """Copy `count` bytes to memory, both addresses, from `offset` of a source that is zero beyond its end."""
    add_work(machine, cost_model.COPY_WORD, words_in(count))
    available = I(0)
    target = view_u8(memory, count)
    if fits_u64(offset) and offset[0] < U(source_size):
        available = min(count, source_size - I(offset[0]))
        move_bytes(target, 0, view_u8(source, source_size), I(offset[0]), available)
    clear_bytes(target, available, count - available)


@kernel(inline=True)
def _copy(machine, registers, target, source, source_size, offset, count):
    if not is_zero(count):
        copy_padded(machine, registers.memory + I(target[0]), source, source_size, offset, I(count[0]))
    drop(registers, 3)


@instruction(op.CALLDATACOPY)
def calldatacopy(machine, frame, registers):
    """Copy call data to memory."""
    target, offset, count = operand(registers, 0), operand(registers, 1), operand(registers, 2)

    grown = grow_memory(machine, registers, reach(target, count))
    if grown != CONTINUE:
        return grown
    if not charge(registers, GAS_COPY_WORD * words_in(I(count[0]))):
        return OUT_OF_GAS

    _copy(machine, registers, target, frame.calldata, frame.calldata_size, offset, count)
    return CONTINUE


@instruction(op.CODECOPY)
def codecopy(machine, frame, registers):
    """Copy the running code to memory."""
    target, offset, count = operand(registers, 0), operand(registers, 1), operand(registers, 2)

    grown = grow_memory(machine, registers, reach(target, count))
    if grown != CONTINUE:
        return grown
    if not charge(registers, GAS_COPY_WORD * words_in(I(count[0]))):
        return OUT_OF_GAS

    code = CODE.at(registers.code)
    _copy(machine, registers, target, code.bytes, code.size, offset, count)
    return CONTINUE


@instruction(op.RETURNDATACOPY)
def returndatacopy(machine, frame, registers):
    """Copy what the last call returned to memory; beyond its end there is nothing to copy (EIP-211)."""
    target, offset, count = operand(registers, 0), operand(registers, 1), operand(registers, 2)

    grown = grow_memory(machine, registers, reach(target, count))
    if grown != CONTINUE:
        return grown
    if not charge(registers, GAS_COPY_WORD * words_in(I(count[0]))):
        return OUT_OF_GAS

    size = U(machine.output_size)
    if not fits_u64(offset) or offset[0] > size or count[0] > size - offset[0]:
        return errors.RETURN_DATA_BOUNDS
    _copy(machine, registers, target, machine.output, machine.output_size, offset, count)
    return CONTINUE


@instruction(op.ORIGIN)
def origin(machine, frame, registers):
    """Address of the transaction's sender."""
    push(registers, address_word(TRANSACTION.at(machine.transaction).sender))
    return CONTINUE


@instruction(op.GASPRICE)
def gasprice(machine, frame, registers):
    """Wei that the transaction pays for each gas."""
    push(registers, TRANSACTION.at(machine.transaction).gas_price)
    return CONTINUE


@kernel()
def _blob_hash(machine, number):
    transaction = TRANSACTION.at(machine.transaction)
    count = transaction.blobs
    if not fits_u64(number) or number[0] >= U(count):
        return ZERO
    return WORD.item(machine.calldata + transaction.data_room - count * 32, count, I(number[0])).value


@instruction(op.BLOBHASH)
def blobhash(machine, frame, registers):
    """Hash of one of the transaction's blobs (EIP-4844); zero beyond the last."""
    replace(registers, 0, _blob_hash(machine, operand(registers, 0)))
    return CONTINUE


@kernel()
def _block_hash(machine, number):
    block = BLOCK.at(machine.block)
    current = block.number[0]
    if not fits_u64(number) or number[0] >= current or current - number[0] > U(HASHES_KEPT):
        return ZERO
    return WORD.item(block.hashes, HASHES_KEPT, I(current - number[0]) - 1).value


@instruction(op.BLOCKHASH)
def blockhash(machine, frame, registers):
    """Hash of one of the last 256 blocks; zero for any other number."""
    replace(registers, 0, _block_hash(machine, operand(registers, 0)))
    return CONTINUE


@instruction(op.COINBASE)
def coinbase(machine, frame, registers):
    """Address of the block's beneficiary."""
    push(registers, BLOCK.at(machine.block).coinbase)
    return CONTINUE


@instruction(op.TIMESTAMP)
def timestamp(machine, frame, registers):
    """Seconds since the epoch at the block."""
    push(registers, BLOCK.at(machine.block).timestamp)
    return CONTINUE


@instruction(op.NUMBER)
def number(machine, frame, registers):
    """Number of the block."""
    push(registers, BLOCK.at(machine.block).number)
    return CONTINUE


@instruction(op.PREVRANDAO)
def prevrandao(machine, frame, registers):
    """Randomness of the beacon chain at the block (EIP-4399)."""
    push(registers, BLOCK.at(machine.block).prev_randao)
    return CONTINUE


@instruction(op.GASLIMIT)
def gaslimit(machine, frame, registers):
    """Gas limit of the block."""
    push(registers, BLOCK.at(machine.block).gas_limit)
    return CONTINUE


@instruction(op.CHAINID)
def chainid(machine, frame, registers):
    """Number of the chain (EIP-1344)."""
    push(registers, BLOCK.at(machine.block).chain_id)
    return CONTINUE


@instruction(op.BASEFEE)
def basefee(machine, frame, registers):
    """Wei per gas that the block burns (EIP-3198)."""
    push(registers, BLOCK.at(machine.block).base_fee)
    return CONTINUE


@instruction(op.BLOBBASEFEE)
def blobbasefee(machine, frame, registers):
    """Wei per blob gas that the block burns (EIP-7516)."""
    push(registers, BLOCK.at(machine.block).blob_base_fee)
    return CONTINUE
