"""What the architecture page and the glossary name is there: every path, and every name in the file beside it."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("contend", "evm", "strategies", "node", "workloads", "harness", "tools", "tests", "results")
PAGES = ("architecture.md", "glossary.md")
# Of other projects, named for comparison; of numpy and numba; and an ending.
FOREIGN = {"ethereum_types", "Evm", "Message", "Storage", "journal", "prestateTracer", "carray", "continuous"} | {
    "uint64",
    "NUMBA_BOUNDSCHECK",
    "_ps",
}
NAME = re.compile(r"[A-Za-z_]\w*")


@cache
def names_of(path: Path) -> frozenset[str]:
    """Identifiers of a Python file, or of all below a folder; comments and strings are none."""
    if path.is_dir():
        return frozenset().union(*map(names_of, path.rglob("*.py")))
    if path.suffix != ".py":
        return frozenset()
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return frozenset(token.string for token in tokens if token.type == tokenize.NAME)


@cache
def all_names() -> frozenset[str]:
    return frozenset().union(*(names_of(ROOT / room) for room in ROOMS if room != "results"))


def is_path(text: str) -> bool:
    return "/" in text and text.partition("/")[0] in ROOMS


def lines(page: str) -> Iterator[tuple[int, str, list[str], list[str]]]:
    """Lines of a page outside code blocks: number, text, paths, names."""
    text = re.sub(r"^    .*$", "", (ROOT / "docs" / page).read_text(), flags=re.MULTILINE)
    for number, line in enumerate(text.splitlines(), 1):
        quoted = re.findall(r"`([^`]+)`", line)
        paths = [one for one in quoted if is_path(one)]
        yield number, line, paths, [one for one in quoted if NAME.fullmatch(one) and one not in FOREIGN]


@pytest.mark.parametrize("page", PAGES)
def test_every_path_is_there(page: str) -> None:
    named = [(number, path) for number, _, paths, _ in lines(page) for path in paths if path != "results/"]
    assert len(named) > 80
    # A folder is named with a slash behind it, a file without.
    assert not [one for one in named if not (ROOT / one[1]).exists() or (ROOT / one[1]).is_dir() != (one[1][-1] == "/")]


@pytest.mark.parametrize("page", PAGES)
def test_every_name_is_in_the_file_beside_it(page: str) -> None:
    missing, seen = [], 0
    for number, line, paths, names in lines(page):
        # A row of a table names its file; elsewhere a name may be of any.
        row = line.startswith("|") and paths
        known = frozenset().union(*(names_of(ROOT / path) for path in paths)) if row else all_names()
        seen += len(names)
        missing += [f"{page}:{number}: {name}" for name in names if name not in known]
    assert seen >= 10
    assert not missing


def test_every_package_is_on_the_page() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    packages = [file.parent.relative_to(ROOT) for room in ROOMS[1:6] for file in (ROOT / room).rglob("__init__.py")]
    assert len(packages) > 30
    assert not [str(package) for package in packages if f"`{package}/`" not in page]
