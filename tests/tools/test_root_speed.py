"""The table of state roots: its cases end with right roots, and the page has a row for each."""

from __future__ import annotations

import json

import pytest

from tools.root_speed import PAGE, cases, library, main, measure


def test_every_case_ends_with_the_root_of_a_trie_built_anew() -> None:
    found = measure(300, 20, 3)
    assert found.keys() == cases(300, 20).keys()
    assert all(len(values) == 3 and min(values) > 0 for values in found.values())


def test_what_was_measured_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--leaves", "50", "--changes", "10", "--rounds", "2"]
    main([*sizes, "--json"])
    assert json.loads(capsys.readouterr().out)["ms"].keys() == cases(50, 10).keys()
    main(sizes)
    assert capsys.readouterr().out.count("\n") == 2 + len(cases(50, 10))
    assert library(20, 3) > 0


def test_the_page_has_a_row_for_each() -> None:
    page = PAGE.read_text()
    assert all(f"| {name} |" in page for name in cases(1_000_000, 10_000))
