"""Keccak-256 without a kernel: what reads files and describes workloads must not wait for the compiler."""

from __future__ import annotations

from Crypto.Hash import keccak


def keccak_digest(data: bytes) -> bytes:
    """Hash of `data`, 32 bytes, as `contend.evm.keccak256` gives it."""
    return keccak.new(data=data, digest_bits=256).digest()
