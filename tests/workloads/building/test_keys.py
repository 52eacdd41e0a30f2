"""Keys of accounts: real ones, the same everywhere, with or without a library in C."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm.crypto.curves import SECP256K1_ORDER, recover
from contend.workloads.building import keys
from contend.workloads.building.accounts import Accounts, named_account


def recovered(digest: bytes, signature: bytes) -> bytes:
    """Signer, as the precompiled contract finds it."""
    return recover(digest + bytes(31) + signature[64:] + signature[:64])[12:]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1 << 62), st.text(max_size=10), st.binary(min_size=32, max_size=32))
def test_signatures_are_recovered_and_the_same_in_python(seed: int, name: str, digest: bytes) -> None:
    secret = keys.derived_key(seed, name)
    signature = keys.sign(secret, digest)
    address = keys.address_of(secret)
    assert recovered(digest, signature) == address
    assert int.from_bytes(signature[32:64], "big") <= SECP256K1_ORDER // 2
    assert signature == keys.sign_in_python(secret, digest)
    assert address == keys.address_in_python(secret)


def test_the_order_is_that_of_the_curve() -> None:
    assert keys._ORDER == SECP256K1_ORDER


def test_accounts_with_keys_depend_on_the_seed_and_others_do_not() -> None:
    one, again, other = (keys.KeyedAccounts(("keeper",), seed) for seed in (1, 1, 2))
    assert one[0] == again[0] != other[0]
    assert one[one.roles["keeper"]] not in (one[0], other[other.roles["keeper"]])
    digest = bytes(range(32))
    assert recovered(digest, one.sign(one[0], digest)) == one[0]
    with pytest.raises(LookupError):
        one.sign(other[0], digest)
    plain = keys.RoleAccounts(("keeper",))
    assert plain[5] == Accounts()[5]
    assert plain[plain.roles["keeper"]] == named_account("keeper")
