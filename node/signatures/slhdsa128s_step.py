"""Step of SLH-DSA-SHA2-128s: a worker takes a transaction and verifies its signature, in kernels from end to end."""

from __future__ import annotations

from contend.evm.layout import TRANSACTION
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_u8
from contend.node.signatures.layout import RECOVERER, RECOVERY, SIGNED
from contend.node.signatures.recovery import is_own_key
from contend.node.signatures.slhdsa128s import KEY_BYTES, verify
from contend.node.signatures.taking import end_of, take
from contend.strategies.accounting import spend


@kernel()
def verify_slhdsa(shared, worker, number):
    """Verify the signature of a transaction, and write its sender into its row; False where it is not the key's."""
    signed = SIGNED.item(shared.signed, shared.count, number)
    spend(shared, worker, shared.cost_class, 1)
    key = signed.known_key
    if key == 0:
        if signed.key_size != KEY_BYTES or not is_own_key(shared, worker, signed):
            return False
        key = shared.keys + signed.key_at
    payloads = view_u8(shared.payloads, shared.payload_bytes)
    signature = view_u8(shared.signatures + signed.signature_at, signed.signature_size)
    is_right = verify(
        signature, signed.signature_size, payloads, signed.payload_at, signed.payload_size, view_u8(key, KEY_BYTES)
    )
    if is_right:
        TRANSACTION.item(shared.rows, shared.count, number).sender = signed.account
    return is_right


@native("int64(int64, int64)")
def slhdsa_step(shared_address, worker_address):
    """Take a transaction and verify its signature."""
    shared, worker = RECOVERY.at(shared_address), RECOVERER.at(worker_address)
    number = take(shared)
    return end_of(shared, worker, number, number < shared.count and verify_slhdsa(shared, worker, number))
