"""The repository as a whole: the house's order, its metadata, its lock file, what its documents promise."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib import import_module, metadata
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "evm": {"evm"},
    "strategies": {"evm", "strategies"},
    "node": {"evm", "strategies", "node"},
    "workloads": {"evm", "workloads"},
    "harness": {"evm", "strategies", "node", "workloads", "harness"},
}
# They import nothing of ours.
BELOW_ALL_ROOMS = (
    "contend.inner_names", "contend.cache_places", "contend.hexadecimal", "contend.outside_files", "contend.strict_rlp",
)  # fmt: skip
# The asv suite is kept with the harness, and uses `contend` as any other client does.
CLIENTS = {"asv_suite"}
# What makes a function a kernel, and so free of annotations: our own decorators, and numba's for extending it.
COMPILES = {
    "kernel",
    "macro",
    "native",
    "instruction",
    "instruction_loop",
    "instruction_loop_with",
    "njit",
    "intrinsic",
    "overload",
    "cfunc",
}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def parsed(source: Path) -> ast.Module:
    return ast.parse(source.read_text(), str(source))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def imported_rooms(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Rooms that a file imports from, with the line; `contend` itself for what lies above the rooms."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, _, below = name.partition(".")
            if name.startswith(BELOW_ALL_ROOMS):
                continue
            if top == "contend":
                room = below.partition(".")[0]
                yield node.lineno, room if room in MAY_IMPORT else top
            elif top in {*MAY_IMPORT, "tests", "tools"}:
                # Not by the one name under which it is installed: it would be loaded a second time.
                yield node.lineno, f"{top} (not contend.{top})"


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_only_point_downward(room: str) -> None:
    assert sources(room), f"{room}/ holds no source"
    upward = [
        f"{source.relative_to(ROOT)}:{line} imports {other}"
        for source in sources(room)
        for line, other in imported_rooms(parsed(source))
        if other not in MAY_IMPORT[room] | ({"contend"} if source.parent.name in CLIENTS else set())
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


def imports_of_files() -> dict[str, set[str]]:
    """Of every module of the rooms, the modules of ours that it imports."""
    files = {
        ".".join(("contend", *source.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): source
        for room in MAY_IMPORT
        for source in sources(room)
    }
    # Not even within functions or for annotations only: whoever reads one of two such files has to read the other.
    return {module: set(imported_modules(parsed(file), files)) - {module} for module, file in files.items()}


def package_of(module: str) -> str:
    """The folder in which a module lies; of one that lies in a room itself, the module."""
    path = ROOT.joinpath(*module.split(".")[1:])
    return module if path.is_dir() or module.count(".") == 2 else module.rpartition(".")[0]


def imports_of_packages(imports: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Of every package, the other packages that its modules import from."""
    found: dict[str, set[str]] = {}
    for module, others in imports.items():
        package = package_of(module)
        found.setdefault(package, set()).update({package_of(other) for other in others} - {package})
    return found


def test_no_files_import_each_other_in_a_circle() -> None:
    imports = imports_of_files()
    assert sum(map(len, imports.values())) > 1000
    TopologicalSorter(imports).prepare()


def test_no_packages_import_each_other_in_a_circle() -> None:
    packages = imports_of_packages(imports_of_files())
    assert {"contend.evm", "contend.evm.state", "contend.evm.vm.instructions", "contend.harness.record"} <= set(
        packages
    )
    TopologicalSorter(packages).prepare()


def test_a_circle_of_packages_is_found() -> None:
    # No two of these files import each other, and no two of the packages may.
    files = {
        "contend.evm.vm.gas": {"contend.evm.code.decoder"},
        "contend.evm.code.directory": {"contend.evm.vm.call"},
        "contend.evm.code.decoder": {"contend.evm.state"},
    }
    TopologicalSorter(files).prepare()
    with pytest.raises(CycleError):
        TopologicalSorter(imports_of_packages(files)).prepare()


def code_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Identifiers, imported names and texts of a file with their lines; its docstrings are left out."""
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for field, value in ast.iter_fields(node):
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and field != "type_comment" and id(node) not in told:
                    yield line, text


def upper_names() -> list[str]:
    """What the lowest room must not name: the other rooms, and the strategies' packages."""
    packages = [folder.name for folder in (ROOT / "strategies").iterdir() if (folder / "__init__.py").is_file()]
    # A node is one of a syntax tree, too; that the room is not imported, another test says.
    return sorted({*packages, *MAY_IMPORT} - {"evm", "node"})


def test_the_lowest_room_names_nothing_above_it() -> None:
    names = upper_names()
    assert {"block_stm", "harness", "sharded", "strategies", "workloads"} <= set(names)
    upper = re.compile(rf"(?<![a-z])({'|'.join(names)})(?![a-z])", re.I)
    found = [
        f"{source.relative_to(ROOT)}:{line} {text}"
        for source in sources("evm")
        for line, text in code_names(parsed(source))
        if upper.search(text)
    ]
    assert found == []


def test_names_in_code_are_found_and_docstrings_are_not() -> None:
    source = '"""harness"""\nimport a.b as c\ndef d(e):\n  """f"""\n  g.h(i="j")\n  """k"""\n'
    assert {text for _, text in code_names(ast.parse(source))} == {*"cdeghijk", "a.b"}


# In these folders each file is named by what it is one of: the command `compare`, the chart of latency, the
# instructions on memory. Its folder completes the name, and a file elsewhere may have it alone.
FAMILIES = {
    "evm/drivers",  # ways to drive the interpreter
    "evm/vm/instructions",  # families of instructions
    "harness/asv_suite",  # what classes of benchmarks measure
    "harness/commands",  # commands
    "harness/doctor",  # what is looked at on a machine
    "harness/present/charts",  # charts
}
# What several folders have one of, each its own.
ONE_A_FOLDER = {
    "__init__",
    "accounting",  # of all strategies, and of one
    "__main__",  # of a package that is a command
    "accounts",  # in a state, and in workloads
    "base",
    "commit",
    "conftest",
    "errors",
    "layout",
    "registry",
    "stage",  # of a node
    "strategy",
    "worker",
}
ROOM_OF_TESTS = re.compile(r"tests/(evm|workloads)/test_against_revm\.py")


def twins(files: Iterable[str]) -> dict[str, list[str]]:
    """File names that occur twice although no folder tells them apart, with where they do."""
    by_name: dict[str, list[str]] = {}
    for file in sorted(files):
        path = PurePosixPath(file)
        if str(path.parent) not in FAMILIES and path.stem not in ONE_A_FOLDER and not ROOM_OF_TESTS.fullmatch(file):
            by_name.setdefault(path.stem, []).append(file)
    return {name: places for name, places in by_name.items() if len(places) > 1}


@pytest.mark.parametrize("rooms", [tuple(MAY_IMPORT), ("tests",), ("tools",)], ids="+".join)
def test_no_file_name_occurs_twice(rooms: tuple[str, ...]) -> None:
    files = [source.relative_to(ROOT).as_posix() for room in rooms for source in sources(room)]
    assert twins(files) == {}
    if "evm" in rooms:
        stems = Counter(Path(file).stem for file in files)
        assert {name for name in ONE_A_FOLDER - {"__main__", "conftest"} if stems[name] < 2} == set(), (
            "no exception is needed"
        )
        assert {str(Path(file).parent) for file in files} >= FAMILIES


def test_a_name_that_occurs_twice_is_found() -> None:
    files = ["evm/vm/gas.py", "harness/plan/gas.py", "harness/commands/run.py", "harness/run.py", "evm/layout.py"]
    assert twins([*files, "harness/layout.py"]) == {"gas": ["evm/vm/gas.py", "harness/plan/gas.py"]}


MOST_ENTRIES = 20
MANY_ENTRIES = {
    ".": "what git, make, asv and the packaging tools look for lies at the root",
    "docs": "pages, one a topic, of which the README has a table",
    "harness/commands": "a file a command",
    "tests": "a folder a room, and a file for what is of none",
    "workloads/contracts": "data: a source and what it compiles to, for each contract",
}


def entries() -> dict[str, int]:
    """How many files and folders lie in each folder of the checkout: those of git, without `__init__.py`."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    paths = [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]
    every = {part for path in paths for part in (path, *path.parents) if part.name not in ("", "__init__.py")}
    return Counter(part.parent.as_posix() for part in every)


def test_no_folder_holds_too_many_entries() -> None:
    found = entries()
    assert len(found) > 50
    assert {
        folder: count for folder, count in found.items() if count > MOST_ENTRIES and folder not in MANY_ENTRIES
    } == {}
    assert set(MANY_ENTRIES) <= set(found)


INTEGERS = {"U", "I", "U0", "U1"}


def integers_defined(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Where a file binds a name of the kernels' integer types, but by importing it from where it is defined."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in INTEGERS:
            yield node.lineno, node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            origin = node.module if isinstance(node, ast.ImportFrom) else None
            for alias in node.names:
                if (alias.asname or alias.name) in INTEGERS and origin not in INTEGERS_FROM:
                    yield node.lineno, alias.asname or alias.name


INTEGERS_FROM = {"contend.evm.runtime.integers", "contend.plugin"}


def test_the_integer_types_of_kernels_are_defined_once() -> None:
    found = {
        f"{source.relative_to(ROOT)}:{line} {name}"
        for room in (*MAY_IMPORT, "tests", "tools")
        for source in sources(room)
        for line, name in integers_defined(parsed(source))
    }
    assert {place.partition(":")[0] for place in found} == {"evm/runtime/integers.py"}
    assert {place.rpartition(" ")[2] for place in found} == INTEGERS


def test_another_definition_of_the_integer_types_is_found() -> None:
    source = "from numpy import uint64 as U\nI = np.int64\nfrom contend.evm.runtime.integers import U0\nU1: int = 1"
    assert list(integers_defined(ast.parse(source))) == [(1, "U"), (2, "I"), (4, "U1")]


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


@pytest.mark.parametrize("room", ["evm", "strategies", "node"])
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
