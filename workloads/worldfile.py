"""Accounts and access lists in JSON, as test vectors and clients write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workloads.fields import Field

if TYPE_CHECKING:
    from evm.accounts import Account
    from evm.block import AccessList


def account_of(content: Field) -> Account:
    """An account: balance, nonce, code and storage, each of which may be absent."""
    from evm.accounts import Account

    balance, nonce, code = (content.get(name) for name in ("balance", "nonce", "code"))
    return Account(
        0 if balance is None else balance.integer(),
        0 if nonce is None else nonce.integer(64),
        b"" if code is None else code.octets(),
        storage_of(content.get("storage")),
    )


def storage_of(content: Field | None) -> dict[int, int]:
    """Words by slot; none where there is no such field."""
    if content is None:
        return {}
    return {content.named(slot).integer(): value.integer() for slot, value in content.items()}


def world_of(content: Field) -> dict[bytes, Account]:
    """Accounts by address."""
    return {content.named(name).octets(20): account_of(account) for name, account in content.items()}


def access_list_of(content: Field | None) -> AccessList:
    """An access list; empty where there is none."""
    if content is None:
        return ()
    return tuple(
        (entry["address"].octets(20), tuple(slot.integer() for slot in entry["storageKeys"].elements()))
        for entry in content.elements()
    )
