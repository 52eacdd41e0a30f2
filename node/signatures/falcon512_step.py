"""Step of Falcon-512: a worker takes a transaction and verifies its signature, in kernels from end to end.

Where a transaction carries a key, that has to be the one of the account that it names: a table has the address that is
made of it.
"""

from __future__ import annotations

from contend.evm.layout import TRANSACTION
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import stack_buffer, view_u8, view_u64
from contend.node.signatures.falcon512 import read_key, verify
from contend.node.signatures.layout import RECOVERER, RECOVERY, SIGNED
from contend.node.signatures.recovery import is_own_key
from contend.node.signatures.taking import end_of, take
from contend.strategies.accounting import spend
from contend.strategies.clocks import cost_table

DEGREE = 512
COST_KEY = cost_table.SIGNATURE_FALCON512_KEY


@kernel()
def _is_signed(shared, signed, key):
    signatures = view_u8(shared.signatures, shared.signature_bytes)
    payloads = view_u8(shared.payloads, shared.payload_bytes)
    return verify(
        signatures, signed.signature_at, signed.signature_size, payloads, signed.payload_at, signed.payload_size, key
    )


@kernel()
def verify_falcon(shared, worker, number):
    """Verify the signature of a transaction, and write its sender into its row; False where it is not the key's."""
    signed = SIGNED.item(shared.signed, shared.count, number)
    spend(shared, worker, shared.cost_class, 1)
    if signed.known_key != 0:
        is_right = _is_signed(shared, signed, view_u64(signed.known_key, DEGREE))
    else:
        spend(shared, worker, COST_KEY, 1)
        key = stack_buffer(512)
        is_right = read_key(view_u8(shared.keys, shared.key_bytes), signed.key_at, signed.key_size, key)
        is_right = is_right and is_own_key(shared, worker, signed) and _is_signed(shared, signed, key)
    if is_right:
        TRANSACTION.item(shared.rows, shared.count, number).sender = signed.account
    return is_right


@native("int64(int64, int64)")
def falcon_step(shared_address, worker_address):
    """Take a transaction and verify its signature."""
    shared, worker = RECOVERY.at(shared_address), RECOVERER.at(worker_address)
    number = take(shared)
    return end_of(shared, worker, number, number < shared.count and verify_falcon(shared, worker, number))
