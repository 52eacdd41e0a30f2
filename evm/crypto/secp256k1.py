"""secp256k1: the account whose key signed, by libsecp256k1, which kernels call by the addresses of its functions.

The library comes with coincurve. Its context is the static one, which recovers and writes nothing, so that any number
of threads may use it at once; nothing here takes the GIL.
"""

from __future__ import annotations

from contend.evm.crypto.alt_bn128 import field
from contend.evm.crypto.keccak import keccak_word
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import address_of_view, call_4, call_5, view_u8, view_u64
from contend.evm.u256 import get_at, is_zero, less

# What is called of the library, by its place in a table of addresses.
CONTEXT, PARSE, RECOVER, SERIALIZE = range(4)
LIBRARY_WORDS = 4
# Memory that `recover_into` works in: hash, r and s, 4 words each, then what it hands to the library.
SPACE_WORDS = 64
HASH, R, S = 0, 4, 8
_UNCOMPRESSED = 2
_ORDER = field.limbs_of(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141)


@kernel()
def recover_into(library_address, m, parity):
    """Recover who signed (Yellow Paper, appendix E); False where nobody can have.

    Parameters
    ----------
    library_address : int
        Of a table of `LIBRARY_WORDS` words.
    m : array of `SPACE_WORDS` uint64
        With hash, r and s. On return the hash of the key stands where the hash stood: its low 160 bits are an address.
    parity : int
        Of the point: 0 or 1.
    """
    r, s = get_at(m, R), get_at(m, S)
    if is_zero(r) or is_zero(s) or not (less(r, _ORDER) and less(s, _ORDER)):
        return False
    own = address_of_view(m)
    message, compact, signature, key, written, length = (own + 128, own + 160, own + 224, own + 296, own + 368,
                                                         own + 448)  # fmt: skip
    bytes_ = view_u8(own, 512)
    field.take_number(bytes_, 128, m, HASH)
    field.take_number(bytes_, 160, m, R)
    field.take_number(bytes_, 192, m, S)
    library = view_u64(library_address, LIBRARY_WORDS)
    context, low = I(library[CONTEXT]), I(0xFFFFFFFF)
    if call_4(I(library[PARSE]), context, signature, compact, parity) & low == 0:
        return False
    if call_4(I(library[RECOVER]), context, key, signature, message) & low == 0:
        return False
    m[56] = U(65)
    call_5(I(library[SERIALIZE]), context, written, length, key, I(_UNCOMPRESSED))
    hashed = keccak_word(bytes_, 369, 64)
    for i in range(4):
        m[HASH + i] = hashed[i]
    return True


def library_functions() -> dict[int, int] | None:
    """Addresses of what `recover_into` calls, by their places; None where no libsecp256k1 that has them is."""
    try:
        from coincurve._libsecp256k1 import ffi, lib

        def address_of(name: str) -> int:
            return int(ffi.cast("uintptr_t", ffi.addressof(lib, name)))

        return {
            CONTEXT: int(ffi.cast("uintptr_t", lib.secp256k1_context_static)),
            PARSE: address_of("secp256k1_ecdsa_recoverable_signature_parse_compact"),
            RECOVER: address_of("secp256k1_ecdsa_recover"),
            SERIALIZE: address_of("secp256k1_ec_pubkey_serialize"),
        }
    # The binding is none of coincurve's public interface: another version may lack a name, or bind by another way.
    except (ImportError, AttributeError, TypeError):
        return None
