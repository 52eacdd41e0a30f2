"""``python -m tools.falcon_triples``: make the stored triples of Falcon-512 anew.

Needs the package ``tdc-falcon`` 1.0.2, which has the reference implementation in C and is no dependency: nobody has to
sign who measures. Keys and signatures are drawn at random; the messages are those of `falcon512_triples.message_of`.
"""

from __future__ import annotations

import sys

from contend.node.signatures.falcon512_triples import COUNT, FILE, KEY_BYTES, SIGNATURE_BYTES, message_of


def triple(number: int) -> bytes:
    """A key and its signature of a message, padded with zeros to the size of the padded format."""
    import tdc_falcon

    key, secret = tdc_falcon.generate_keypair_random()
    signature = b""
    while not 0 < len(signature) <= SIGNATURE_BYTES:
        signature = tdc_falcon.sign(secret, message_of(number))
    if len(key) != KEY_BYTES or not tdc_falcon.verify(key, message_of(number), signature):
        raise RuntimeError(f"triple {number}: not what it should be")
    return bytes(key) + bytes(signature).ljust(SIGNATURE_BYTES, b"\0")


def main() -> int:
    """Write the file; the exit code."""
    try:
        import tdc_falcon  # noqa: F401
    except ImportError:
        print("the package tdc-falcon 1.0.2 is needed", file=sys.stderr)
        return 2
    FILE.write_bytes(b"".join(triple(number) for number in range(COUNT)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
