"""What a whole node takes: each row is of runs that were verified, and the page says what reaches the promise."""

from __future__ import annotations

import pytest

pytest.importorskip("coincurve", reason="libsecp256k1 comes with coincurve")

from tools.docs.full_node import BEGIN, END, NODES, STRATEGIES, rates, takes, text
from tools.docs.whole_node import PAGE, WORKLOADS


def test_the_page_has_a_row_for_each() -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    generated, after = rest.split(END)
    assert "bottleneck with the most" not in before + after
    for node in NODES:
        for strategy in STRATEGIES:
            assert generated.count(f"\n| {node} | `{strategy}` | ") == len(WORKLOADS)


def test_a_node_with_its_stages_is_slower_than_execution_alone() -> None:
    bare, whole = rates({}, 60), rates(NODES["nvme, read when touched"], 60)
    assert bare.keys() == whole.keys()
    assert all(whole[key][0] < bare[key][0] for key in bare)
    assert all(limit for _, limit in whole.values())
    found = {"bare": bare, "whole": whole}
    told = list(takes(found, WORKLOADS[0]))
    assert len(told) == len(found)
    assert "not reached" in told[1] or "workers, by" in told[1]
    lines = [line for line in text(found).splitlines() if line.startswith("| ")]
    assert len({line.count(" | ") for line in lines if not line.startswith("| ---")}) == 1
    assert len(lines) == len(WORKLOADS) * (2 + len(found) * len(STRATEGIES))
