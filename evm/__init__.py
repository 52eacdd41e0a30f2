"""The EVM: bytecode in, reads and writes out. It knows no strategy, no clock, no file."""

from contend.inner_names import refuse_top_level

refuse_top_level(__name__)

from contend.evm.runtime.source_digest import register

register(__name__, __path__[0])

from contend.evm.block import Block, Environment, Transaction
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.genesis import Genesis, GenesisError, mapping_slot, view_call
from contend.evm.errors import CapacityError
from contend.evm.receipts import Log, Receipts
from contend.evm.state import Changes, Location, Snapshot, State

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
