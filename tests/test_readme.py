"""The README, pasted from top to bottom into an empty folder; and whether every page of the documentation can be found.

One rule scales all sizes. A number of `SMALL` replaces what the README gives to the option (or parameter) of that name,
and what it does not give comes from the environment variable of that option (``CONTEND_BLOCK_SIZE``), together with
`WORKLOAD` and `STRATEGIES` where none are named. Worker counts, dials, clocks and all else stay as they are printed.

What is not run as it is printed stands in `OTHERWISE`, with what is run instead and why. The folder has a
``.venv``, as a checkout does, and nothing else; the folder of a file that a command names of the checkout
(``docs/examples/vault.toml``) is linked into it.
"""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from documents import ROOT, blocks, make_environment

from tools.docs import readme

TEXT = (ROOT / "README.md").read_text()
SMALL = {"block_size": 60, "repeat": 2, "processes": 1, "schedules": 20, "programs": 20, "block_count": 2}
WORKLOAD = "payments"
STRATEGIES = "serial,block_stm"
EMPTY, CLONE, NOT_RUN = "empty folder", "clone", "not run"
# The command's beginning: where it is run or what instead, and why.
OTHERWISE = {
    "make run": (".venv/bin/contend run --strategy default", "the target is this command, after installing packages"),
    "make test": (NOT_RUN, "it is what runs this test"),
    "make compare": (NOT_RUN, "installs packages; tests/test_ci.py runs its script"),
    "make goals": (NOT_RUN, "minutes at full size; tests/tools/test_goals.py"),
    ".ci/history": (NOT_RUN, "installs packages; tests/test_ci.py runs it on a stand-in for asv"),
    ".venv/bin/contend compare main...HEAD": (CLONE, "needs revisions"),
    ".venv/bin/contend compare main HEAD": (NOT_RUN, "minutes in real time; tests/harness/compare/test_revisions.py"),
    ".venv/bin/contend compare HEAD": (NOT_RUN, "minutes in real time; tests/harness/compare/test_revisions.py"),
    ".venv/bin/contend run --suite": (NOT_RUN, "a suite's sizes are fixed; tests/harness/plan/test_suites.py"),
    ".venv/bin/contend blocktest": (
        ".venv/bin/contend blocktest tests/vectors/whole_blocks.tar.gz --serial-only",
        "every strategy takes minutes; tests/harness/verify/whole_block/test_chains.py",
    ),
    ".venv/bin/contend fetch-block": (NOT_RUN, "asks a node of a chain; tests/harness/commands/test_fetch_block.py"),
    ".venv/bin/contend calibrate": (NOT_RUN, "a minute and a half, and no size; tests/harness/measure/test_virtual.py"),
    ".venv/bin/contend validate-clock": (NOT_RUN, "measures blocks of its own; tests/harness/measure/test_virtual.py"),
}
# What a command leaves, beside its exit code.
LEAVES = {
    "make run": ["results/records/*.json", "results/charts/*-throughput.png", "results/charts/*-speedup.png"],
    ".venv/bin/contend run --workload payments --set erc20=1": ["record.json"],
    ".venv/bin/contend timeline": ["results/charts/timeline-swaps-block_stm-8.png"],
    ".venv/bin/contend report": ["report/index.html", "report/data/cells.csv"],
    ".venv/bin/contend new strategy my_plan": ["contend-my-plan/pyproject.toml"],
    ".venv/bin/contend new strategy my_scheduler": ["contend-my-scheduler/pyproject.toml"],
    ".venv/bin/contend new workload": ["contend-my-scene/pyproject.toml"],
    ".venv/bin/contend export": ["swaps.json.gz"],
}


@dataclass(frozen=True)
class Command:
    """A line of a block of commands.

    Attributes
    ----------
    printed : str
        As it stands, without its comment.
    """

    printed: str

    def _of(self, table: Iterable[str]) -> list[str]:
        return [start for start in table if self.printed.startswith(start)]

    @property
    def otherwise(self) -> tuple[str, str] | None:
        found = self._of(OTHERWISE)
        return OTHERWISE[found[0]] if found else None

    @property
    def place(self) -> str:
        kind = self.otherwise[0] if self.otherwise else EMPTY
        return kind if kind in {CLONE, NOT_RUN} else EMPTY

    @property
    def leaves(self) -> list[str]:
        return [path for start in self._of(LEAVES) for path in LEAVES[start]]

    @property
    def scaled(self) -> str:
        text = self.otherwise[0] if self.otherwise and self.otherwise[0] not in {CLONE, NOT_RUN} else self.printed
        return scaled(text)


def scaled(text: str) -> str:
    """Small sizes for those that a text gives, to options or to parameters."""
    for name, number in SMALL.items():
        text = re.sub(rf"(--{name.replace('_', '-')}[ =]|\b{name}=)\d+", rf"\g<1>{number}", text)
    return text


def commands(text: str) -> list[Command]:
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [Command(line) for line in lines if line]


EVERY = [command for block in blocks(TEXT) if block.language == "sh" for command in commands(block.text)]


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    small = {f"CONTEND_{name.upper()}": str(SMALL[name]) for name in ("block_size", "repeat", "processes")}
    small |= {"CONTEND_WORKLOAD": WORKLOAD, "CONTEND_STRATEGY": STRATEGIES}
    found = {**os.environ, "COLUMNS": "80", "PIP_NO_INDEX": "1", **small}
    found.pop("PYTHONPATH", None)
    return found


def execute(command: str, folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "FAILED" not in done.stdout, f"{command}\n{done.stdout}"
    return done.stdout


def _link_what_is_named(command: str, folder: Path) -> None:
    for word in shlex.split(command):
        if "/" in word and not word.startswith((".", "-")) and (ROOT / word).is_file():
            # With its folder: a file may name others beside it.
            beside = Path(word).parent
            (folder / beside).parent.mkdir(parents=True, exist_ok=True)
            if not (folder / beside).exists():
                (folder / beside).symlink_to(ROOT / beside)


@pytest.fixture(scope="module")
def pasted(tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]) -> Path:
    """The folder, after all that the README has a reader write and run in it."""
    try:
        metadata.version("contend")
    except metadata.PackageNotFoundError:
        pytest.skip("a plug-in needs Contend installed in this environment (`make setup`)")
    folder = tmp_path_factory.mktemp("pasted")
    make_environment(folder / ".venv")
    for block in blocks(TEXT):
        if block.path is not None:
            (folder / block.path).parent.mkdir(exist_ok=True)
            (folder / block.path).write_text(block.text)
        elif block.language == "python":
            # In a file, as measuring processes need it, and guarded: they import the file that starts them.
            (folder / "notebook.py").write_text(scaled(block.text))
            (folder / "guarded.py").write_text("if __name__ == '__main__':\n    import notebook  # noqa: F401\n")
            assert "block_stm" in execute(".venv/bin/python guarded.py", folder, variables)
        elif block.language == "sh":
            for command in commands(block.text):
                if command.place == EMPTY:
                    _link_what_is_named(command.scaled, folder)
                    execute(command.scaled, folder, variables)
                    for pattern in command.leaves:
                        assert list(folder.glob(pattern)), f"{command.printed}: no {pattern}"
    return folder


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted((folder / "results" / "records").glob("*.json")):
        yield json.loads(file.read_text())


def test_all_that_was_measured_is_verified(pasted: Path) -> None:
    cells = [cell for record in _records(pasted) for cell in record["cells"]]
    assert cells
    assert all(cell["verified"] for cell in cells)
    assert {"payments", "swaps", "replay:swaps"} <= {cell["workload"] for cell in cells}
    assert "waves" in {cell["strategy"] for cell in cells}


def test_the_headline_of_its_report_is_what_the_records_say(pasted: Path) -> None:
    page = html.unescape(re.sub(r"<[^>]+>", "", (pasted / "report" / "index.html").read_text()))
    found = re.search(rf"(\w+) on {WORKLOAD}, ([\d.]+)x serial with ([\d,]+) simulated workers?, ", page)
    assert found is not None, page[:3000]
    # The run that it is about: the one over all worker counts, since a trial on another network overturns nothing.
    (record,) = (one for one in _records(pasted) if 1024 in one["request"]["workers"])
    cells = [cell for cell in record["cells"] if cell["strategy"] != "serial"]
    best = max(cells, key=lambda cell: float(cell["speedup"]["median"]))
    assert (found[1], int(found[3].replace(",", ""))) == (best["strategy"], best["workers"])
    assert float(found[2]) == pytest.approx(best["speedup"]["median"], rel=0.01)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout's last commit, as `main` of a repository of its own."""
    folder = tmp_path_factory.mktemp("clone")
    done = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("comparing revisions needs a Git checkout, which this is not")
    subprocess.run(["tar", "-x"], input=done.stdout, cwd=folder, check=True)
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], [*identity, "commit", "-q", "-m", "a clone"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    make_environment(folder / ".venv")
    return folder


def test_revisions_are_compared_as_it_says(clone: Path, variables: dict[str, str]) -> None:
    for command in EVERY:
        if command.place == CLONE:
            execute(command.scaled, clone, variables)
            for pattern in command.leaves:
                assert list(clone.glob(pattern)), f"{command.printed}: no {pattern}"


def test_the_workload_of_the_page_about_plugins_runs(tmp_path: Path, variables: dict[str, str]) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text()
    (tmp_path / "tips.py").write_text(next(block.text for block in blocks(page) if block.path == "tips.py"))
    point, group = re.findall(r"`(tips = \"tips:Tips\")` under `\[project.entry-points.\"(.*?)\"\]`", page)[0]
    command = re.findall(r"`(contend run --workload tips [^`]*)`", page)[0]
    info = tmp_path / "tips-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tips\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{point.replace(chr(34), '')}\n")
    bin_ = make_environment(tmp_path / ".venv")
    path = os.pathsep.join([str(bin_), os.environ["PATH"]])
    execute(f"{command} --clock virtual", tmp_path, {**variables, "PYTHONPATH": str(tmp_path), "PATH": path})


def test_only_what_has_a_reason_is_not_pasted() -> None:
    for start in [*OTHERWISE, *LEAVES]:
        assert any(command.printed.startswith(start) for command in EVERY), f"no command begins with {start}"
    run = [command for command in EVERY if command.place != NOT_RUN]
    assert len(run) > 0.75 * len(EVERY)
    for _, why in OTHERWISE.values():
        for path in re.findall(r"tests/\S+\.py", why):
            assert (ROOT / path).is_file(), path


def test_sizes_are_scaled_and_nothing_else() -> None:
    line = "contend run --workload payments --block-size 5000 --workers 1,1024 --repeat=20 --set block=7"
    assert scaled(line) == "contend run --workload payments --block-size 60 --workers 1,1024 --repeat=2 --set block=7"
    assert scaled("run(block_size=500, repeat=3, seed=3)") == "run(block_size=60, repeat=2, seed=3)"


def test_targets_and_scripts_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in EVERY:
        first, *rest = command.printed.split()
        if first == "make":
            assert re.search(rf"^{rest[0]}:", makefile, flags=re.MULTILINE), command.printed
        elif first.startswith(".ci/"):
            assert os.access(ROOT / first, os.X_OK), command.printed


def test_there_is_a_place_for_the_generated_part() -> None:
    assert TEXT.count(readme.BEGIN) == 1
    assert TEXT.count(readme.END) == 1
    assert TEXT.index(readme.BEGIN) < TEXT.index(readme.END)


PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            yield ((page.parent / name).resolve() if name else page), anchor


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in _links(page):
        assert target.exists(), target
        assert not anchor or anchor in _anchors(target), f"{target.name}#{anchor}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [target for target, _ in _links(page) if target.suffix == ".md" and target.exists()]
    assert set(PAGES) <= reached, [str(page) for page in set(PAGES) - reached]
