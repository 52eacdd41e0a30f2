"""Forks: the rule sets that a block can be executed under, as data (`evm.forks.fork` says how they apply).

What a further fork adds is a file here, and its name in `FORKS`. For Prague that is: seven precompiled contracts for
BLS12-381 (EIP-2537), computed in `evm.vm.precompiles`; the floor of call data's gas (EIP-7623), a word of
`evm.layout.RULES` that `evm.vm.transaction` reads beside the intrinsic gas and the refund; delegated code (EIP-7702)
where calls and EXTCODE* instructions look an account's code up, with its authorisations at a transaction's start; more
blobs (EIP-7691).
"""

from __future__ import annotations

from contend.evm.forks.cancun import CANCUN
from contend.evm.forks.fork import Fork, Instruction, OpcodeTable, opcode_rows
from contend.evm.forks.shanghai import SHANGHAI
from contend.evm.layout import RULES

__all__ = [
    "BLOB_GAS",
    "BLOB_HASH_VERSION",
    "CANCUN",
    "FORKS",
    "FORK_COUNT",
    "LATEST",
    "SHANGHAI",
    "Fork",
    "Instruction",
    "OpcodeTable",
    "fork_named",
    "rules_address",
]

BLOB_GAS = 1 << 17  # of one blob (EIP-4844)
BLOB_HASH_VERSION = 0x01

FORKS = {fork.name: fork for fork in (SHANGHAI, CANCUN)}
FORK_COUNT = len(FORKS)
LATEST = CANCUN

_opcodes = [opcode_rows(fork) for fork in FORKS.values()]
_rules = RULES.zeros(FORK_COUNT)
for _fork, _rows in zip(FORKS.values(), _opcodes, strict=True):
    _rules[_fork.number] = (_fork.number, _rows.ctypes.data, _fork.last_precompile, _fork.destroys_all)


def rules_address(fork: Fork | None = None) -> int:
    """Address of a fork's row of `evm.layout.RULES`, or of the first: rows lie by number. Valid in this process.

    Raises
    ------
    KeyError
        If the fork is not one of `FORKS`.
    """
    number = 0 if fork is None else FORKS[fork.name].number
    return int(_rules.ctypes.data) + number * RULES.words * 8


def fork_named(name: str) -> Fork:
    """Find a fork by its name, in any case.

    Raises
    ------
    ValueError
        If there is none, naming those that there are.
    """
    for fork in FORKS.values():
        if fork.name.lower() == name.lower():
            return fork
    raise ValueError(f"unknown fork {name!r}; known are {', '.join(FORKS)}")
