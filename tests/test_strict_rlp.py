"""Strict RLP: as the public library decodes it strictly, but for what no block has."""

from __future__ import annotations

import pytest
import rlp
from hypothesis import example, given
from hypothesis import strategies as st

from contend.strict_rlp import MOST_LEVELS, Item, RlpError, decode

anything = st.recursive(
    st.binary(max_size=60) | st.sampled_from([bytes(size) for size in (55, 56, 255, 256)]), st.lists, max_leaves=20
)


@given(value=anything)
def test_what_is_encoded_is_decoded(value: Item) -> None:
    assert decode(bytes(rlp.encode(value))) == value


@given(data=st.binary(max_size=80) | st.tuples(anything, st.binary(max_size=3), st.integers(0, 60)).map(
    lambda drawn: (encoded := bytes(rlp.encode(drawn[0])))[: drawn[2]] + drawn[1] + encoded[drawn[2] + 1 :]
))  # fmt: skip
@example(b"\x81\x7f")
@example(b"\xb8\x37" + bytes(55))
@example(b"\xf8\x37" + bytes(55))
@example(b"\xb9\x00\x38" + bytes(56))
@example(b"\xf9\x00\x38" + bytes(56))
@example(b"\xc2\x81")
@example(b"\xc3\xb8\x38\x00")
@example(b"\x80\x80")
@example(b"\xf8")
@example(b"\xbf" + b"\xff" * 8)
def test_the_two_decoders_take_the_same(data: bytes) -> None:
    try:
        right = rlp.decode(data, strict=True)
    except rlp.exceptions.DecodingError:
        with pytest.raises(RlpError):
            decode(data)
    else:
        assert decode(data) == right


def of(item: bytes, count: int) -> bytes:
    """A list of so many of an item that is encoded."""
    size = len(item) * count
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0xF7 + len(length)]) + length + item * count


def test_lists_are_no_more_than_the_bytes_of_a_block_hold() -> None:
    count = 1 << 18
    # Nothing in a block has more lists than an access list of addresses without slots.
    entry = bytes(rlp.encode([bytes(20), []]))
    assert decode(of(entry, count)) == [[bytes(20), []]] * count
    with pytest.raises(RlpError, match="more lists than so many bytes have"):
        decode(of(b"\xc0", count))
    assert decode(of(b"\xc0", count), bytes_a_list=1) == [[]] * count


def test_levels_are_no_more_than_those_of_a_block() -> None:
    data = b"\xc0"
    for _ in range(MOST_LEVELS - 1):
        data = bytes([0xC0 + len(data)]) + data
    decode(data)
    with pytest.raises(RlpError, match="nested too deeply"):
        decode(bytes([0xC0 + len(data)]) + data)
    # However many there are, Python's stack is not what ends it.
    deep = b"\xc0"
    for _ in range(5000):
        size = len(deep).to_bytes((len(deep).bit_length() + 7) // 8, "big")
        deep = (bytes([0xC0 + len(deep)]) if len(deep) < 56 else bytes([0xF7 + len(size)]) + size) + deep
    with pytest.raises(RlpError, match="nested too deeply"):
        decode(deep)
