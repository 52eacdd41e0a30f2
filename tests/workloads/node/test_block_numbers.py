"""Numbers of blocks as they are asked for."""

from __future__ import annotations

import pytest

from contend.workloads.node.block_numbers import MOST_BLOCKS, block_numbers
from contend.workloads.node.node_error import NodeError


def test_numbers_ranges_and_the_newest() -> None:
    assert block_numbers(["7", "0xa", "3..5", "latest", "4", "0..0x1"]) == [7, 10, 3, 4, 5, None, 0, 1]


@pytest.mark.parametrize(
    "text", ["", "-1", "07", "0x0a", "1_0", "1e3", "5..3", "..", "1..", "..2", "1...3", "1..2..3", "\u0663", "newest",
             f"{1 << 64}", f"0..{MOST_BLOCKS}", "9" * 5_000]
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NodeError):
        block_numbers([text])


def test_all_ranges_together_are_bounded() -> None:
    with pytest.raises(NodeError, match="at most"):
        block_numbers([f"0..{MOST_BLOCKS - 1}", f"{MOST_BLOCKS}"])


def test_a_url_in_the_wrong_place_is_not_shown() -> None:
    with pytest.raises(NodeError) as caught:
        block_numbers(["https://host/k3y"])
    assert "k3y" not in str(caught.value)
