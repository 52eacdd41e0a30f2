"""asv for real: on commits with planted times, it flags what got slower and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("asv", reason="asv publishes no wheel for this platform")

FAKES = Path(__file__).parents[1] / "fakes"
# Far beyond what a busy machine does to a median of a few samples.
SLOW, FAST = 4.0, 0.25
SHOWS = re.compile(
    r"^\| (?P<mark>[-+!]) +\| (?P<before>\S+) +\| (?P<after>\S+) +\| +(?P<ratio>\S+) +\| (?P<name>\S+)", re.M
)


def configuration(root: Path) -> dict[str, Any]:
    """The project's own configuration, as asv reads it: JSON with comments."""
    text = re.sub(r"^\s*//.*$", "", (root / "asv.conf.json").read_text(), flags=re.M)
    found: dict[str, Any] = json.loads(text)
    return found


def documented(root: Path) -> tuple[dict[str, Any], str]:
    """The matrix and the suite that docs/ci.md has packages of strategies copy."""
    text = (root / "docs" / "ci.md").read_text()
    found = re.search(r'```json\n("matrix": .*?)\n```.*?```python\n(# benchmarks/execution.py.*?)```', text, re.S)
    assert found
    # The install command is left out: nothing is installed here.
    copied: dict[str, Any] = json.loads(f"{{{found[1].replace('my_strategy', 'planted')}}}")
    return copied["matrix"], found[2]


@dataclass
class Repository:
    """A scratch repository of a package with one planted strategy, measured by this project's suite."""

    folder: Path
    root: Path

    def __post_init__(self) -> None:
        self.folder.mkdir()
        shutil.copy(FAKES / "asv_checkout.py", self.folder)
        info = self.folder / "planted-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[contend.strategies]\nplanted = planted:Planted\n")
        ours = configuration(self.root)
        matrix, suite = documented(self.root)
        (self.folder / "benchmarks").mkdir()
        (self.folder / "benchmarks" / "__init__.py").touch()
        (self.folder / "benchmarks" / "execution.py").write_text(suite)
        (self.folder / "asv.conf.json").write_text(
            json.dumps(
                {
                    **{key: ours[key] for key in ("version", "launch_method", "default_benchmark_timeout")},
                    "project": "planted",
                    "repo": ".",
                    "branches": ["main"],
                    "pythons": ["3"],
                    "plugins": [".asv_checkout"],
                    "environment_type": "checkout",
                    "matrix": matrix,
                    "benchmark_dir": "benchmarks",
                    **{place: f"asv/{place}" for place in ("results_dir", "html_dir", "env_dir")},
                }
            )
        )
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self, name: str, factor: float) -> None:
        text = (FAKES / "planted.py").read_text()
        for planted in ("WORK = 4.0", "ABORTS = 20"):
            assert planted in text
        text = text.replace("WORK = 4.0", f"WORK = {4.0 * factor}").replace(
            "ABORTS = 20", f"ABORTS = {20 * factor:.0f}"
        )
        (self.folder / "planted.py").write_text(text)
        self.git("add", "planted.py", "planted-1.0.dist-info")
        self.git("commit", "--quiet", "--allow-empty", "--message", name)
        self.git("tag", name)

    def asv(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            # The machine's file lies there; compiled kernels lie where they always do.
            **os.environ,
            "HOME": str(self.folder.parent),
            "CONTEND_CACHE_DIR": os.environ.get("CONTEND_CACHE_DIR", str(cache_folder())),
            "ASV_PYTHONPATH": str(self.root),
            "CONTEND_SUITE_WORKLOADS": "payments",
            "CONTEND_SUITE_BLOCK_SIZE": "200",
            # asv wants more certainty than six samples against six can give, however far apart they are.
            "CONTEND_SUITE_ROUNDS": "12",
        }
        return subprocess.run(
            [sys.executable, "-m", "asv", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def continuous(self, base: str, head: str) -> tuple[int, dict[str, tuple[str, float]], str]:
        """Exit code, what asv shows as changed (mark and ratio by benchmark), and all that it printed."""
        done = self.asv("continuous", "--show-stderr", "--factor", "1.3", base, head)
        shown = done.stdout + done.stderr
        assert "failed" not in shown, shown
        changed = {one["name"]: (one["mark"], float(one["ratio"])) for one in SHOWS.finditer(shown)}
        return done.returncode, changed, shown


def cache_folder() -> Path:
    from contend.evm.runtime.kernel_cache import cache_root

    return cache_root()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    made = Repository(tmp_path_factory.mktemp("asv") / "planted", Path(__file__).resolve().parents[3])
    made.commit("base", 1.0)
    made.commit("slow", SLOW)
    made.commit("fast", FAST)
    assert made.asv("machine", "--yes").returncode == 0
    return made


def cells(changed: dict[str, tuple[str, float]], strategy: str) -> dict[str, tuple[str, float]]:
    return {name.partition("(")[0]: found for name, found in changed.items() if f"'{strategy}'" in name}


def test_a_planted_slow_down_is_flagged(repository: Repository) -> None:
    code, changed, shown = repository.continuous("base", "slow")
    assert code == 1, shown
    # asv ends with the same exit code when it could not measure at all.
    assert "PERFORMANCE DECREASED" in shown
    planted = cells(changed, "planted")
    assert {mark for mark, _ in planted.values()} == {"+"}, shown
    assert set(planted) == {
        "execution.Seconds.track_block",
        "execution.Aborts.track_aborts",
        "execution.VirtualSeconds.track_block",
        "execution.VirtualAborts.track_aborts",
    }
    assert planted["execution.VirtualSeconds.track_block"][1] == SLOW
    assert "execution.VirtualSeconds.track_block" not in cells(changed, "serial")


def test_a_planted_speed_up_is_not_flagged(repository: Repository) -> None:
    code, changed, shown = repository.continuous("base", "fast")
    planted = cells(changed, "planted")
    assert {mark for mark, _ in planted.values()} == {"-"}, shown
    assert planted["execution.VirtualSeconds.track_block"][1] == FAST
    # What else a busy machine did to the serial baseline is not what was planted.
    if not any(mark == "+" for mark, _ in cells(changed, "serial").values()):
        assert code == 0, shown
        assert "PERFORMANCE INCREASED" in shown


def test_the_history_can_be_published(repository: Repository) -> None:
    done = repository.asv("publish")
    assert done.returncode == 0, done.stdout + done.stderr
    index = json.loads((repository.folder / "asv" / "html_dir" / "index.json").read_text())
    assert "execution.VirtualSeconds.track_block" in index["benchmarks"]
