"""Prestate: accounts and access lists in JSON, in the form of geth's prestateTracer and of official test vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contend.workloads.files.fields import Field, unique

if TYPE_CHECKING:
    from contend.evm.accounts import Account
    from contend.evm.block import AccessList


def read_account(content: Field) -> Account:
    """Read an account: balance, nonce, code and storage, each of which may be absent."""
    from contend.evm.accounts import Account

    balance, nonce, code = (content.get(name) for name in ("balance", "nonce", "code"))
    return Account(
        0 if balance is None else balance.integer(),
        0 if nonce is None else nonce.integer(64),
        b"" if code is None else code.octets(),
        read_storage(content.get("storage")),
    )


def read_storage(content: Field | None) -> dict[int, int]:
    """Read an account's storage: word by slot, empty where the field is absent."""
    if content is None:
        return {}
    return unique(((content.named(slot).word(), value.word()) for slot, value in content.items()), content)


def read_prestate(content: Field) -> dict[bytes, Account]:
    """Read the accounts before a block or transaction, by address of 20 bytes."""
    return unique(
        ((content.named(name).octets(20), read_account(account)) for name, account in content.items()), content
    )


def read_access_list(content: Field | None) -> AccessList:
    """Read a transaction's access list (EIP-2930); empty where the field is absent."""
    if content is None:
        return ()
    return tuple(
        (entry["address"].octets(20), tuple(slot.word() for slot in entry["storageKeys"].elements()))
        for entry in content.elements()
    )
