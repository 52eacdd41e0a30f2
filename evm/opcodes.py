"""The instruction set of Cancun: numbers, names, stack effects and the constant part of each price.

Prices follow the Yellow Paper (appendix G) with EIP-2929 and EIP-3529 (access and refunds), EIP-3855 (PUSH0),
EIP-1153 (transient storage), EIP-5656 (MCOPY), EIP-4844 and EIP-7516 (blob opcodes). What depends on operands or state
is charged where the instruction executes.
"""

from __future__ import annotations

import numpy as np

STOP, ADD, MUL, SUB, DIV, SDIV, MOD, SMOD, ADDMOD, MULMOD, EXP, SIGNEXTEND = range(0x00, 0x0C)
LT, GT, SLT, SGT, EQ, ISZERO, AND, OR, XOR, NOT, BYTE, SHL, SHR, SAR = range(0x10, 0x1E)
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

# Instructions that only the decoded stream has (`evm.bytecode`), on numbers that Cancun leaves unassigned.
BLOCK, PUSH_SMALL, PUSH_LARGE, JUMP_STATIC, JUMPI_STATIC = 0x0C, 0x60, 0x0D, 0x0E, 0x0F
DUP, SWAP, LOG = 0x80, 0x90, 0xA0

NAMES: dict[int, str] = {
    number: name
    for name, number in list(globals().items())
    if name.isupper() and isinstance(number, int) and name not in {"BLOCK", "PUSH_SMALL", "PUSH_LARGE"}
    if name not in {"JUMP_STATIC", "JUMPI_STATIC", "DUP", "SWAP", "LOG"}
}
NAMES |= {PUSH1 + i: f"PUSH{i + 1}" for i in range(32)}
NAMES |= {DUP1 + i: f"DUP{i + 1}" for i in range(16)} | {SWAP1 + i: f"SWAP{i + 1}" for i in range(16)}
NAMES |= {LOG0 + i: f"LOG{i}" for i in range(5)}

STACK_IN = np.zeros(256, np.int64)
STACK_OUT = np.zeros(256, np.int64)
STATIC_GAS = np.zeros(256, np.int64)
DEFINED = np.zeros(256, np.uint8)
ENDS_BLOCK = np.zeros(256, np.uint8)
NEVER_RETURNS = np.zeros(256, np.uint8)


def _define(numbers: list[int] | range, taken: int, given: int, gas: int) -> None:
    for number in numbers:
        STACK_IN[number], STACK_OUT[number], STATIC_GAS[number], DEFINED[number] = taken, given, gas, 1


_define([STOP], 0, 0, 0)
_define([ADD, SUB], 2, 1, 3)
_define([MUL, DIV, SDIV, MOD, SMOD, SIGNEXTEND], 2, 1, 5)
_define([ADDMOD, MULMOD], 3, 1, 8)
_define([EXP], 2, 1, 10)
_define([LT, GT, SLT, SGT, EQ, AND, OR, XOR, BYTE, SHL, SHR, SAR], 2, 1, 3)
_define([ISZERO, NOT], 1, 1, 3)
_define([KECCAK256], 2, 1, 30)
_define([ADDRESS, ORIGIN, CALLER, CALLVALUE, CALLDATASIZE, CODESIZE, GASPRICE, RETURNDATASIZE], 0, 1, 2)
_define([BALANCE, EXTCODESIZE, EXTCODEHASH], 1, 1, 0)
_define([CALLDATALOAD], 1, 1, 3)
_define([CALLDATACOPY, CODECOPY, RETURNDATACOPY], 3, 0, 3)
_define([EXTCODECOPY], 4, 0, 0)
_define([BLOCKHASH], 1, 1, 20)
_define([COINBASE, TIMESTAMP, NUMBER, PREVRANDAO, GASLIMIT, CHAINID, BASEFEE, BLOBBASEFEE], 0, 1, 2)
_define([SELFBALANCE], 0, 1, 5)
_define([BLOBHASH], 1, 1, 3)
_define([POP], 1, 0, 2)
_define([MLOAD], 1, 1, 3)
_define([MSTORE, MSTORE8], 2, 0, 3)
_define([SLOAD], 1, 1, 0)
_define([SSTORE], 2, 0, 0)
_define([JUMP], 1, 0, 8)
_define([JUMPI], 2, 0, 10)
_define([PC, MSIZE, GAS], 0, 1, 2)
_define([JUMPDEST], 0, 0, 1)
_define([TLOAD], 1, 1, 100)
_define([TSTORE], 2, 0, 100)
_define([MCOPY], 3, 0, 3)
_define([PUSH0], 0, 1, 2)
_define(range(PUSH1, PUSH32 + 1), 0, 1, 3)
for _n in range(16):
    _define([DUP1 + _n], _n + 1, _n + 2, 3)
    _define([SWAP1 + _n], _n + 2, _n + 2, 3)
for _n in range(5):
    _define([LOG0 + _n], _n + 2, 0, 375 * (_n + 1))
_define([CREATE], 3, 1, 32000)
_define([CREATE2], 4, 1, 32000)
_define([CALL, CALLCODE], 7, 1, 0)
_define([DELEGATECALL, STATICCALL], 6, 1, 0)
_define([RETURN, REVERT], 2, 0, 0)
_define([INVALID], 0, 0, 0)
_define([SELFDESTRUCT], 1, 0, 5000)

# Where the exact gas left is observed or handed on, a block must end, so that nothing behind it is charged yet.
ENDS_BLOCK[[JUMPI, GAS, SSTORE, CALL, CALLCODE, DELEGATECALL, STATICCALL, CREATE, CREATE2]] = 1
NEVER_RETURNS[[STOP, JUMP, RETURN, REVERT, INVALID, SELFDESTRUCT]] = 1
