"""``python -m tools.signature_triples SCHEME``: make the stored triples of a scheme anew.

Needs a package that signs by it, which is no dependency: nobody has to sign who measures. For ``falcon512`` that is
``tdc-falcon`` 1.0.2, which has the reference implementation in C; for ``slhdsa128s`` it is ``pqcrypto`` 1.0.0, whose
signatures are FIPS 205's of the message itself with an empty context. Keys and signatures are drawn at random; the
messages are those of `StoredScheme.message_of`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from contend.node.signatures.stored_triples import COUNT, FALCON512, SLHDSA128S, StoredScheme

Signed = tuple[bytes, bytes]


def by_falcon(message: bytes) -> Signed:
    """A key and its signature of a message, padded with zeros to the size of the padded format."""
    import tdc_falcon

    key, secret = tdc_falcon.generate_keypair_random()
    signature = b""
    while not 0 < len(signature) <= FALCON512.signature_bytes:
        signature = tdc_falcon.sign(secret, message)
    if not tdc_falcon.verify(key, message, signature):
        raise RuntimeError("falcon512: a signature is not what it should be")
    return bytes(key), bytes(signature).ljust(FALCON512.signature_bytes, b"\0")


def by_slhdsa(message: bytes) -> Signed:
    """A key and its signature of a message."""
    from pqcrypto.sign import slh_dsa_sha2_128s as scheme

    key, secret = scheme.keygen()
    return bytes(key), bytes(scheme.sign(secret, message))


SIGNERS: dict[str, tuple[StoredScheme, str, Callable[[bytes], Signed]]] = {
    FALCON512.name: (FALCON512, "tdc-falcon 1.0.2", by_falcon),
    SLHDSA128S.name: (SLHDSA128S, "pqcrypto 1.0.0", by_slhdsa),
}


def main(arguments: list[str]) -> int:
    """Write the file; the exit code."""
    if len(arguments) != 1 or arguments[0] not in SIGNERS:
        print(f"which scheme? one of {', '.join(SIGNERS)}", file=sys.stderr)
        return 2
    scheme, package, sign = SIGNERS[arguments[0]]
    made = []
    try:
        for number in range(COUNT):
            key, signature = sign(scheme.message_of(number))
            if len(key) != scheme.key_bytes or len(signature) != scheme.signature_bytes:
                raise RuntimeError(f"{scheme.name}: key or signature is of another size")
            made.append(key + signature)
    except ImportError:
        print(f"the package {package} is needed", file=sys.stderr)
        return 2
    scheme.file.write_bytes(b"".join(made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
