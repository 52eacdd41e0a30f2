"""Tries by keys that are not hashed: long common beginnings, short nodes, as no hash ever makes them."""

from __future__ import annotations

import numpy as np
import pytest
import rlp
from hypothesis import example, given
from hypothesis import strategies as st
from trie import HexaryTrie

from contend.evm import Changes, keccak256
from contend.evm.layout import KIND_STORAGE
from contend.evm.state import location_key
from contend.node.state_root.layout import LEAF
from contend.node.state_root.state_trie import StateTrie
from contend.node.state_root.worker import UPDATE_ACCOUNTS

CONTRACT = bytes(20)
Contents = dict[bytes, int]


class PlainStorage(StateTrie):
    """The storage of one account by keys as they are: what hashes them is left out."""

    def set(self, words: Contents, workers: int) -> bytes:
        """Change words by key; the storage's root."""
        keys = np.repeat(location_key(CONTRACT, KIND_STORAGE)[None], len(words), axis=0)
        values = np.frombuffer(b"".join(word.to_bytes(32, "little") for word in words.values()), np.uint64)
        self.prepare(Changes(keys, values.reshape(-1, 4)), workers)
        rows, kept = len(words), self._arrays
        kept["row_keys"][:rows] = np.frombuffer(b"".join(words), np.uint64).reshape(-1, 4)
        kept["row_nibbles"][:rows] = [key[0] >> 4 for key in words]
        kept["row_accounts"][:rows] = 0
        changed = kept["changed"]
        changed[0] = np.zeros(1, changed.dtype)[0]
        for name in ("is_used", "has_nonce", "nonce", "has_slots"):
            changed[0][name] = 1
        row = self._row
        row["changed_count"], row["stage"], row["taken"] = 1, UPDATE_ACCOUNTS, UPDATE_ACCOUNTS << 32
        self.run(workers)
        account = int(changed[0]["account"]) & (LEAF - 1)
        return bytes(kept["branches"][int(kept["accounts"][account]["storage"])]["reference"].tobytes())


# Two keys of such a set may part at any nibble, the last one too, where leaves and branches are shorter than a hash.
heads = st.sampled_from([b"", b"\x00", b"\x0f", b"\xf0", b"\x12\x34", b"\x12\x35", bytes(15) + b"\x01"])
tails = st.binary(min_size=1, max_size=2)
keys = st.builds(
    lambda head, fill, tail: (head + bytes([fill]) * 32)[: 32 - len(tail)] + tail,
    heads,
    st.sampled_from([0, 0x11]),
    tails,
)
values = st.integers(0, 3) | st.integers(0, (1 << 256) - 1)
batches = st.lists(st.dictionaries(keys, values, min_size=1, max_size=12), min_size=1, max_size=6)
END = bytes(31)


@pytest.mark.bounds
@given(batches, st.sampled_from([1, 2]))
@example([{END + b"\x00": 1, END + b"\x01": 1}, {END + b"\x01": 0}], 1)
@example([{END + b"\x00": 1, END + b"\x01": 1, END + b"\x10": 1}, {END + b"\x10": 0}, {END + b"\x00": 0}], 1)
@example([{bytes([i]) + END: i + 1 for i in range(0, 256, 5)}, {bytes([i]) + END: 0 for i in range(0, 256, 5)}], 2)
def test_the_root_is_that_of_the_library(changes: list[Contents], workers: int) -> None:
    storage, library = PlainStorage(), HexaryTrie({})
    for words in changes:
        for key, word in words.items():
            if word:
                library[key] = rlp.encode(word.to_bytes((word.bit_length() + 7) // 8, "big"))
            elif key in library:
                library[key] = b""
        root = bytes(library.root_hash)
        assert storage.set(words, workers) == root
    assert root != keccak256(b"")
