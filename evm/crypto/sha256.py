"""SHA-256 (FIPS 180-4) in a kernel, for the precompiled contract: no library offers a stable address for it.

Whole blocks are compressed where they lie; the last bytes are copied behind each other with the padding (section
5.1.1): a one bit, zeros, and the message's length in bits as eight bytes.
"""

from __future__ import annotations

import numpy as np

from contend.evm.crypto.hash_blocks import block_count
from contend.evm.crypto.sha256_rounds import BLOCK_BYTES, INITIAL, compress
from contend.evm.runtime.integers import U0, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import address_of_view, stack_buffer, swap_bytes, view_u8

_INITIAL_PAIRS = np.array(INITIAL, "<u4").view("<u8")
_PAIRS, _LAST_WORDS = len(_INITIAL_PAIRS), 2 * BLOCK_BYTES // 8
_ONE_BIT = np.uint8(0x80)


@kernel()
def sha256_into(data, size, output):
    """Hash `size` bytes into 32 of `output`, which may not overlap them."""
    state, last = stack_buffer(4), stack_buffer(16)
    for i in range(_PAIRS):
        state[i] = _INITIAL_PAIRS[i]
    whole = size // BLOCK_BYTES
    if whole > 0:
        compress(address_of_view(state), address_of_view(data), whole)
    done, blocks = whole * BLOCK_BYTES, block_count(size) - whole
    for i in range(_LAST_WORDS):
        last[i] = U0
    end = view_u8(address_of_view(last), 8 * _LAST_WORDS)
    for i in range(size - done):
        end[U(i)] = data[U(done + i)]
    end[U(size - done)] = _ONE_BIT
    last[blocks * (BLOCK_BYTES // 8) - 1] = swap_bytes(U(size) << U(3))
    compress(address_of_view(state), address_of_view(last), blocks)
    words = view_u8(address_of_view(state), 8 * _PAIRS)
    # Each word of the state lies with its lowest byte first.
    for i in range(8 * _PAIRS):
        output[U(i)] = words[U(i ^ 3)]
