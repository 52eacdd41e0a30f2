"""Recovery of senders: workers take one transaction after the other, find out who signed it, and write the sender.

A signature is checked as a node does it (Yellow Paper, appendix F, equations 308 to 316; EIP-2): `r` and `s` in their
ranges, `s` the lower of two, a point that is there. Whoever then is found has sent the transaction: with another
message, or another `r`, that is somebody else, who has neither nonce nor funds for it.

Schemes from which no key is recovered are verified: a transaction carries its sender's key, whose hash is the address
that the registry knows; or it names the sender, whose key is known. The library for them has no functions that could be
called by address, so the call takes the GIL, which the library gives back while it computes.
"""

from __future__ import annotations

from contend.evm.code import cost_model as evm_costs
from contend.evm.crypto import secp256k1
from contend.evm.crypto.alt_bn128 import field
from contend.evm.crypto.keccak import keccak_word
from contend.evm.layout import TRANSACTION
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import call_1, stack_buffer, view_u8
from contend.evm.u256 import get_at, less
from contend.node.signatures.layout import RECOVERER, RECOVERY, REGISTERED, SIGNED
from contend.node.signatures.taking import end_of, take
from contend.strategies.accounting import spend
from contend.strategies.clocks import cost_table

_SIGNATURE_BYTES = 65
_ADDRESS_TOP = U(0xFFFFFFFF)
# The least `s` that is the higher of two.
_HIGH = field.limbs_of(0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A1)
COST_KEY, COST_HASH_BLOCK = cost_table.SIGNATURE_KEY, evm_costs.HASH_BLOCK
HASH_BLOCK_BYTES = evm_costs.HASH_BLOCK_BYTES


@kernel()
def account_of(shared, low, middle, high):
    """The account that a key is of, three words: by the registry, or else the one whose address is the key's."""
    mask = shared.registry_mask
    if mask < 0:
        return low, middle, high
    place = I(low) & mask
    while True:
        row = REGISTERED.item(shared.registry, mask + 1, place)
        if row.is_used == U0:
            return low, middle, high
        key = row.key
        if key[0] == low and key[1] == middle and key[2] == high:
            account = row.account
            return account[0], account[1], account[2]
        place = (place + 1) & mask


@kernel()
def is_own_key(shared, worker, signed):
    """Whether the key that a transaction carries is that of the account that it names; paid for."""
    spend(shared, worker, COST_HASH_BLOCK, signed.key_size // HASH_BLOCK_BYTES + 1)
    hashed = keccak_word(view_u8(shared.keys, shared.key_bytes), signed.key_at, signed.key_size)
    account = signed.account
    known = account_of(shared, account[0], account[1], account[2])
    return known[0] == hashed[0] and known[1] == hashed[1] and known[2] == hashed[2] & _ADDRESS_TOP


@kernel()
def recover_sender(shared, number):
    """Find out who sent a transaction, and write it into its row; False where the signature is nobody's."""
    signed = SIGNED.item(shared.signed, shared.count, number)
    if signed.signature_size != _SIGNATURE_BYTES:
        return False
    m = stack_buffer(64)
    signatures, at = view_u8(shared.signatures, shared.signature_bytes), signed.signature_at
    parity = signatures[at + 64]
    if parity > 1:
        return False
    field.put_number(m, secp256k1.R, signatures, shared.signature_bytes, at)
    field.put_number(m, secp256k1.S, signatures, shared.signature_bytes, at + 32)
    if not less(get_at(m, secp256k1.S), _HIGH):
        return False
    payloads = view_u8(shared.payloads, shared.payload_bytes)
    hashed = keccak_word(payloads, signed.payload_at, signed.payload_size)
    for i in range(4):
        m[secp256k1.HASH + i] = hashed[i]
    if not secp256k1.recover_into(shared.library, m, I(parity)):
        return False
    row = TRANSACTION.item(shared.rows, shared.count, number)
    row.sender = account_of(shared, m[0], m[1], m[2] & _ADDRESS_TOP)
    return True


@native("int64(int64, int64)")
def recover_step(shared_address, worker_address):
    """Take a transaction and recover its sender."""
    shared, worker = RECOVERY.at(shared_address), RECOVERER.at(worker_address)
    number, is_right = take(shared), False
    if number < shared.count:
        is_right = recover_sender(shared, number)
        size = SIGNED.item(shared.signed, shared.count, number).payload_size
        spend(shared, worker, COST_HASH_BLOCK, size // HASH_BLOCK_BYTES + 1)
        spend(shared, worker, shared.cost_class, 1)
    return end_of(shared, worker, number, is_right)


@kernel()
def verify_sender(shared, worker, number):
    """Verify the signature of a transaction, and write its sender into its row; False where it is not the key's."""
    signed = SIGNED.item(shared.signed, shared.count, number)
    row = TRANSACTION.item(shared.rows, shared.count, number)
    is_right = call_1(shared.verify, number) == 1
    spend(shared, worker, shared.cost_class, 1)
    if signed.key_size > 0:
        hashed = keccak_word(view_u8(shared.keys, shared.key_bytes), signed.key_at, signed.key_size)
        spend(shared, worker, COST_HASH_BLOCK, signed.key_size // HASH_BLOCK_BYTES + 1)
        spend(shared, worker, COST_KEY, 1)
        if is_right:
            row.sender = account_of(shared, hashed[0], hashed[1], hashed[2] & _ADDRESS_TOP)
    elif is_right:
        row.sender = signed.account
    return is_right


@native("int64(int64, int64)")
def verify_step(shared_address, worker_address):
    """Take a transaction and verify its signature."""
    shared, worker = RECOVERY.at(shared_address), RECOVERER.at(worker_address)
    number = take(shared)
    return end_of(shared, worker, number, number < shared.count and verify_sender(shared, worker, number))
