"""Memory layout of signed blocks and of the workers that find out who sent their transactions."""

from __future__ import annotations

from contend.evm.runtime.structs import ADDRESS, I64, LINE_U64, U64, Struct

# A transaction as it came: what was signed, the signature, and the key where it carries one, in bytes; and the account
# that it names as its sender, where the key alone does not tell.
SIGNED = Struct(
    "Signed",
    payload_at=I64,
    payload_size=I64,
    signature_at=I64,
    signature_size=I64,
    key_at=I64,
    key_size=I64,
    account=ADDRESS,
    known_key=I64,  # address of the account's key as the scheme's kernels have it, where no key is carried
)
# An account by the address of its key, where that is not its own: a row of an open-addressing table, found by the
# lowest word of the key's address. One cache line.
REGISTERED = Struct("Registered", key=ADDRESS, account=ADDRESS, is_used=U64, unused=U64)
RECOVERY = Struct(
    "Recovery",
    costs=I64,  # address of the cost table, picoseconds by class
    cost_class=I64,  # of a verification
    library=I64,  # address of what is called of libsecp256k1 (`evm.crypto.secp256k1`)
    verify=I64,  # address of ``int64 verify(int64 number)`` in Python, for schemes that a library has without addresses
    count=I64,  # transactions
    signed=I64,  # address of a SIGNED a transaction
    payloads=I64,
    payload_bytes=I64,
    signatures=I64,
    signature_bytes=I64,
    keys=I64,
    key_bytes=I64,
    registry=I64,  # address of REGISTERED rows, and their number less one; no rows where accounts are their keys'
    registry_mask=I64,
    rows=I64,  # address of the rows of the block's image, which get the senders
    forged=I64,  # address of a word a transaction: 1 where its signature is nobody's
    taken=LINE_U64,  # transactions that have been taken
)
RECOVERER = Struct("Recoverer", cost_ps=U64)
