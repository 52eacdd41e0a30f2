"""Signatures in JSON, as clients and official tests write them: of transactions, and of their authorisations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contend.workloads.files.fields import Field

if TYPE_CHECKING:
    from contend.evm.block import Signature


def read_signature(content: Field) -> Signature | None:
    """Read the signature of a transaction or of an authorisation; None where it has none, or one of zeros."""
    from contend.evm.block import Signature

    v, r, s = (content.get(name) for name in ("v", "r", "s"))
    v = content.get("yParity") if v is None else v
    if v is None or r is None or s is None:
        return None
    signature = Signature(v.integer(64), r.word(), s.word())
    return signature if signature.r or signature.s else None


def read_authorization_signatures(content: Field | None) -> tuple[Signature, ...]:
    """Read the signatures of a transaction's authorisations; none where not all of them have one."""
    found = [] if content is None else [read_signature(one) for one in content.elements()]
    signed = tuple(one for one in found if one is not None)
    return signed if len(signed) == len(found) else ()
