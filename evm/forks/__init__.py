"""Forks: the rule sets that a block can be executed under, as data (`evm.forks.fork` says how they apply).

Each is a file here that says what is new beside the fork before. docs/forks.md says how another one is added.
"""

from __future__ import annotations

import numpy as np

from contend.evm.forks.berlin import BERLIN
from contend.evm.forks.blob_parameters import BPO1, BPO2
from contend.evm.forks.cancun import CANCUN
from contend.evm.forks.fork import BLOB_GAS, Fork, Instruction, OpcodeTable, opcode_rows
from contend.evm.forks.london import LONDON
from contend.evm.forks.osaka import OSAKA
from contend.evm.forks.paris import PARIS
from contend.evm.forks.prague import PRAGUE
from contend.evm.forks.shanghai import SHANGHAI
from contend.evm.layout import MOST_INIT_CODE, PRECOMPILE_SPAN, RULES

__all__ = [
    "BERLIN",
    "BLOB_GAS",
    "BLOB_HASH_VERSION",
    "CANCUN",
    "DEFAULT",
    "FORKS",
    "FORK_COUNT",
    "INSTRUCTION_SETS",
    "LATEST",
    "OSAKA",
    "PRAGUE",
    "SHANGHAI",
    "Fork",
    "Instruction",
    "OpcodeTable",
    "fork_named",
    "rules_address",
]

BLOB_HASH_VERSION = 0x01

FORKS = {fork.name: fork for fork in (BERLIN, LONDON, PARIS, SHANGHAI, CANCUN, PRAGUE, OSAKA, BPO1, BPO2)}
FORK_COUNT = len(FORKS)
LATEST = BPO2
DEFAULT = CANCUN  # of blocks that name none, and by whose instructions a state's codes are decoded

# Code is decoded once for all forks that have the same instructions.
_tables: list[OpcodeTable] = []
for _fork in FORKS.values():
    if _fork.opcodes not in _tables:
        _tables.append(_fork.opcodes)
INSTRUCTION_SETS = len(_tables)
_opcodes = [opcode_rows(table) for table in _tables]
_precompiles = np.zeros((FORK_COUNT, PRECOMPILE_SPAN), np.uint8)
_rules = RULES.zeros(FORK_COUNT)
for _fork, _row, _addresses in zip(FORKS.values(), _rules, _precompiles, strict=True):
    _set = _tables.index(_fork.opcodes)
    _addresses[list(_fork.precompiles)] = 1
    _row["fork"], _row["instruction_set"] = _fork.number, _set
    _row["instructions"], _row["precompiles"] = _opcodes[_set].ctypes.data, _addresses.ctypes.data
    _row["init_code_limit"] = MOST_INIT_CODE if _fork.init_code_limit is None else _fork.init_code_limit
    for _name in RULES.offsets.keys() & Fork.__dataclass_fields__.keys() - {"precompiles", "init_code_limit"}:
        _row[_name] = getattr(_fork, _name)


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
