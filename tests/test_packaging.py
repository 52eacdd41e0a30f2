"""What is installed: one top-level name, all that it reads, nothing that serves the project alone; no module twice."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from contend.inner_names import ROOMS

ROOT = Path(__file__).resolve().parent.parent
BUILT_OF = ["contend", *sorted(ROOMS), "pyproject.toml", "README.md", "LICENSE"]
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
# Another project's packages of the names that ours had, as an environment may well hold them.
STRANGERS = {"harness": "SPEED = 'of a horse'\n", "evm": "MARGIN = 'earned value'\n", "tools": "", "workloads": ""}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built of a copy of the sources: building leaves folders behind."""
    folder = tmp_path_factory.mktemp("build")
    copy = folder / "contend"
    copy.mkdir()
    for name in BUILT_OF:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, copy / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, copy / name)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages: the wheel, and another project's ``harness``, ``evm`` and so on."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    for name, text in STRANGERS.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(text)
    return folder


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=site, capture_output=True, text=True, check=False
    )


def test_a_wheel_has_one_name_at_the_top_level(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"contend"}
    below = {name.split("/")[1] for name in names if name.startswith("contend/")}
    assert below == {*ROOMS, *(path.name for path in (ROOT / "contend").glob("*.py")), "py.typed"}


def test_a_wheel_has_every_file_of_the_package(names: set[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *sorted(ROOMS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no checkout: what belongs to the sources is not known")
    wanted = {f"contend/{name}" for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    suffixes = {Path(name).suffix for name in wanted}
    assert {".py", ".json", ".toml", ".css", ".js", ".j2", ".vy", ".in"} <= suffixes
    assert sorted(wanted - names) == []


def test_it_runs_beside_packages_that_are_named_like_its_rooms(site: Path) -> None:
    done = run(site, "-m", "contend", "list", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert {"serial", "block_stm", "sharded"} <= {one["name"] for one in listed["strategies"]}
    assert {"standard-1"} <= {one["name"] for one in listed["suites"]}
    program = (
        "import harness, evm, contend, contend.plugin, contend.testing\n"
        "cells = contend.run('payments', 'serial', block_size=20, repeat=1, processes=1, results='kept')\n"
        "print(harness.SPEED, evm.MARGIN, cells['verified'].tolist(), len(contend.load('kept')), contend.__file__)\n"
    )
    done = run(site, "-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"of a horse earned value [True] 1 {site / 'contend' / '__init__.py'}"


def test_what_it_reads_is_installed_with_it(site: Path) -> None:
    done = run(site, "-m", "contend", "new", "workload", "my_idea", "--output", str(site / "written"))
    assert done.returncode == 0, done.stderr
    (site / "records").mkdir()
    program = (
        "import contend, json\n"
        "from contend.harness.compare.result import SCHEMA_FILE\n"
        "from contend.harness.records import schema\n"
        "from contend.strategies.clocks.cost_table import default_costs\n"
        "from contend.plugin import load_artifact\n"
        "assert schema() and json.loads(SCHEMA_FILE.read_text()) and default_costs().digest\n"
        "assert load_artifact('token').bytecode\n"
        "contend.run('payments', 'serial', block_size=20, repeat=1, processes=1, results='shown')\n"
    )
    done = run(site, "-c", program)
    assert done.returncode == 0, done.stderr
    done = run(site, "-m", "contend", "report", "shown", "-o", "page")
    assert done.returncode == 0, done.stderr
    assert "<style>" in (site / "page" / "index.html").read_text()


def test_outside_a_checkout_a_revision_is_one_clear_line(site: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-m", "contend", "compare", "main", "HEAD"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "checkout" in line
    assert "main" in line
    assert list(tmp_path.iterdir()) == []


# Contend by its name, where a package index would be asked for it: it belongs to somebody else there.
FROM_THE_INDEX = re.compile(
    r"\b(?:pipx?|uv) (?:install|inject|add|run)\b[^\n`]*[\s'\"]contend(?:\[|==|>=|[\s'\"`.,;]|$)", re.MULTILINE
)


def test_nothing_has_it_installed_from_the_index_by_its_name() -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no checkout")
    files = [ROOT / name for name in listed.stdout.splitlines() if not name.startswith(("tests/", "results/"))]
    texts = {file: file.read_text() for file in files if file.suffix in SAYS_HOW or file.parent.name in ("ci", ".ci")}
    assert {"README.md", "install.md", "benchmarks.yml", "README.md.in"} <= {file.name for file in texts}
    found = [
        f"{file.relative_to(ROOT)}: {hit[0]}" for file, text in texts.items() for hit in FROM_THE_INDEX.finditer(text)
    ]
    assert found == []


SAYS_HOW = {".md", ".yml", ".in", ".py", ".json"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pip install contend .", True),
        ("run `pip install 'contend[report]'`", True),
        ("pipx install contend\n", True),
        ("pip install --upgrade contend==1.0", True),
        ("pipx install ./contend-0.1.0-py3-none-any.whl", False),
        ("pip install git+https://host/contend.git@main", False),
        ("pipx runpip contend install --no-index --editable DIR", False),
        ("pip install --no-index -e .  # in Contend's environment", False),
    ],
)
def test_such_an_installation_is_found(text: str, found: bool) -> None:
    assert bool(FROM_THE_INDEX.search(text)) is found


# Prints the files that have been loaded under more than one name.
DOUBLES = """
import collections, os, sys
root = os.path.realpath(sys.argv[1]) + os.sep
found = collections.defaultdict(set)
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None)
    if file and os.path.realpath(file).startswith(root) and (os.sep + ".venv") not in os.path.realpath(file):
        found[os.path.relpath(os.path.realpath(file), root)].add(name)
print(len(found), {file: sorted(names) for file, names in found.items() if len(names) > 1})
"""
EVERYTHING = """
import importlib, pkgutil, contend
for one in pkgutil.walk_packages(contend.__path__, "contend."):
    if not one.name.endswith("__main__"):
        importlib.import_module(one.name)
from contend.harness.cli import main
main(["run", "--clock", "virtual", "-s", "serial,block_stm,static_partition,sharded", "-w", "payments,swaps",
      "--workers", "2", "--block-size", "20", "--quiet", "--results", sys.argv[2]], standalone_mode=False)
"""
# As asv's benchmark process does it: the suite's folder is a package at the top level, by its own name.
AS_ASV = """
import importlib, os, pkgutil
from asv_runner._aux import update_sys_path
suite = os.path.join(sys.argv[1], sys.argv[2])
update_sys_path(suite)
package = importlib.import_module(os.path.basename(suite))
for one in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
    importlib.import_module(one.name)
import contend, contend.plugin, contend.testing
os.environ["CONTEND_SUITE_BLOCK_SIZE"] = "20"
cells = importlib.import_module(package.__name__ + ".cells").measure(
    workloads="payments", strategies="block_stm", workers=2, block_size=20, clock="virtual")
assert all(cell.error is None for cell in cells.values())
importlib.import_module(package.__name__ + ".memory").PeakMemory().track_resident("serial", "payments")
"""


def loaded(program: str, *arguments: str) -> tuple[int, dict[str, list[str]]]:
    """How many files of ours a program has loaded, and those that are there under several names."""
    text = f"import sys\n{program}\n{DOUBLES}"
    done = subprocess.run(
        [sys.executable, "-c", text, str(ROOT), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    count, _, twice = done.stdout.strip().splitlines()[-1].partition(" ")
    found: dict[str, list[str]] = json.loads(twice.replace("'", '"'))
    return int(count), found


def test_no_module_is_loaded_under_two_names(tmp_path: Path) -> None:
    count, twice = loaded(EVERYTHING, str(tmp_path))
    assert count > 250
    assert twice == {}


def test_no_module_is_loaded_under_two_names_by_asv() -> None:
    pytest.importorskip("asv_runner", reason="asv publishes no wheel for this platform")
    configuration = (ROOT / "asv.conf.json").read_text()
    (line,) = (line for line in configuration.splitlines() if '"benchmark_dir"' in line)
    count, twice = loaded(AS_ASV, json.loads(f"{{{line.strip().rstrip(',')}}}")["benchmark_dir"])
    assert count > 50
    assert twice == {}


def test_a_module_that_is_loaded_twice_is_found() -> None:
    again = (
        "import contend.harness.errors, importlib.util as util\n"
        "spec = util.spec_from_file_location('errors', contend.harness.errors.__file__)\n"
        "sys.modules['errors'] = util.module_from_spec(spec)\n"
    )
    assert loaded(again)[1] == {"harness/errors.py": ["contend.harness.errors", "errors"]}
