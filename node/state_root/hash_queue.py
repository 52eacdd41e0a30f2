"""Hash queue: messages wait until there are as many of one length, in blocks, as there are lanes.

A queue belongs to a worker. Who writes a message asks for its place (`message_place`), writes it there, and hands it
over with the address that its hash is to go to (`hand_over`). Its hash is there when the queue has been emptied
(`hash_all`), or before.
"""

from __future__ import annotations

import numpy as np

from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import address_of_view, copy_words, store_8, view_u8
from contend.node.state_root.accounting import COST_LANE_BLOCK, spend
from contend.node.state_root.keccak_lanes import HASH_WORDS, LANES, hash_lanes
from contend.node.state_root.layout import MOST_BLOCKS, QUEUE_STARTS, STRIDES

_RATE = 136
_STRIDES = np.array(STRIDES, np.int64)
_STARTS = np.array(QUEUE_STARTS, np.int64)


@kernel(inline=True)
def blocks_of(size):
    """Blocks of a message of `size` bytes."""
    return I(size) // _RATE + 1


@kernel()
def message_place(worker, blocks):
    """Address at which the next message of so many blocks is to be written."""
    check(1 <= blocks <= MOST_BLOCKS)
    return address_of_view(worker.messages) + _STARTS[blocks] + I(worker.waiting[blocks]) * _STRIDES[blocks]


@kernel()
def _hash_waiting(worker, blocks):
    """Hash the messages of so many blocks, and write their hashes where they go."""
    hashes = address_of_view(worker.hashes)
    hash_lanes(address_of_view(worker.messages) + _STARTS[blocks], _STRIDES[blocks], blocks, hashes)
    for lane in range(I(worker.waiting[blocks])):
        copy_words(I(worker.targets[blocks * LANES + lane]), hashes + 8 * HASH_WORDS * lane, HASH_WORDS)
    worker.waiting[blocks] = U0


@kernel()
def hand_over(tries, worker, blocks, size, target):
    """Have the message of `size` bytes at its place hashed, its hash written at the address `target`."""
    data = view_u8(message_place(worker, blocks), _STRIDES[blocks])
    end = blocks * _RATE
    # What a writer leaves behind the end is within the eight bytes that it writes at once.
    for at in range(size, end, 8):
        store_8(data, at, U0)
    data[size] = U1
    data[end - 1] = data[end - 1] | U(0x80)
    waiting = I(worker.waiting[blocks])
    worker.targets[blocks * LANES + waiting] = U(target)
    worker.waiting[blocks] = U(waiting + 1)
    spend(tries, worker, COST_LANE_BLOCK, blocks)
    if waiting + 1 == LANES:
        _hash_waiting(worker, blocks)


@kernel()
def hash_all(worker):
    """Hash all that waits."""
    for blocks in range(1, MOST_BLOCKS + 1):
        if worker.waiting[blocks] != U0:
            _hash_waiting(worker, blocks)
