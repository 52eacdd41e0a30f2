"""Authorisations of a transaction in JSON (EIP-7702), as clients and official tests write them.

What `workloads.files.block_export` writes was never signed: there the signer stands in place of the signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contend.workloads.files.fields import Field

if TYPE_CHECKING:
    from contend.evm.block import Authorization

UNSIGNED = "authority"


def read_authorizations(content: Field | None) -> tuple[Authorization, ...] | None:
    """Read a transaction's authorisations, each signer recovered from the signature; None where the field is absent."""
    return None if content is None else tuple(_authorization(one) for one in content.elements())


def _authorization(content: Field) -> Authorization:
    from contend.evm.block import Authorization
    from contend.evm.crypto.authorities import authority_of

    address, nonce, chain_id = content["address"].octets(20), content["nonce"].integer(64), content["chainId"].integer()
    if UNSIGNED in content.mapping() and content.get("r") is None:
        signer = content.get(UNSIGNED)
        return Authorization(None if signer is None else signer.octets(20), address, nonce, chain_id)
    parity = content.get("yParity")
    y_parity = (content["v"] if parity is None else parity).integer(8)
    authority = authority_of(chain_id, address, nonce, y_parity, content["r"].word(), content["s"].word())
    return Authorization(authority, address, nonce, chain_id)
