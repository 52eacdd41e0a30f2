"""What a record says of the packages whose strategies and workloads were measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from typing import Any

import pytest

import contend
from contend.harness.compare.markdown import side_line
from contend.harness.measure import plugin_provenance
from contend.harness.measure.plugin_provenance import plugins_of
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import resolve
from contend.harness.record.environment import vcs_revision

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
SOURCE = """
from contend.plugin import Plan, PlannedStrategy


class Waves(PlannedStrategy):
    name = "waves"
    summary = "a plan without edges"

    def plan(self, hints, workers):
        return Plan()
"""
Checkout = Callable[[Path], str]
Installed = Callable[..., Distribution]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A package's own repository, with its sources below src."""
    folder = tmp_path / "repository"
    package = folder / "src" / "waves_of_test"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "strategy.py").write_text(SOURCE)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path, dict[str, Any] | None], Distribution]]:
    """Put a package's distribution into a folder, which goes on the import path; what PEP 610 would say of it."""

    def installed(site: Path, origin: dict[str, Any] | None) -> Distribution:
        info = site / "waves_of_test-1.2.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: waves-of-test\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text("[contend.strategies]\nwaves = waves_of_test.strategy:Waves\n")
        if origin is not None:
            (info / "direct_url.json").write_text(json.dumps(origin))
        monkeypatch.syspath_prepend(site)
        return PathDistribution(info)

    yield installed
    for name in [name for name in sys.modules if name.partition(".")[0] == "waves_of_test"]:
        del sys.modules[name]


def told() -> dict[str, Any]:
    (one,) = plugins_of(resolve(Request("payments", ["serial", "waves"], clock="virtual")))
    return one


def editable(repository: Path) -> dict[str, Any]:
    return {"url": repository.as_uri(), "dir_info": {"editable": True}}


def test_an_editable_plug_in_has_the_commit_of_its_checkout(
    repository: Path, tmp_path: Path, install: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site", editable(repository))
    monkeypatch.syspath_prepend(repository / "src")
    revision = git(repository, "rev-parse", "HEAD")
    found = told()
    assert found["name"] == "waves-of-test"
    assert found["version"] == "1.2"
    assert found["brings"] == ["strategy waves"]
    assert found["git"] == {"revision": revision, "dirty": False}
    # A module that nobody has committed is a difference, as an edit is; and either changes the digest.
    (repository / "src" / "waves_of_test" / "more.py").write_text("MORE = 1\n")
    assert told()["git"] == {"revision": revision, "dirty": True}
    assert told()["sources"] != found["sources"]


def test_a_plug_in_on_the_import_path_has_the_commit_of_the_checkout_it_lies_in(
    repository: Path, install: Installed
) -> None:
    install(repository / "src", None)
    assert told()["git"] == {"revision": git(repository, "rev-parse", "HEAD"), "dirty": False}


def test_a_copy_has_the_commit_of_the_folder_it_was_installed_from_while_they_are_the_same(
    repository: Path, tmp_path: Path, install: Installed
) -> None:
    site = tmp_path / "site"
    shutil.copytree(repository / "src", site)
    install(site, {"url": repository.as_uri(), "dir_info": {}})
    assert told()["git"] == {"revision": git(repository, "rev-parse", "HEAD"), "dirty": False}
    # The checkout has gone on: what is installed is no longer what is there, and nobody knows its commit.
    (repository / "src" / "waves_of_test" / "strategy.py").write_text(SOURCE + "\n")
    assert told()["git"] is None


def test_an_environment_within_another_checkout_is_no_part_of_it(repository: Path, install: Installed) -> None:
    site = repository / "environment"
    shutil.copytree(repository / "src", site)
    install(site, None)
    assert told()["git"] is None


@pytest.mark.parametrize(
    ("origin", "revision"),
    [
        ({"url": "https://example.org/waves", "vcs_info": {"vcs": "git", "commit_id": "ab" * 20}}, "ab" * 20),
        ({"url": "https://example.org/waves", "vcs_info": {"vcs": "git", "commit_id": "main"}}, None),
        ({"url": "https://example.org/waves.whl", "archive_info": {}}, None),
        ({"url": "file:///nowhere/at/all", "dir_info": {}}, None),
        (None, None),
    ],
)
def test_an_installation_from_git_says_its_commit(
    repository: Path, tmp_path: Path, install: Installed, origin: dict[str, Any] | None, revision: str | None
) -> None:
    site = tmp_path / "site"
    shutil.copytree(repository / "src", site)
    assert vcs_revision(install(site, origin)) == revision
    assert told()["git"] == (None if revision is None else {"revision": revision, "dirty": False})


@pytest.mark.usefixtures("plugins")
def test_a_record_names_the_packages_that_it_measured_and_no_others() -> None:
    cells = contend.run("ledger", ["serial", "honest"], workers=1, block_size=20, repeat=1)
    (one,) = cells["plugins"][0]
    assert (one["name"], one["version"]) == ("contend-fakes", "1.0")
    assert one["brings"] == ["strategy honest", "workload ledger"]
    assert plugins_of(resolve(Request("payments", "serial"))) == []


def test_sources_elsewhere_than_the_folder_say_nothing(tmp_path: Path, install: Installed) -> None:
    distribution = install(tmp_path / "site", {"url": tmp_path.as_uri(), "dir_info": {}})
    outside = tmp_path.parent / "outside.py"
    assert plugin_provenance._originals(distribution, [outside]) is None
    assert plugin_provenance._originals(distribution, []) is None


def test_a_side_is_named_by_its_own_commits() -> None:
    plugin: dict[str, Any] = {"name": "waves", "version": "1.2", "brings": [], "git": None, "sources": "0123456789ab"}
    side: dict[str, Any] = {
        "label": "results/base",
        "kind": "record",
        "revision": "a" * 40,
        "dirty": True,
        "contend": "0.1.0",
        "kernels": "cafe",
        "plugins": [plugin],
    }
    own = "Contend 0.1.0 at aaaaaaaaaa, with uncommitted changes"
    assert side_line(side) == f"`results/base` (waves 1.2, sources 0123456789ab; {own})"
    known = plugin | {"git": {"revision": "b" * 40, "dirty": False}}
    assert side_line(side | {"plugins": [known]}) == f"`results/base` (waves 1.2 at bbbbbbbbbb; {own})"
    assert side_line(side | {"plugins": [], "revision": None}) == "`results/base` (Contend 0.1.0, kernels cafe)"
    tree = {"label": "main", "kind": "tree", "revision": "a" * 40, "dirty": False}
    assert side_line(tree) == "`main` (aaaaaaaaaa)"
    assert side_line(tree | {"label": "aaaaaaaa", "plugins": [known]}) == "`aaaaaaaa` (waves 1.2 at bbbbbbbbbb)"
