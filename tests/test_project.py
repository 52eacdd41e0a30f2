"""The repository as a whole: the house's order, its metadata, its lock file, what its documents promise."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "evm": {"evm"},
    "strategies": {"evm", "strategies"},
    "workloads": {"evm", "workloads"},
    "harness": {"evm", "strategies", "workloads", "harness"},
}
# What makes a function a kernel, and so free of annotations: our own decorators, and numba's for extending it.
COMPILES = {"kernel", "macro", "native", "instruction", "instruction_loop", "njit", "intrinsic", "overload", "cfunc"}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def parsed(source: Path) -> ast.Module:
    return ast.parse(source.read_text(), str(source))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def imported_rooms(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if (room := name.partition(".")[0]) in {*MAY_IMPORT, "tests"}:
                yield node.lineno, room


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_only_point_downward(room: str) -> None:
    assert sources(room), f"{room}/ holds no source"
    upward = [
        f"{source.relative_to(ROOT)}:{line} imports {other}"
        for source in sources(room)
        for line, other in imported_rooms(parsed(source))
        if other not in MAY_IMPORT[room]
    ]
    assert not upward


def imported_modules(tree: ast.Module, known: Mapping[str, Path]) -> Iterator[str]:
    """Modules of ours that a file imports anywhere; of a package's name, the module that is meant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                if inside in known:
                    yield inside
                elif node.module in known:
                    yield str(node.module)


def test_no_files_import_each_other_in_a_circle() -> None:
    files = {
        ".".join(source.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): source
        for room in MAY_IMPORT
        for source in sources(room)
    }
    # Not even within functions or for annotations only: whoever reads one of two such files has to read the other.
    imports = {module: set(imported_modules(parsed(file), files)) - {module} for module, file in files.items()}
    assert sum(map(len, imports.values())) > 1000
    TopologicalSorter(imports).prepare()


def name_of_decorator(node: ast.expr) -> str:
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def functions(node: ast.AST, compiled: bool = False) -> Iterator[tuple[ast.FunctionDef, bool]]:
    """Every function below `node`, and whether it is compiled or lies in one that is."""
    for child in ast.iter_child_nodes(node):
        within = compiled
        if isinstance(child, ast.FunctionDef):
            within = compiled or any(name_of_decorator(one) in COMPILES for one in child.decorator_list)
            yield child, within
        yield from functions(child, within)


@pytest.mark.parametrize("room", ["evm", "strategies"])
def test_only_kernels_lack_annotations(room: str) -> None:
    # mypy's settings for these rooms let every function go without; this takes the leave back from all but kernels.
    bare = []
    for source in sources(room):
        for function, compiled in functions(parsed(source)):
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            typed = function.returns is not None or any(one.annotation for one in arguments)
            if not (compiled or typed):
                bare.append(f"{source.relative_to(ROOT)}:{function.lineno} {function.name}")
    assert not bare


# Functions that tell how late it is, or how much has been spent: what they say depends on the machine.
CLOCKS = {
    f"{name}{unit}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime", "cpu_seconds")
    for unit in ("", "_ns")
} | {"getrusage", "default_timer"}


def reads_a_clock(node: ast.AST, measured: set[str]) -> bool:
    """Whether an expression calls a clock, or uses a name whose value came from one."""
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and child.id in measured:
            return True
        if isinstance(child, ast.Call):
            called = child.func
            if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in CLOCKS:
                return True
    return False


def is_rough(node: ast.Compare) -> bool:
    """Whether a comparison leaves room: by an order, or by `pytest.approx`."""
    if any(isinstance(one, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for one in node.ops):
        return True
    return any(isinstance(one, ast.Call) and name_of_decorator(one) == "approx" for one in ast.walk(node))


def asserted_times(tree: ast.Module) -> Iterator[int]:
    """Lines on which an assertion compares what a clock has told.

    A name is measured once it is bound to an expression that reads a clock or uses a measured name, wherever in the
    same function; so a difference of two readings is found, and what is made of it. What the code under test has
    measured is not seen: a test of that gives the code a clock of its own, and then knows what it must say exactly,
    which is why equality is no time asserted.
    """
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        measured: set[str] = set()
        before = -1
        while len(measured) != before:
            before = len(measured)
            for node in ast.walk(function):
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    if node.value is not None and reads_a_clock(node.value, measured):
                        measured |= {name.id for one in targets for name in ast.walk(one) if isinstance(name, ast.Name)}
        for node in ast.walk(function):
            if isinstance(node, ast.Assert):
                compared = [one for one in ast.walk(node.test) if isinstance(one, ast.Compare) and is_rough(one)]
                if any(reads_a_clock(one, measured) for one in compared):
                    yield node.lineno


def test_no_test_asserts_a_time() -> None:
    found = {
        f"{source.relative_to(ROOT)}:{line}" for source in sources("tests") for line in asserted_times(parsed(source))
    }
    assert sorted(found) == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("began = time.perf_counter()\nwork()\nassert time.perf_counter() - began < 5", [4]),
        ("before = cpu_seconds()\nspent = cpu_seconds() - before\nbusy = 2 * spent\nassert 0.1 < busy < 0.2", [5]),
        ("limit = monotonic() + 5\nwhile not done():\n  assert monotonic() < limit", [4]),
        ("took: float = time.monotonic_ns()\nassert not (took > 3 and done())", [3]),
        ("assert sum(x < perf_counter() for x in y) == 2", [2]),
        ("assert cpu_seconds() - 5 == pytest.approx(3, abs=1)", [2]),
        ("assert cpu_seconds() == 331.0", []),
        ("began = time.perf_counter()\nlog(began)\nassert done()\nassert count() < 5", []),
        ("while time.monotonic() < limit:\n  work()\nassert outcome.seconds == 3", []),
    ],
)
def test_an_asserted_time_is_found(source: str, lines: list[int]) -> None:
    body = "\n".join(f"  {line}" for line in source.splitlines())
    assert sorted(set(asserted_times(ast.parse(f"def test_it():\n{body}\n")))) == lines


def locked() -> dict[str, list[str]]:
    """Pinned versions by name; several where they differ by Python version."""
    pins: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.M):
        pins.setdefault(canonicalize_name(name), []).append(version)
    return pins


def declared() -> list[Requirement]:
    content = project()
    extras = content["project"]["optional-dependencies"].values()
    texts = [*content["project"]["dependencies"], *content["build-system"]["requires"]]
    return [Requirement(text) for text in [*texts, *(text for extra in extras for text in extra)]]


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_the_lock_file_pins_what_is_declared(requirement: Requirement) -> None:
    versions = locked().get(canonicalize_name(requirement.name), [])
    assert versions, f"{requirement.name} is not in requirements.lock: run `make lock`"
    assert all(requirement.specifier.contains(version) for version in versions), f"{requirement} against {versions}"


def test_the_lock_file_pins_by_hash_and_names_no_source() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [number for number, line in enumerate(lines) if re.match(r"[A-Za-z0-9]", line)]
    assert len(pins) > 30
    assert all("==" in lines[number] and "--hash=sha256:" in lines[number + 1] for number in pins)
    assert not [line for line in lines if "://" in line or line.startswith("-")]


def test_every_dependency_has_its_reason() -> None:
    reasons = (ROOT / "docs" / "decisions.md").read_text()
    missing = {one.name for one in declared()} - set(re.findall(r"^\| `([^`]+)` \|", reasons, re.M))
    assert not missing


def test_the_version_is_the_changelog_s_newest() -> None:
    headings = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings
    assert headings[0] == project()["project"]["version"]


def test_the_installed_command_is_ours() -> None:
    module, _, attribute = project()["project"]["scripts"]["contend"].partition(":")
    assert callable(getattr(import_module(module), attribute))


def make_targets() -> set[str]:
    found = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert found
    return set(found[1].split())


def test_make_help_lists_every_target() -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    shown = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  ([a-z-]+) +\S", shown, re.M)) == make_targets()


def code_in(document: Path) -> str:
    """Text of the code blocks and code spans of a Markdown file."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", document.read_text(), re.S))


def test_documents_name_only_targets_that_exist() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    named = {target for document in documents for target in re.findall(r"\bmake ([a-z-]+)", code_in(document))}
    assert {"run", "test"} <= named
    assert named <= make_targets()


def test_asv_imports_and_accepts_the_suite() -> None:
    pytest.importorskip("asv", reason="asv publishes no wheel for this platform")
    try:
        metadata.version("contend")
    except metadata.PackageNotFoundError:
        pytest.skip("asv needs Contend installed in this environment (`make setup`)")
    done = subprocess.run([sys.executable, "-m", "asv", "check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_asv_s_places_exist_or_are_ignored() -> None:
    text = re.sub(r"^\s*//.*$", "", (ROOT / "asv.conf.json").read_text(), flags=re.M)
    configuration = json.loads(text)
    assert (ROOT / configuration["benchmark_dir"] / "__init__.py").is_file()
    for place in ("results_dir", "html_dir", "env_dir"):
        top = "/".join(Path(configuration[place]).parts[:2])
        assert f"{top}/" in (ROOT / ".gitignore").read_text().splitlines()
        assert top.startswith("results/asv")
