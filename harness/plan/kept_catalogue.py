"""The catalogue as it was made last: to list what there is takes no compiler, but to import it all does.

What a catalogue says is in the sources of this package, so it is kept beside the compiled kernels, under a digest of
their paths, sizes and times, and made anew when one of them differs. Where a plug-in is installed, nothing is kept: its
sources may lie anywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from contend import cache_places

PLUGIN_GROUPS = ("contend.strategies", "contend.workloads")
_PREFIX = "catalogue-"
_SOURCES = {".py", ".toml"}


def kept_catalogue() -> dict[str, list[dict[str, Any]]]:
    """What `catalogue.catalogue` gives, as JSON has it; not made where nothing has changed since it was."""
    place = cache_places.places().written
    if place is None or any(entry_points(group=group) for group in PLUGIN_GROUPS):
        return _made()
    file = place / f"{_PREFIX}{_digest()}.json"
    with suppress(OSError, ValueError):
        content = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    content = _made()
    with suppress(OSError):
        _keep(file, content)
    return content


def _made() -> dict[str, list[dict[str, Any]]]:
    from contend.harness.plan.catalogue import catalogue

    made: dict[str, list[dict[str, Any]]] = json.loads(json.dumps(catalogue()))
    return made


def _keep(file: Path, content: dict[str, list[dict[str, Any]]]) -> None:
    """Write a catalogue in the place of all older ones; whoever reads meanwhile finds one whole file or none."""
    # `harness.record.atomic_write` would do, but records know plans, and plans must not know records.
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    for old in file.parent.glob(f"{_PREFIX}*.json"):
        old.unlink(missing_ok=True)
    fresh.replace(file)


def _digest() -> str:
    digest = hashlib.blake2b(sys.version.encode(), digest_size=8)
    for path in sorted(_sources()):
        found = path.stat()
        digest.update(f"{path}|{found.st_size}|{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    # The rooms are links, which a search from above does not follow.
    for entry in Path(cache_places.__file__).parent.iterdir():
        for path in entry.rglob("*") if entry.is_dir() else (entry,):
            if path.suffix in _SOURCES:
                yield path
