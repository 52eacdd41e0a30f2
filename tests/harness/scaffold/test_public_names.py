"""Plug-ins need nothing but what is public, and the public modules say what they have."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Template

import pytest
from documents import ROOT, blocks

import contend
import contend.asv_suite
import contend.plugin
import contend.testing
from contend.harness.scaffold.scaffold import TEMPLATES
from contend.inner_names import ROOMS

PUBLIC = {"contend", "contend.plugin", "contend.testing", "contend.asv_suite"}
WORDS = {"name": "my_idea", "package": "contend_my_idea", "class_name": "MyIdea", "distribution": "contend-my-idea"}
PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("tutorial-strategy.md", "tutorial-workload.md", "own-contract.md")),
    *(ROOT / "docs" / name for name in ("plugins.md", "records.md", "fuzzing.md", "comparing.md", "ci.md")),
]


def imports(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Modules that are imported, each with a name that is taken from it or None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((str(node.module), alias.name) for alias in node.names)


def not_public(text: str) -> list[str]:
    """Imports of ours in a Python source that are not of a public name."""
    found = []
    for module, name in imports(ast.parse(text)):
        if module.partition(".")[0] not in {*ROOMS, "contend", "tools", "tests"}:
            continue
        if name is not None and f"{module}.{name}" in PUBLIC:
            continue
        if module not in PUBLIC or (name is not None and name not in import_module(module).__all__):
            found.append(module if name is None else f"{module}: {name}")
    return found


def sources() -> Iterator[tuple[str, str]]:
    """Where all Python stands that plug-in authors are shown, and the text."""
    for path in sorted(TEMPLATES.rglob("*.py.in")):
        yield str(path.relative_to(TEMPLATES)), Template(path.read_text()).substitute(WORDS)
    for path in sorted((ROOT / "docs" / "examples").rglob("*.py")):
        yield path.name, path.read_text()
    for page in PAGES:
        for number, block in enumerate(blocks(page.read_text())):
            if block.language == "python":
                yield f"{page.name}, block {number}", block.text
            elif block.language == "py":
                yield f"{page.name}, block {number}", inspect.cleandoc(f"\n{block.text}")


def test_what_authors_are_shown_imports_public_names_only() -> None:
    seen = dict(sources())
    assert sum("contend.plugin" in text for text in seen.values()) >= 8
    assert sum("contend.testing" in text for text in seen.values()) >= 3
    assert {place: found for place, text in seen.items() if (found := not_public(text))} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from contend.plugin import Plan\nimport contend, numpy\nfrom contend import plugin", []),
        ("import contend.strategies.base as base", ["contend.strategies.base"]),
        ("from contend import harness", ["contend: harness"]),
        ("def plan():\n    from strategies.plan import Plan", ["strategies.plan: Plan"]),
        ("from contend.plugin import BlockImages", ["contend.plugin: BlockImages"]),
        ("from tools.docs import readme", ["tools.docs: readme"]),
    ],
)
def test_what_is_not_public_is_found(text: str, found: list[str]) -> None:
    assert not_public(text) == found


def test_no_page_for_authors_names_an_inner_module() -> None:
    # Old names stand in the table that says what became of them, and nowhere else.
    inner = re.compile(rf"\bcontend\.({'|'.join(ROOMS)})\.|\b(from|import) ({'|'.join(ROOMS)})\b")
    texts = {path.name: path.read_text() for path in [*PAGES, *TEMPLATES.rglob("*.in")]}
    assert {name: found[0] for name, text in texts.items() if (found := inner.search(text))} == {}


@pytest.mark.parametrize(
    "module", [contend, contend.plugin, contend.testing, contend.asv_suite], ids=lambda one: str(one.__name__)
)
def test_every_public_name_is_documented(module: object) -> None:
    overview = str(inspect.getdoc(module))
    names = module.__all__  # type: ignore[attr-defined]  # a module that has it
    assert sorted(names) == sorted(set(names))
    listed = re.findall(r"^`\w.*$", overview, re.M)
    entries = {name for line in listed for name in re.findall(r"`(\w+)`", line)}
    assert set(names) == entries
    for name in names:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert thing.__doc__, name
        elif hasattr(thing, "py_func"):
            assert thing.py_func.__doc__, name


def test_the_table_of_old_names_leads_to_public_ones() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text()
    rows = re.findall(r"^\| `.*? \| (.*) \|$", page.partition("## Old names")[2], re.M)
    assert len(rows) > 20
    named = {name for row in rows for name in re.findall(r"`(contend(?:\.\w+)+)", row)}
    assert {"contend.run", "contend.testing", "contend.plugin.record"} <= named
    for name in named - PUBLIC:
        module, _, attribute = name.rpartition(".")
        while module not in PUBLIC:
            module, _, attribute = module.rpartition(".")
        assert attribute in import_module(module).__all__, name


def test_templates_are_where_this_test_looks() -> None:
    assert {path.parts[-1] for path in TEMPLATES.iterdir()} == {"common", "plan", "step", "workload"}
    assert Path(str(contend.__file__)).parent.name == "contend"
