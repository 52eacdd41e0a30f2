"""``python -m tools.contenders``: measure all contenders on all workloads, simulated, and write ``docs/contenders.md``.

Cells are kept as they are measured. A study that was interrupted goes on when the same command is given again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from contend.workloads.registry import BUILT_IN
from tools.roles.role_cells import Study, cells_of, facts_of
from tools.roles.role_page import BUILDER_CONTENDERS, SINGLE_BLOCK_CONTENDERS, write_page

ROOT = Path(__file__).resolve().parents[1]
SINGLE = Study()
BUILDER = Study(block_count=4)
_Key = tuple[int, str, str]  # blocks, workload, contender; no contender for facts


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing, and write the page; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.contenders", description=__doc__)
    parser.add_argument("--workloads", default=",".join(BUILT_IN), help="names, separated by commas (default: all)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at once (default: all cores)")
    parser.add_argument("--kept", type=Path, default=ROOT / "results" / "roles" / "cells.jsonl", help="cells so far")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "contenders.md", help="page to write")
    asked = parser.parse_args(arguments)
    names = asked.workloads.split(",")
    unknown = [name for name in names if name not in BUILT_IN]
    if unknown:
        print(f"--workloads: unknown workload {unknown[0]!r}; known: {', '.join(BUILT_IN)}", file=sys.stderr)
        return 2
    kept = _read(asked.kept)
    jobs = [
        (study, name, missing)
        for study, contenders in ((SINGLE, SINGLE_BLOCK_CONTENDERS), (BUILDER, BUILDER_CONTENDERS))
        for name in names
        if (missing := [one for one in ("", *contenders) if (study.block_count, name, one) not in kept])
    ]
    asked.kept.parent.mkdir(parents=True, exist_ok=True)
    context = get_context("spawn")
    with (
        asked.kept.open("a") as log,
        ProcessPoolExecutor(asked.processes, mp_context=context, max_tasks_per_child=1) as pool,
    ):
        running = {pool.submit(_measure, *job): job for job in jobs}
        for number, done in enumerate(as_completed(running), 1):
            study, name, _ = running[done]
            for cell in done.result():
                log.write(json.dumps({"study": study.digest, **cell}) + "\n")
                kept[study.block_count, name, cell["contender"]] = cell
            log.flush()
            print(f"{number} of {len(jobs)}: {name}, {study.block_count} block(s)", file=sys.stderr)
    write_page(asked.output, kept, SINGLE, BUILDER)
    print(f"page: {asked.output}")
    return 0


def _measure(study: Study, workload: str, missing: Sequence[str]) -> list[dict[str, Any]]:
    found = [{"contender": "", **facts_of(study, workload)}] if "" in missing else []
    return found + list(cells_of(study, workload, [one for one in missing if one]))


def _read(path: Path) -> dict[_Key, dict[str, Any]]:
    return {
        (study.block_count, str(cell["workload"]), str(cell["contender"])): cell
        for cell in _lines(path)
        for study in (SINGLE, BUILDER)
        if cell["study"] == study.digest
    }


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text().splitlines():
            yield json.loads(line)


if __name__ == "__main__":
    sys.exit(main())
