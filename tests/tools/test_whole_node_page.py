"""The page of the whole node: its table has a row for each way to sign, made by running each."""

from __future__ import annotations

import pytest

pytest.importorskip("coincurve", reason="libsecp256k1 comes with coincurve")

from tools.docs.whole_node import BEGIN, CELLS, END, PAGE, WORKLOADS, processor_time, schemes, table, throughput


def test_the_page_has_a_row_for_each_or_none_yet() -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    generated, after = rest.split(END)
    assert "| us a tx |" not in before + after
    assert len(schemes()) >= 4
    for asked in schemes():
        assert not generated.strip() or f"\n| {' '.join(asked.values()) or 'none'} | " in generated


def test_figures_are_of_runs_that_were_verified() -> None:
    bare, signed = throughput({}, 60), throughput({"signatures": "secp256k1"}, 60)
    assert bare.keys() == signed.keys()
    assert {(load, *cell) for load in WORKLOADS for cell in CELLS} <= bare.keys()
    assert all(signed[key] < bare[key] for key in bare)
    took, facts = processor_time({"signatures": "falcon512", "keys": "registry"}, 60, 1)
    assert took > 0
    assert facts["signature_bytes"] == 60 * 666


def test_every_row_is_as_long_as_the_heading() -> None:
    row = ["x"] * (3 + len(WORKLOADS) * len(CELLS))
    first, second, third = table([row]).splitlines()[:3]
    assert first.count("|") == second.count("|") == third.count("|")
