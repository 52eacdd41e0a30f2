"""Recent hashes: what KECCAK256 of 64 bytes gave, kept by each machine for a while.

Contracts find the slots of mappings by such hashes, and transactions that touch the same accounts compute them again;
clients therefore keep those that they computed last. Here each machine has its own, so workers share nothing: a table
of `RECENT_HASHES` rows in which a preimage has one place, and who comes later displaces what is there. A row is a pair
of cache lines, and the table 128 KiB.

A row counts only in the generation in which it was written. Each run of a block begins a new one
(`evm.vm.machine.Machine.attach`), so no run is faster for what another has computed. Hits are counted, and cost a class
of their own. A machine without the table computes each hash (`Machine.forget_hashes`): `python -m tools.recent_hashes`
measures what it is worth.
"""

from __future__ import annotations

from contend.evm.code import cost_model
from contend.evm.code.cost_model import add_work
from contend.evm.crypto.keccak import keccak_lanes
from contend.evm.layout import RECENT_HASH, RECENT_HASHES
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import load_8, multiply_wide

PAIR_BYTES = 64
_SALT = (U(0x2D358DCCAA6C78A5), U(0x8BB84B93962EACC9), U(0x4B33A62ED433D4A3), U(0x4D5A2DA51DE1AA47))


@kernel(inline=True)
def _place_of(lanes):
    """Place of a preimage in the table."""
    a, b = multiply_wide(lanes[2] ^ lanes[6] ^ _SALT[0], lanes[3] ^ lanes[7] ^ _SALT[1])
    c, d = multiply_wide(lanes[0] ^ lanes[4] ^ _SALT[2] ^ a, lanes[1] ^ lanes[5] ^ _SALT[3] ^ b)
    return I((c ^ d) >> U(32)) & (RECENT_HASHES - 1)


@kernel(inline=True)
def _same_lanes(left, right):
    difference = (left[0] ^ right[0]) | (left[1] ^ right[1]) | (left[2] ^ right[2]) | (left[3] ^ right[3])
    difference |= (left[4] ^ right[4]) | (left[5] ^ right[5]) | (left[6] ^ right[6]) | (left[7] ^ right[7])
    return difference == U(0)


@kernel()
def hash_of_pair(machine, data, start):
    """Hash of 64 bytes of a uint8 array: one that is kept, or computed now and kept. As of `crypto.keccak_word`.

    Parameters
    ----------
    machine : pointer to `evm.layout.MACHINE`
    data : view of uint8
    start : int
    """
    lanes = (
        load_8(data, start),
        load_8(data, start + 8),
        load_8(data, start + 16),
        load_8(data, start + 24),
        load_8(data, start + 32),
        load_8(data, start + 40),
        load_8(data, start + 48),
        load_8(data, start + 56),
    )
    if machine.recent_hashes == 0:
        add_work(machine, cost_model.HASH_BLOCK, 1)
        return keccak_lanes(lanes)
    row = RECENT_HASH.item(machine.recent_hashes, RECENT_HASHES, _place_of(lanes))
    if row.generation == machine.recent_generation and _same_lanes(row.preimage, lanes):
        add_work(machine, cost_model.HASH_RECENT, 1)
        machine.recent_hits += U1
        return row.hash
    add_work(machine, cost_model.HASH_BLOCK, 1)
    word = keccak_lanes(lanes)
    row.preimage = lanes
    row.hash = word
    row.generation = machine.recent_generation
    return word
