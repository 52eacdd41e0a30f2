"""The page on agreement: its table is what the simulation gives."""

from __future__ import annotations

from tools.docs import agreement


def test_the_table_of_the_page_is_made_anew() -> None:
    assert f"{agreement.BEGIN}\n\n{agreement.table()}\n\n{agreement.END}" in agreement.PAGE.read_text()
