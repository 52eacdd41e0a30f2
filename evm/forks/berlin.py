"""Berlin: warm and cold accesses (EIP-2929), access lists (EIP-2930), and what came before them."""

from __future__ import annotations

from contend.evm import opcodes as op
from contend.evm.forks.fork import Fork, OpcodeTable, instructions

OPCODES: OpcodeTable = {
    **instructions([op.STOP], 0, 0, 0, never_returns=True),
    **instructions([op.ADD, op.SUB], 2, 1, 3),
    **instructions([op.MUL, op.DIV, op.SDIV, op.MOD, op.SMOD, op.SIGNEXTEND], 2, 1, 5),
    **instructions([op.ADDMOD, op.MULMOD], 3, 1, 8),
    **instructions([op.EXP], 2, 1, 10),
    **instructions([op.LT, op.GT, op.SLT, op.SGT, op.EQ, op.AND, op.OR, op.XOR, op.BYTE], 2, 1, 3),
    **instructions([op.SHL, op.SHR, op.SAR], 2, 1, 3),
    **instructions([op.ISZERO, op.NOT], 1, 1, 3),
    **instructions([op.KECCAK256], 2, 1, 30),
    **instructions([op.ADDRESS, op.ORIGIN, op.CALLER, op.CALLVALUE, op.CALLDATASIZE, op.CODESIZE], 0, 1, 2),
    **instructions([op.GASPRICE, op.RETURNDATASIZE], 0, 1, 2),
    **instructions([op.BALANCE, op.EXTCODESIZE, op.EXTCODEHASH], 1, 1, 0),
    **instructions([op.CALLDATALOAD], 1, 1, 3),
    **instructions([op.CALLDATACOPY, op.CODECOPY, op.RETURNDATACOPY], 3, 0, 3),
    **instructions([op.EXTCODECOPY], 4, 0, 0),
    **instructions([op.BLOCKHASH], 1, 1, 20),
    **instructions([op.COINBASE, op.TIMESTAMP, op.NUMBER, op.PREVRANDAO, op.GASLIMIT], 0, 1, 2),
    **instructions([op.CHAINID], 0, 1, 2),
    **instructions([op.SELFBALANCE], 0, 1, 5),
    **instructions([op.POP], 1, 0, 2),
    **instructions([op.MLOAD], 1, 1, 3),
    **instructions([op.MSTORE, op.MSTORE8], 2, 0, 3),
    **instructions([op.SLOAD], 1, 1, 0),
    **instructions([op.SSTORE], 2, 0, 0, ends=True),
    **instructions([op.JUMP], 1, 0, 8, never_returns=True),
    **instructions([op.JUMPI], 2, 0, 10, ends=True),
    **instructions([op.PC, op.MSIZE], 0, 1, 2),
    **instructions([op.GAS], 0, 1, 2, ends=True),
    **instructions([op.JUMPDEST], 0, 0, 1),
    **instructions(range(op.PUSH1, op.PUSH32 + 1), 0, 1, 3),
    **{number: row for n in range(16) for number, row in instructions([op.DUP1 + n], n + 1, n + 2, 3).items()},
    **{number: row for n in range(16) for number, row in instructions([op.SWAP1 + n], n + 2, n + 2, 3).items()},
    **{number: row for n in range(5) for number, row in instructions([op.LOG0 + n], n + 2, 0, 375 * (n + 1)).items()},
    **instructions([op.CREATE], 3, 1, 32000, ends=True),
    **instructions([op.CREATE2], 4, 1, 32000, ends=True),
    **instructions([op.CALL, op.CALLCODE], 7, 1, 0, ends=True),
    **instructions([op.DELEGATECALL, op.STATICCALL], 6, 1, 0, ends=True),
    **instructions([op.RETURN, op.REVERT], 2, 0, 0, never_returns=True),
    **instructions([op.INVALID], 0, 0, 0, never_returns=True),
    **instructions([op.SELFDESTRUCT], 1, 0, 5000, never_returns=True),
}

BERLIN = Fork(
    name="Berlin",
    number=0,
    opcodes=OPCODES,
    precompiles=frozenset(range(1, 10)),
    transaction_types=frozenset({0, 1}),
    proof_of_work=True,
    block_reward=2 * 10**18,
    refund_quotient=2,
    clear_refund=15_000,
    destroy_refund=24_000,
    forbids_ef=False,
    destroys_all=True,
)
