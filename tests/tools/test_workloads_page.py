"""The page about workloads is what the code says."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from contend.workloads import get, registry
from contend.workloads.contracts.abi import CONTRACTS
from tools.docs.workloads import CONTRACTS_OF, FIGURES, PAGE, figures, image, page


@pytest.fixture(scope="module")
def text() -> str:
    """The page, which takes a while: it measures conflicts."""
    return page()


def test_the_page_is_up_to_date(text: str) -> None:
    assert PAGE.read_text(encoding="utf-8") == text, "run python -m tools.docs.workloads"


def test_every_workload_says_what_it_needs_to(text: str) -> None:
    for name in registry.BUILT_IN:
        section = re.split(r"^## ", text.partition(f"\n## {name}\n")[2], flags=re.M)[0]
        assert section.count("**Conflicts.** ") == section.count("**Invariant.** ") == 1
        for dial in get(name).dials:
            assert f"| `{dial.name}` |" in section
        for preset in get(name).presets:
            assert f"| `{preset.name}` | {preset.summary} |" in section
        for part in ("**Conflicts.** ", "**Invariant.** "):
            assert len(section.partition(part)[2].partition("\n")[0]) > 30, (name, part)


@pytest.mark.usefixtures("text")
def test_charts_are_of_these_figures() -> None:
    for name in registry.BUILT_IN:
        with Image.open(image(name)) as picture:
            assert picture.info[FIGURES] == figures(name), "run python -m tools.docs.workloads"
            assert picture.width > 400
        assert f"images/workloads/{name}.png" in PAGE.read_text(encoding="utf-8")


def test_contracts_named_are_there() -> None:
    assert set(CONTRACTS_OF) == set(registry.BUILT_IN)
    for contracts in CONTRACTS_OF.values():
        assert all((CONTRACTS / f"{name}.vy").is_file() for name in contracts)
