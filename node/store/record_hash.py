"""Keys of records, and their hash: where a record lies in a file, and whether it is among those in the cache.

The hash is part of the format of files: whoever changes it changes the version (`node.store.page_file`).
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.runtime.integers import U0, U
from contend.evm.runtime.jit import kernel
from contend.node.store.layout import ACCOUNT, CODE

_ADDRESS_TOP, _TAG_SHIFT = U(0xFFFFFFFF), U(32)
_ACCOUNT_TAG, _CODE_TAG = U(ACCOUNT << 32), U(CODE << 32)
_MULTIPLIER, _FINISH = U(0x9E3779B97F4A7C15), U(0xBF58476D1CE4E5B9)
_HALF, _CACHE_SALT = U(32), U(0xD6E8FEB86659FD93)
KIND_SHIFT, KIND_MASK = U(layout.KIND_SHIFT), U(layout.KIND_MASK)


@kernel(inline=True)
def slot_record(key):
    """Key of the record of a slot, by that of its location; its generation is left out."""
    return key[0], key[1], key[2] & _ADDRESS_TOP, key[3], key[4], key[5], key[6]


@kernel(inline=True)
def account_record(key):
    """Key of the record of an account, by that of any location of it."""
    return key[0], key[1], (key[2] & _ADDRESS_TOP) | _ACCOUNT_TAG, U0, U0, U0, U0


@kernel(inline=True)
def code_record(word):
    """Key of the record of a code, by its hash."""
    return U0, U0, _CODE_TAG, word[0], word[1], word[2], word[3]


@kernel(inline=True)
def _mixed(value):
    value = (value ^ (value >> _HALF)) * _FINISH
    return value ^ (value >> _HALF)


@kernel()
def hash_record(salt, key):
    """Hash of a record's key: a product a word (multiplicative hashing), finished as in splitmix64."""
    value = salt
    for i in range(7):
        value = (value ^ key[i]) * _MULTIPLIER
        value ^= value >> _HALF
    return _mixed(value)


@kernel(inline=True)
def hash_for_cache(seed, key):
    """Another hash, by which it is drawn what lies in the cache."""
    return _mixed(hash_record(seed ^ _CACHE_SALT, key))
