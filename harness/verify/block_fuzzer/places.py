"""Addresses of generated blocks, few, so that transactions meet: contracts, what they will create, who is absent."""

from __future__ import annotations

from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.genesis import contract_address
from contend.harness.verify.block_fuzzer.actors import ACTORS
from contend.harness.verify.schedule_fuzzer.assembler import assemble

POOL = tuple(bytes.fromhex(f"c{number}" * 20) for number in range(5))
PLAIN = bytes.fromhex("ee" * 20)  # has a balance, but no code
ABSENT = bytes.fromhex("0d" * 20)  # is in no state
STORED = bytes.fromhex("5d" * 20)  # has storage, but neither code nor nonce: nothing can be created there (EIP-7610)
BENEFICIARY = bytes.fromhex("bb" * 20)
DEPOSITS = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")
SLOTS = (0, 1, 2, 3)

# What accounts are that the factory creates, by name: they add one to a slot where they get call data, and without them
# destroy themselves in favour of who calls.
RUNTIME = assemble("CALLDATASIZE :use JUMPI CALLER SELFDESTRUCT use: 0 CALLDATALOAD DUP1 SLOAD 1 ADD SWAP1 SSTORE STOP")


def deploying(runtime: bytes, before: str = "") -> bytes:
    """Init code that does something and deploys what follows it."""
    head = before + " {size} {at} 0 CODECOPY {size} 0 RETURN"
    length = len(assemble(head.format(size=len(runtime), at=len(runtime))))
    for _ in range(3):
        made = assemble(head.format(size=len(runtime), at=length))
        length = len(made)
    return made + runtime


INIT_CODES = {
    "phoenix": deploying(RUNTIME, "1 SLOAD 1 ADD 1 SSTORE"),
    "mayfly": assemble("7 0 SSTORE ORIGIN SELFDESTRUCT"),
    "mayfly of the beneficiary": assemble("COINBASE SELFDESTRUCT"),
    "reverting": assemble("1 0 SSTORE 0 0 REVERT"),
    "forbidden": assemble("239 0 MSTORE8 1 0 RETURN"),
    "delegating": assemble("239 0 MSTORE8 1 1 MSTORE8 23 0 RETURN"),
    "empty": assemble("5 2 SSTORE STOP"),
    "large": assemble("24577 0 RETURN"),
    "largest": assemble("1500 0 RETURN"),
}
# CREATE2 of its call data without salt, with what it is sent; it stores what came of it.
FACTORY_CODE = assemble(
    "CALLDATASIZE 0 0 CALLDATACOPY 0 CALLDATASIZE 0 CALLVALUE CREATE2 DUP1 0 SSTORE EXTCODEHASH 1 SSTORE STOP"
)
FACTORY = bytes.fromhex("fa" * 20)
# Creates, destroys, uses and creates again, all in one transaction.
_TWICE = (
    "CALLDATASIZE 0 0 CALLDATACOPY 0 CALLDATASIZE 0 CALLVALUE CREATE2 DUP1 0 SSTORE "
    "0 0 0 0 7 DUP6 GAS CALL POP 0 0 0 0 0 DUP6 GAS CALL POP DUP1 EXTCODESIZE 1 SSTORE DUP1 BALANCE 2 SSTORE "
    "9 0 MSTORE 0 0 32 0 3 DUP6 GAS CALL POP "
    "CALLDATASIZE 0 0 CALLDATACOPY 0 CALLDATASIZE 0 0 CREATE2 3 SSTORE STOP"
)
TWICE_CODE = assemble(_TWICE)
TWICE = bytes.fromhex("fb" * 20)


def child_of(factory: bytes, init_code: bytes) -> bytes:
    """Address that CREATE2 without salt gives."""
    return keccak256(b"\xff" + factory + bytes(32) + keccak256(init_code))[12:]


CHILDREN = tuple(child_of(factory, code) for factory in (FACTORY, TWICE) for code in INIT_CODES.values())
PHOENIXES = (child_of(FACTORY, INIT_CODES["phoenix"]), child_of(TWICE, INIT_CODES["phoenix"]))
CREATED = (
    *(contract_address(address, 1) for address in POOL[:3]),
    *(contract_address(address, nonce) for address in ACTORS[:3] for nonce in (0, 1)),
)
# Where code and transactions point, the likelier the more often it stands here.
TARGETS = (
    *POOL, *POOL, *ACTORS, *ACTORS, *PHOENIXES, *CREATED, *CHILDREN[:4],
    PLAIN, ABSENT, STORED, BENEFICIARY, BENEFICIARY, FACTORY, TWICE, *(bytes(19) + bytes([n]) for n in (1, 4, 9)),
)  # fmt: skip

# Contracts that each do one thing, most by the address in their call data.
_TO = "0 CALLDATALOAD"
RECIPES = {
    "counter": assemble("0 SLOAD 1 ADD 0 SSTORE STOP"),
    "reader": assemble(
        f"{_TO} BALANCE 0 SSTORE {_TO} EXTCODEHASH 1 SSTORE {_TO} EXTCODESIZE 2 SSTORE "
        f"32 0 0 {_TO} EXTCODECOPY 0 MLOAD 3 SSTORE STOP"
    ),
    "forwarder": assemble(f"0 0 0 0 SELFBALANCE {_TO} GAS CALL 0 SSTORE STOP"),
    "payer of the beneficiary": assemble(
        "0 0 0 0 1 COINBASE GAS CALL POP COINBASE BALANCE DUP1 0 SSTORE 0 MSTORE 32 0 LOG0 STOP"
    ),
    "proxy": assemble(f"0 0 0 0 {_TO} GAS DELEGATECALL 2 SSTORE STOP"),
    "caller": assemble(
        f"32 CALLDATALOAD 0 MSTORE 0 0 32 0 CALLVALUE {_TO} GAS CALL 2 SSTORE RETURNDATASIZE 3 SSTORE STOP"
    ),
    "undoer": assemble(f"5 0 SSTORE 0 0 0 0 CALLVALUE {_TO} GAS CALL POP 0 SLOAD 0 0 LOG1 0 0 REVERT"),
    "destroyer": assemble(f"{_TO} SELFDESTRUCT"),
    "clearer": assemble("0 0 SSTORE 0 1 SSTORE 3 2 SSTORE 0 2 SSTORE 0 3 SSTORE STOP"),
    "conditional": assemble("0 SLOAD 1 AND :odd JUMPI 0 1 SSTORE 1 0 SSTORE STOP odd: 2 0 SSTORE 0 0 REVERT"),
    "spender": assemble("again: GAS GAS SSTORE GAS 30000 LT :again JUMPI STOP"),
    "ring": assemble("0 TLOAD 1 ADD 0 TSTORE 0 0 0 0 0 CALLER GAS CALL POP 0 TLOAD 0 SLOAD ADD 0 SSTORE STOP"),
    "watcher of the beneficiary": assemble(
        "COINBASE BALANCE 0 SSTORE COINBASE EXTCODEHASH 1 SSTORE COINBASE EXTCODESIZE 2 SSTORE STOP"
    ),
    "moments": assemble("999 BLOCKHASH 0 SSTORE 0 BLOBHASH 1 SSTORE BLOBBASEFEE 2 SSTORE GASPRICE 3 SSTORE STOP"),
}
