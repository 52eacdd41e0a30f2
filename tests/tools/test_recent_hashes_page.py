"""What kept hashes are worth: both ways do the same, and only one of them finds any."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import recent_hashes


def test_a_workload_is_measured_both_ways_and_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{recent_hashes.BEGIN}\nold\n{recent_hashes.END}\nafter\n")
    monkeypatch.setattr(recent_hashes, "PAGE", page)
    asked = ["--workload", "payments", "--block-size", "100", "--pairs", "2", "--page"]
    assert recent_hashes.main(asked) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| payments |" in text


def test_a_machine_that_keeps_none_finds_none() -> None:
    found = recent_hashes.measure("payments", 200, 2)
    assert found.hits > 0
    assert len(found.kept) == len(found.computed) == 2
