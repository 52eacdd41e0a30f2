"""Plug-in provenance: version, commit and sources of the packages that bring what is measured.

Figures of a strategy from another package are that package's, so a record names it as it names Contend. Its commit is
known where its installation says so (PEP 610: installed from a Git address), where it was installed from a folder that
is a checkout and still holds the same sources, or where it is imported from a checkout in place. Elsewhere the digest
of its sources tells two versions apart.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from contend.evm.runtime.source_digest import digest_of, home_of
from contend.harness.plan.resolve import MeasurementPlan
from contend.harness.record.environment import git_output, git_state, vcs_revision
from contend.strategies import registry as strategies
from contend.strategies.given import SEPARATOR
from contend.workloads import registry as workloads


def plugins_of(plan: MeasurementPlan) -> list[dict[str, Any]]:
    """List the packages that bring strategies or workloads of a plan, by name; none are Contend's own.

    Returns
    -------
    list of dict
        ``name`` and ``version`` of the distribution; ``brings``, what of the plan it brings, such as
        ``strategy waves``; ``git`` (``revision`` and ``dirty``), or None where nobody knows; ``sources``, a digest.
    """
    found: dict[str, dict[str, Any]] = {}
    for kind, point, brought in _brought(plan):
        if point.dist is None:
            continue
        module, file = brought.__module__, inspect.getfile(brought)
        one = found.setdefault(
            point.dist.name,
            {
                "name": point.dist.name,
                "version": point.dist.version,
                "brings": [],
                "git": _checkout_of(point.dist, _sources(home_of(module, file))),
                "sources": digest_of(module, file),
            },
        )
        one["brings"].append(f"{kind} {point.name}")
    return [found[name] for name in sorted(found)]


def _brought(plan: MeasurementPlan) -> Iterator[tuple[str, EntryPoint, type]]:
    """What of the plan is registered by an entry point, with its class."""
    # Whatever a strategy is given, it is brought by one package.
    named = dict.fromkeys(cell.strategy.partition(SEPARATOR)[0] for cell in plan.cells)
    by_name = {point.name: point for point in entry_points(group=strategies.GROUP)}
    for name in named:
        if name in by_name and not strategies.is_built_in(name):
            yield "strategy", by_name[name], strategies.get(name)
    by_name = {point.name: point for point in entry_points(group=workloads.GROUP)}
    for name in dict.fromkeys(workload.name for workload in plan.workloads):
        if name in by_name and name not in workloads.BUILT_IN | workloads.ON_REQUEST:
            yield "workload", by_name[name], workloads.get(name)


def _sources(home: Path) -> list[Path]:
    return sorted(home.rglob("*.py")) if home.is_dir() else [home]


def _checkout_of(distribution: Distribution, sources: Sequence[Path]) -> dict[str, Any] | None:
    """Revision that a distribution's sources are of, and whether they differ from it; None where nobody knows."""
    revision = vcs_revision(distribution)
    if revision is not None:
        return {"revision": revision, "dirty": False}
    originals = _originals(distribution, sources)
    if originals is not None:
        return _state(originals)
    # Imported from a checkout by its path. An environment within one is no part of it: nothing there is tracked.
    return _state(sources) if _all_tracked(sources) else None


def _originals(distribution: Distribution, sources: Sequence[Path]) -> list[Path] | None:
    """The same sources in the folder that the distribution was installed from; None if they are not there any more."""
    folder = _installed_from(distribution)
    if folder is None or not sources:
        return None
    if all(source.is_relative_to(folder) for source in sources):
        return list(sources)
    top = Path(*sources[0].parts[: _depth(distribution)])
    for root in (folder, folder / "src"):
        found = [root / source.relative_to(top) for source in sources if source.is_relative_to(top)]
        if len(found) == len(sources) and all(map(_same, found, sources)):
            return found
    return None


def _depth(distribution: Distribution) -> int:
    """Number of parts of the path of the folder that the distribution was installed into."""
    return len(Path(str(distribution.locate_file(""))).absolute().parts)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.read_bytes() == other.read_bytes()
    except OSError:
        return False


def _installed_from(distribution: Distribution) -> Path | None:
    """Folder that a distribution was installed from, in place or not (PEP 610); None if it was from elsewhere."""
    text = distribution.read_text("direct_url.json")
    content = json.loads(text) if text else {}
    url = urlparse(content.get("url", ""))
    if "dir_info" not in content or url.scheme != "file":
        return None
    return Path(url2pathname(url.path))


def _state(sources: Sequence[Path]) -> dict[str, Any] | None:
    """State of the checkout that sources lie in; what is not tracked there is a difference, too."""
    top = git_output(sources[0].parent, "rev-parse", "--show-toplevel")
    state = None if top is None else git_state(Path(top.strip()))
    if state is None:
        return None
    return {**state, "dirty": state["dirty"] or not _all_tracked(sources)}


def _all_tracked(sources: Iterable[Path]) -> bool:
    names = [str(source) for source in sources]
    return bool(names) and git_output(Path(names[0]).parent, "ls-files", "--error-unmatch", "--", *names) is not None
