"""What stands around a block's transactions: what else the block does, and what its header says came of all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Naming workloads must not wait for the compiler.
    from contend.evm import State
    from contend.evm.drivers.block_operations import Operations


@dataclass(frozen=True)
class HeaderRoots:
    """What a header commits to, of what executing its block gives; None for what is not told.

    Attributes
    ----------
    receipts, state, requests : bytes or None
        32 bytes each.
    bloom : bytes or None
        Filter of all logs, 256 bytes.
    """

    receipts: bytes | None = None
    bloom: bytes | None = None
    requests: bytes | None = None
    state: bytes | None = None


@dataclass(frozen=True)
class AroundBlock:
    """What stands around the transactions of a scenario's one block.

    Attributes
    ----------
    operations : Operations
        What the block does besides them.
    executes : bool
        Whether all is there that it takes to do that. Where it is not, operations are carried and not executed.
    before : State or None
        Before the block's system calls, which the scenario's genesis is after; None where that is not known.
    is_whole : bool
        Whether the state is that of the whole chain, so that it has the root that the header tells.
    roots : HeaderRoots
    access_list : bytes or None
        That came with the block, as it came: with what operations touch.
    """

    operations: Operations
    executes: bool
    before: State | None
    is_whole: bool
    roots: HeaderRoots
    access_list: bytes | None = None
