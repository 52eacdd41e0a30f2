"""The EVM: bytecode in, reads and writes out. It knows no strategy, no clock, no file."""

from evm.sources import register

register(__name__, __path__[0])

from evm.block import Block, Environment, Transaction
from evm.errors import CapacityError
from evm.genesis import Genesis, GenesisError, mapping_slot, view_call
from evm.keccak import keccak256
from evm.receipts import Log, Receipts
from evm.state import Changes, Location, Snapshot, State

__all__ = [
    "Block",
    "CapacityError",
    "Changes",
    "Environment",
    "Genesis",
    "GenesisError",
    "Location",
    "Log",
    "Receipts",
    "Snapshot",
    "State",
    "Transaction",
    "keccak256",
    "mapping_slot",
    "view_call",
]
