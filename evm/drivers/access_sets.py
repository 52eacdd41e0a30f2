"""Access sets of a block's transactions, in compressed rows: what each read and what it wrote.

`evm.drivers.recorder` makes the true ones, from an execution in the block's order; dry runs make predicted ones, which
a strategy may plan with. Kernels list them as raw words: a location's number and marks above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.u256 import equal
from contend.evm.vm.access_table import LOADED, entry_at

WRITE_BIT = 1 << 40
BLIND_BIT = 1 << 41
TESTED_BIT = 1 << 42
CROSSED_BIT = 1 << 43
LOCATION_MASK = WRITE_BIT - 1


@kernel()
def list_accesses(machine, found, count):
    """Append the locations of the transaction that has ended to `found`, int64, which has `count` of them already.

    Returns
    -------
    int
        How many there are now; -1 when there is no room.
    """
    if count + machine.entry_count > found.size:
        return I(-1)
    for i in range(machine.entry_count):
        entry = entry_at(machine, i)
        if entry.flags & LOADED != U0:
            location = entry.location
            if not equal(entry.current, entry.original):
                location |= WRITE_BIT
            found[U(count)] = location
            count += 1
    return I(count)


@dataclass(frozen=True)
class AccessSets:
    """Access sets of a block's transactions, in compressed rows.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n + 1,)
        Transaction i has entries ``offsets[i]`` to ``offsets[i + 1]``, each location once.
    locations : ndarray of int64, shape (m,)
        Location numbers, below `location_count`. Every written location is also read.
    writes : ndarray of bool, shape (m,)
        Whether the entry's location is written: whether its word afterwards is another one.
    costs : ndarray of int64, shape (n,)
        Gas used.
    location_count : int
    """

    offsets: npt.NDArray[np.int64]
    locations: npt.NDArray[np.int64]
    writes: npt.NDArray[np.bool_]
    costs: npt.NDArray[np.int64]
    location_count: int

    def __len__(self) -> int:
        return len(self.costs)
