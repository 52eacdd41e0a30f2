"""Small EVM programs, each a loop that does much of one class of work: they tell the classes' costs apart."""

from __future__ import annotations

from dataclasses import dataclass

from contend.evm import Block, Environment, State, Transaction
from contend.evm import opcodes as op
from contend.harness.verify.schedule_fuzzer.assembler import assemble

ROUNDS = 400
REPEATED = 8  # times the body is in the loop, so that the loop itself weighs little
TRANSACTIONS = 12
_GAS = 200_000_000
_CONTRACT, _OTHER, _SENDER = bytes([0xC1]) * 20, bytes([0xC2]) * 20, bytes([0xA1]) * 20
_LARGE = 2**250 + 12345

BODIES: dict[str, str] = {
    "stack": "DUP1 DUP1 SWAP1 POP 7 POP POP",
    "arithmetic": "DUP1 DUP1 ADD DUP1 XOR DUP2 LT ISZERO NOT 3 SHL POP",
    "multiply": "DUP1 DUP1 MUL DUP1 MUL DUP1 MUL POP",
    "divide": f"DUP1 {_LARGE} DIV DUP2 {_LARGE} MOD ADD POP",
    "modular": f"DUP1 {_LARGE} DUP1 MULMOD POP",
    "exponent": "3 DUP2 EXP POP 0xffffffff 3 EXP POP",
    "exponent_byte": f"{_LARGE} 3 EXP POP",
    "jump": "CALLDATASIZE ISZERO ISZERO POP",
    "memory": "DUP1 64 MSTORE 64 MLOAD POP 96 MLOAD POP",
    "hash": "64 0 KECCAK256 0 MSTORE",
    "hash_recent": "64 0 KECCAK256 POP",
    "hash_block": "1024 0 KECCAK256 POP",
    "copy": "32 0 0 CALLDATACOPY 32 0 32 CODECOPY",
    "copy_word": "2048 0 0 CALLDATACOPY 2048 0 2048 MCOPY",
    "environment": "CALLER POP CALLVALUE POP TIMESTAMP POP NUMBER POP 0 CALLDATALOAD POP",
    "account": "SELFBALANCE POP ADDRESS EXTCODESIZE POP",
    "storage_load": "1 SLOAD POP 2 SLOAD POP",
    "storage_store": "DUP1 1 SSTORE",
    "transient": "DUP1 1 TSTORE 1 TLOAD POP",
    "log": "1 64 0 LOG1",
    "call": f"0 0 0 0 {int.from_bytes(_OTHER, 'big')} GAS STATICCALL POP",
}


@dataclass(frozen=True)
class CalibrationProgram:
    """A block that executes one program, and the state it starts from."""

    name: str
    block: Block
    state: State


def loop(body: str) -> bytes:
    """Code that executes a body, which leaves the stack as it was, `ROUNDS` times `REPEATED` times."""
    head = bytes([op.PUSH1 + 1]) + ROUNDS.to_bytes(2, "big") + bytes([op.JUMPDEST])
    back = bytes([op.PUSH1, 3, op.JUMPI, op.STOP])
    return head + assemble(body) * REPEATED + assemble("1 SWAP1 SUB DUP1") + back


def _program(name: str, code: bytes, data: bytes = b"") -> CalibrationProgram:
    state = State()
    state.set_balance(_SENDER, 10**24)
    state.set_balance(_CONTRACT, 1)
    state.set_code(_CONTRACT, code)
    state.set_code(_OTHER, bytes([op.STOP]))
    state.set_storage(_CONTRACT, 1, 1)
    transactions = tuple(
        Transaction(_SENDER, _CONTRACT, nonce, _GAS, 0, data, 0, max_priority_fee=0) for nonce in range(TRANSACTIONS)
    )
    return CalibrationProgram(name, Block(Environment(base_fee=0), transactions), state)


def programs() -> list[CalibrationProgram]:
    """Make all programs: the loops, one that grows its memory, and one that is called with much data."""
    found = [_program(name, loop(body)) for name, body in BODIES.items()]
    grown = "1 0 MSTORE " + " ".join(f"1 {size} MSTORE" for size in range(32_768, 400_000, 32_768))
    found.append(_program("expansion_word", assemble(f"{grown} STOP")))
    found.append(_program("calldata_byte", bytes([op.STOP]), bytes(range(256)) * 256))
    return found
