"""Structs as kernels see them: by address, from Python, on the native stack, and none at all."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.kernel_cache import bounds_checked
from contend.evm.runtime.structs import I64, U64, U256, Struct, address_of, is_null

POINT = Struct("TestPoint", x=I64, y=U64, z=U256)


@kernel()
def _address(point: Any) -> Any:
    return address_of(point)


@kernel(inline=True)
def _move(point: Any, by: Any) -> Any:
    point.x += by
    point.y += U(1)


@kernel()
def _walk(steps: Any) -> Any:
    point = POINT.on_stack()
    point.x = I(0)
    point.y = U(0)
    for i in range(steps):
        _move(point, i)
    return point.x, point.y


@kernel()
def _sum(point: Any, depth: Any) -> Any:
    return point.x + I(point.y) if depth == 0 else _sum(point, depth - 1) + I(point.y)


@kernel()
def _walk_by_calls(depth: Any) -> Any:
    point = POINT.on_stack()
    point.x = I(7)
    point.y = U(7)
    return _sum(point, depth)


@kernel()
def _find(address: Any, count: Any, wanted: Any) -> Any:
    for i in range(count):
        point = POINT.item(address, count, i)
        if point.x == wanted:
            return address_of(point)
    return address_of(POINT.at(I(0)))


@kernel()
def _is_none(point: Any) -> Any:
    return is_null(point)


@kernel()
def _item_beyond(address: Any) -> Any:
    return POINT.item(address, 2, 2).x


@pytest.mark.bounds
def test_python_hands_a_struct_over_by_its_address() -> None:
    points = POINT.zeros(2)
    address = points.ctypes.data
    assert _address(POINT.ref(address)) == address
    assert not _is_none(POINT.ref(address))
    assert _is_none(POINT.ref(0))


@pytest.mark.bounds
def test_a_struct_may_live_on_the_native_stack() -> None:
    assert _walk(5) == (10, 5)


def test_a_struct_on_the_stack_of_inlined_kernels_needs_no_memory() -> None:
    # LLVM keeps its fields in registers, unless the pointer goes to a kernel that is called.
    if bounds_checked():
        pytest.skip("checked kernels keep more in memory")
    assert _walk(5) == (10, 5)
    assert _walk_by_calls(1) == 21
    assert _room_on_stack(_walk_by_calls)
    assert not _room_on_stack(_walk)


def _room_on_stack(kernel: Any) -> list[str]:
    text = next(iter(kernel.inspect_llvm().values()))
    return re.findall(r"alloca .*\b6\b.*", text)


def test_items_lie_side_by_side_and_none_is_found_where_there_is_none() -> None:
    points = POINT.zeros(3)
    points["x"] = [7, 8, 9]
    address = points.ctypes.data
    assert _find(address, 3, 9) == address + 2 * POINT.words * 8
    assert _find(address, 3, 1) == 0


def test_python_reads_structs_at_an_address_in_place() -> None:
    points = POINT.zeros(2)
    view = POINT.array_at(points.ctypes.data, 2)
    view[1]["z"] = (1, 2, 3, (1 << 64) - 1)
    assert points[1]["z"].tolist() == [1, 2, 3, (1 << 64) - 1]
    points[1]["x"] = -5
    assert view["x"].tolist() == [0, -5]


@pytest.mark.bounds
@pytest.mark.skipif(not bounds_checked(), reason="only with NUMBA_BOUNDSCHECK=1")
def test_an_item_beyond_the_count_is_an_error() -> None:
    points = POINT.zeros(2)
    with pytest.raises(IndexError, match="struct index out of bounds"):
        _item_beyond(np.int64(points.ctypes.data))
