"""Curve BLS12-381 as precompiled contracts (EIP-2537), on arkworks; input checks and gas as the EIP says.

Every function takes the contract's input and returns its output, or None where the contract fails. An element of the
prime field is 64 bytes, the first 16 of which are zero; a point of the first group is two, of the second four.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

MODULUS = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
_PADDING, _ELEMENT, _SCALAR = 16, 64, 32
_FIRST, _SECOND = 2 * _ELEMENT, 4 * _ELEMENT


def _element(data: bytes) -> bytes | None:
    """Bytes of a field element without their padding; None where they are none."""
    bare = data[_PADDING:]
    return bare if data[:_PADDING] == bytes(_PADDING) and int.from_bytes(bare, "big") < MODULUS else None


def _elements(data: bytes) -> bytes | None:
    """Bytes of several field elements without their padding; None where one is none."""
    parts = [_element(data[at : at + _ELEMENT]) for at in range(0, len(data), _ELEMENT)]
    return None if None in parts else b"".join(part for part in parts if part is not None)


def _point(group: Any, data: bytes, checked: bool) -> Any:
    """Read a point, of the right subgroup where that is to be checked; None where there is none. Zeros are infinity."""
    bare = _elements(data)
    if bare is None:
        return None
    if not any(bare):
        return group.identity()
    try:
        return (group.from_xy_bytes_be if checked else group.from_xy_bytes_unchecked_be)(bare)
    except ValueError:
        return None


def _encoded(point: Any) -> bytes:
    bare = bytes(point.to_xy_bytes_be())
    size = _ELEMENT - _PADDING
    return b"".join(bytes(_PADDING) + bare[at : at + size] for at in range(0, len(bare), size))


def _sum(group: Any, size: int, data: bytes) -> bytes | None:
    if len(data) != 2 * size:
        return None
    a, b = (_point(group, part, checked=False) for part in (data[:size], data[size:]))
    return None if a is None or b is None else _encoded(a + b)


def _multiples(group: Any, size: int, data: bytes) -> bytes | None:
    step = size + _SCALAR
    if not data or len(data) % step:
        return None
    points, scalars = [], []
    for at in range(0, len(data), step):
        point = _point(group, data[at : at + size], checked=True)
        if point is None:
            return None
        points.append(point)
        scalars.append(Scalar.from_be_bytes_mod_order(data[at + size : at + step]))
    return _encoded(group.multiexp_unchecked(points, scalars))


def g1_add(data: bytes) -> bytes | None:
    """Sum of two points of the first group's curve."""
    return _sum(G1Point, _FIRST, data)


def g1_multiples(data: bytes) -> bytes | None:
    """Sum of multiples of points of the first group."""
    return _multiples(G1Point, _FIRST, data)


def g2_add(data: bytes) -> bytes | None:
    """Sum of two points of the second group's curve."""
    return _sum(G2Point, _SECOND, data)


def g2_multiples(data: bytes) -> bytes | None:
    """Sum of multiples of points of the second group."""
    return _multiples(G2Point, _SECOND, data)


def pairing_check(data: bytes) -> bytes | None:
    """Whether a product of pairings is one."""
    step = _FIRST + _SECOND
    if not data or len(data) % step:
        return None
    firsts, seconds = [], []
    for at in range(0, len(data), step):
        first = _point(G1Point, data[at : at + _FIRST], checked=True)
        second = _point(G2Point, data[at + _FIRST : at + step], checked=True)
        if first is None or second is None:
            return None
        firsts.append(first)
        seconds.append(second)
    return bytes(31) + bytes([GT.pairing_check(firsts, seconds)])


def map_to_g1(data: bytes) -> bytes | None:
    """Point of the first group for a field element."""
    bare = _elements(data) if len(data) == _ELEMENT else None
    return None if bare is None else _encoded(G1Point.map_from_fp_be(bare))


def map_to_g2(data: bytes) -> bytes | None:
    """Point of the second group for an element of the quadratic extension."""
    bare = _elements(data) if len(data) == 2 * _ELEMENT else None
    return None if bare is None else _encoded(G2Point.map_from_fp2_be(bare))


def _multiples_gas(data: bytes, size: int, one: int, discounts: Sequence[int]) -> int:
    count = len(data) // (size + _SCALAR)
    return count * one * discounts[min(count, len(discounts)) - 1] // 1000 if count else 0


def g1_multiples_gas(data: bytes) -> int:
    """Gas of a sum of multiples, the more the cheaper each."""
    return _multiples_gas(data, _FIRST, 12_000, _FIRST_DISCOUNTS)


def g2_multiples_gas(data: bytes) -> int:
    """Gas of a sum of multiples, the more the cheaper each."""
    return _multiples_gas(data, _SECOND, 22_500, _SECOND_DISCOUNTS)


def pairing_gas(data: bytes) -> int:
    """Gas of a product of pairings."""
    return 37_700 + 32_600 * (len(data) // (_FIRST + _SECOND))


# Thousandths of the price of one multiple, for 1, 2, ... of them.
_FIRST_DISCOUNTS = (
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665, 661, 658, 654, 651,
    648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604, 603, 601,
    599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577, 576, 575, 574, 573, 572, 570,
    569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547,
    547, 546, 545, 544, 543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531, 530, 529, 528,
    528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519,
)  # fmt: skip
_SECOND_DISCOUNTS = (
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699, 693, 688, 683, 679,
    674, 670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629, 627, 624, 622, 620, 618, 615, 613, 611,
    609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592, 590, 589, 587, 586, 584, 583, 582, 580, 579, 578, 576, 575,
    574, 573, 571, 570, 569, 568, 567, 566, 565, 563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551,
    550, 549, 548, 547, 546, 545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535, 534, 533, 532,
    532, 531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524,
)  # fmt: skip
assert len(_FIRST_DISCOUNTS) == len(_SECOND_DISCOUNTS) == 128
