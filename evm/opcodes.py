"""Opcodes: numbers and names of all instructions that any fork has. Which one has which is in `evm.forks`."""

from __future__ import annotations

STOP, ADD, MUL, SUB, DIV, SDIV, MOD, SMOD, ADDMOD, MULMOD, EXP, SIGNEXTEND = range(0x00, 0x0C)
LT, GT, SLT, SGT, EQ, ISZERO, AND, OR, XOR, NOT, BYTE, SHL, SHR, SAR, CLZ = range(0x10, 0x1F)
KECCAK256 = 0x20
ADDRESS, BALANCE, ORIGIN, CALLER, CALLVALUE, CALLDATALOAD, CALLDATASIZE, CALLDATACOPY = range(0x30, 0x38)
CODESIZE, CODECOPY, GASPRICE, EXTCODESIZE, EXTCODECOPY, RETURNDATASIZE, RETURNDATACOPY, EXTCODEHASH = range(0x38, 0x40)
BLOCKHASH, COINBASE, TIMESTAMP, NUMBER, PREVRANDAO, GASLIMIT, CHAINID, SELFBALANCE = range(0x40, 0x48)
BASEFEE, BLOBHASH, BLOBBASEFEE = range(0x48, 0x4B)
POP, MLOAD, MSTORE, MSTORE8, SLOAD, SSTORE, JUMP, JUMPI, PC, MSIZE, GAS, JUMPDEST = range(0x50, 0x5C)
TLOAD, TSTORE, MCOPY, PUSH0 = range(0x5C, 0x60)
PUSH1, PUSH32, DUP1, DUP16, SWAP1, SWAP16, LOG0, LOG4 = 0x60, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xA4
CREATE, CALL, CALLCODE, RETURN, DELEGATECALL, CREATE2 = 0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5
STATICCALL, REVERT, INVALID, SELFDESTRUCT = 0xFA, 0xFD, 0xFE, 0xFF

# Instructions that only the decoded stream has (`evm.code.decoder`), on numbers that no fork assigns.
BASIC_BLOCK, PUSH_SMALL, PUSH_LARGE, JUMP_STATIC, JUMPI_STATIC, JUMPDEST_RUN = 0x0C, 0x60, 0x0D, 0x0E, 0x0F, 0x1F
DUP, SWAP, LOG = 0x80, 0x90, 0xA0

NAMES: dict[int, str] = {
    number: name
    for name, number in list(globals().items())
    if name.isupper() and isinstance(number, int) and name not in {"BASIC_BLOCK", "PUSH_SMALL", "PUSH_LARGE"}
    if name not in {"JUMP_STATIC", "JUMPI_STATIC", "JUMPDEST_RUN", "DUP", "SWAP", "LOG"}
}
NAMES |= {PUSH1 + i: f"PUSH{i + 1}" for i in range(32)}
NAMES |= {DUP1 + i: f"DUP{i + 1}" for i in range(16)} | {SWAP1 + i: f"SWAP{i + 1}" for i in range(16)}
NAMES |= {LOG0 + i: f"LOG{i}" for i in range(5)}
