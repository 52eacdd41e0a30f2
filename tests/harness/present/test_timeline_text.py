"""Timelines as text."""

from __future__ import annotations

import numpy as np
import pytest

from contend.harness.present.timeline_text import account, legend, lines
from contend.strategies.clocks import ACT_EXECUTE, ACT_VALIDATE, ACT_WASTED

ROWS = np.array([[0, ACT_EXECUTE, 0, 40], [0, ACT_WASTED, 40, 80], [1, ACT_VALIDATE, 60, 100]])


def test_a_letter_says_what_a_worker_did_most() -> None:
    assert list(lines(ROWS, 2, 12)) == ["0 eeee////..", "1 ......vvvv"]


def test_the_order_of_rows_does_not_matter() -> None:
    assert list(lines(ROWS[::-1], 2, 12)) == list(lines(ROWS, 2, 12))


@pytest.mark.parametrize("width", [5, 40, 80, 200])
def test_lines_are_as_wide_as_asked(width: int) -> None:
    assert {len(line) for line in lines(ROWS, 2, width)} == {max(width, 12)}


def test_more_workers_than_lines_are_not_drawn() -> None:
    assert len(list(lines(ROWS, 32, 80))) == 32
    assert list(lines(ROWS, 33, 80)) == []


def test_the_legend_names_what_there_is_and_idle_time() -> None:
    assert legend({ACT_EXECUTE: 0.5, ACT_WASTED: 0.2}) == "e execute 50%, / wasted execution 20%, . idle 30%"


def test_the_sum_names_what_a_strategy_counts() -> None:
    counters = {"executions": 1_300, "aborts": 200, "repairs": 100}
    assert account(counters, 1_000) == "1,300 executions = 1,000 transactions + 200 aborted + 100 repaired"
    assert account({"aborts": 3}, 10) == ""
