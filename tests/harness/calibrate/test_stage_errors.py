"""Errors of the virtual clock in stages of a node, from cells of both clocks."""

from __future__ import annotations

from typing import Any

import pytest

from contend.harness.calibrate.stage_errors import compare_stages, median_by_workers, median_errors


def cell(strategy: str, workers: int, samples: list[dict[str, float]], verified: bool = True) -> dict[str, Any]:
    told = [{"process": 0, "round": place, "phases": phases} for place, phases in enumerate(samples)]
    return {"workload": "swaps", "strategy": strategy, "workers": workers, "verified": verified, "samples": told}


def phases(execute: float, recover: float, root: float) -> dict[str, float]:
    return {"recover": recover, "prepare": 0.0, "execute": execute, "commit": 0.0, "root": root}


def test_a_stage_is_held_against_serial_execution_of_its_own_round() -> None:
    # The second round's machine is twice as slow, in everything.
    wall = [
        cell("serial", 1, [phases(1.0, 4.0, 0.5), phases(2.0, 8.0, 1.0)]),
        cell("block_stm", 2, [phases(0.7, 2.0, 0.25), phases(1.4, 4.0, 0.5)]),
        cell("bal", 2, [phases(0.6, 2.0, 0.25), phases(1.2, 4.0, 0.5)]),
    ]
    virtual = [cell("serial", 1, [phases(10.0, 44.0, 5.0)]), cell("block_stm", 2, [phases(7.0, 22.0, 2.0)])]
    found = {(one.stage, one.workers): one for one in compare_stages(wall, virtual)}
    assert list(found) == [("recover", 1), ("root", 1), ("recover", 2), ("root", 2)]
    assert found["recover", 1].error == found["recover", 2].error == pytest.approx(0.1)
    assert found["root", 1].error == 0
    assert found["root", 2].error == pytest.approx(-0.2)
    assert found["recover", 2].wall_seconds == 3.0
    assert median_by_workers(found.values(), "root") == {1: 0.0, 2: pytest.approx(0.2)}
    assert median_errors(found.values()) == {"recover": pytest.approx(0.1), "root": pytest.approx(0.1)}


def test_what_failed_or_has_no_pair_is_left_out() -> None:
    wall = [cell("serial", 1, [phases(1.0, 4.0, 0.5)]), cell("bal", 2, [phases(1.0, 2.0, 0.5)], verified=False)]
    assert [one.workers for one in compare_stages(wall, wall)] == [1, 1]
    assert compare_stages(wall, []) == []
    assert compare_stages(wall[1:], wall) == []
