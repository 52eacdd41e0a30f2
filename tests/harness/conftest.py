"""Fakes as an installed package would bring them, and records made by hand."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from contend.harness.record.bound import Bound, Bounds
from contend.harness.record.derived import derived
from contend.harness.record.migrate import SCHEMA
from contend.harness.record.store import Store
from contend.harness.records import schema
from contend.strategies.given import role_of

FAKES = Path(__file__).parent / "fakes"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def every_record_satisfies_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test has written as a record is held against the JSON Schema at every write."""
    write = Store.write

    def checked(store: Store, record: dict[str, Any]) -> Path:
        jsonschema.validate(json.loads(json.dumps(record)), schema())
        return write(store, record)

    monkeypatch.setattr(Store, "write", checked)


@pytest.fixture(scope="session")
def plugin_path(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Folders that make the fakes importable and their entry points known."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "contend_fakes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: contend-fakes\nVersion: 1.0\n")
    sys.path.insert(0, str(FAKES))
    try:
        import contend_fakes as fakes
    finally:
        sys.path.remove(str(FAKES))
    lines = ["[contend.strategies]"]
    lines += [f"{kind.name} = contend_fakes:{kind.__name__}" for kind in fakes.STRATEGIES]
    lines += ["unimportable = contend_fakes_that_are_not_there:Missing", "[contend.workloads]"]
    lines += [f"{kind.name} = contend_fakes:{kind.__name__}" for kind in fakes.WORKLOADS]
    lines += ["unimportable = contend_fakes_that_are_not_there:Missing"]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return [str(folder), str(FAKES)]


@pytest.fixture
def plugins(plugin_path: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The fakes are installed, for this process and those that it starts."""
    from contend.workloads import registry

    for folder in plugin_path:
        monkeypatch.syspath_prepend(folder)
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


@pytest.fixture
def plugin_environment(plugin_path: list[str], tmp_path: Path) -> dict[str, str]:
    """Variables with which a command finds the fakes, and a folder where they leave process ids."""
    pids = tmp_path / "pids"
    pids.mkdir()
    path = os.pathsep.join([*plugin_path, str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "CONTEND_FAKES_PIDS": str(pids), "COLUMNS": "100"}


@pytest.fixture
def fakes(plugins: None) -> Any:
    """The module of fakes."""
    import contend_fakes

    return contend_fakes


def is_measuring(pid: int) -> bool:
    """Whether the process lives and is one of ours (its id may have been given to another since)."""
    try:
        return "measure/worker.py" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


MakeCell = Callable[..., dict[str, Any]]


@pytest.fixture
def make_cell() -> MakeCell:
    """Cells of a record with made-up samples."""
    random = np.random.default_rng(7)

    def make(
        workload: str = "swaps",
        strategy: str = "block_stm",
        workers: int = 2,
        ratio: float = 1.5,
        rounds: int = 10,
        counters: dict[str, int] | None = None,
        error: str | None = None,
        critical_path: int | None = None,
        **facts: Any,
    ) -> dict[str, Any]:
        samples = []
        for number in range(0 if error else rounds):
            base = 0.1 * random.uniform(0.98, 1.02)
            seconds = base / ratio
            samples.append(
                {
                    "process": number % 2,
                    "round": number,
                    "place": number % 3,
                    "began": f"2026-01-02T03:04:{number % 60:02d}.500+00:00",
                    "seconds": seconds,
                    "wall_seconds": seconds,
                    "cpu_seconds": workers * seconds,
                    "phases": {"prepare": 0.1 * seconds, "execute": 0.8 * seconds, "commit": 0.1 * seconds},
                    "counters": counters or {},
                    "baseline_seconds": base,
                }
            )
        cell = {
            "workload": workload,
            "dials": {"pools": 100},
            "seed": 1,
            "block_size": 1_000,
            "strategy": strategy,
            "workers": workers,
            "clock": "wall",
            "simulated": False,
            "transactions": 1_000,
            "failed_transactions": 0,
            "changed_locations": 12,
            "gas": 21_000_000,
            "genesis_digest": "ab" * 16,
            "block_digest": "cd" * 16,
            "compile_seconds": 0.0,
            "repeat": rounds,
            "verified": error is None,
            "error": error,
            "differences": ["transaction 3, status: serial 1, here 0"] if error else [],
            "samples": samples,
            "bounds": None,
        }
        if critical_path is not None:
            # Of 100 microseconds of work.
            depth = {"nonce": 20, "balance": 10, "storage": 250, "code": 1}
            bound = Bound(1_000, 100_000_000, 21_000_000, 600, 250, critical_path, 5_000_000, depth)
            independent = replace(bound, dependent=0, longest_chain=1, critical_path=100_000)
            cell["bounds"] = Bounds(bound, bound, independent).as_json()
        cell |= facts
        return {**cell, **derived(cell)}

    return make


@pytest.fixture
def make_given() -> Callable[..., dict[str, Any]]:
    """What a record says of what a strategy was given."""

    def make(strategy: str, source: str, values: bool = False, **more: Any) -> dict[str, Any]:
        return {
            "strategy": strategy,
            "source": source,
            "role": role_of(source),
            "list_kind": "full" if source == "block" else None,
            "values": values,
            "bytes_per_transaction": 120.0 if source == "block" else 0.0,
            **more,
        }

    return make


@pytest.fixture
def make_record() -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """A record around cells."""

    def make(cells: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "id": "20260102T030405Z-0a1b2c3d",
            "environment": {
                "contend": "0.1.0",
                "python": "3.11.0",
                "numpy": "2.4.0",
                "numba": "0.68.0",
                "llvmlite": "0.50.0",
                "llvm": "20.1.8",
                "platform": "Linux",
                "cpu": "a processor",
                "cores": 2,
                "memory_bytes": 1 << 33,
                "governor": None,
                "settings": {},
                "machine": "0123456789abcdef",
                "git": {"revision": "0" * 40, "dirty": False},
                "time": "2026-01-02T03:04:05+00:00",
                "kernels": "0123456789abcdef",
                "cold_cache": False,
                "costs": None,
            },
            "request": {
                "workloads": [],
                "strategies": [],
                "workers": [1, 2],
                "dials": {},
                "block_size": 1_000,
                "repeat": 10,
                "seed": 1,
                "processes": 2,
                "timeout": 300.0,
                "blocks": [],
                "suite": None,
                "clock": "wall",
                "costs": None,
                "network": None,
                "sweep": None,
            },
            "planned": {"workloads": [], "cells": []},
            "sessions": [
                {
                    "began": "2026-01-02T03:04:05+00:00",
                    "ended": "2026-01-02T03:05:05+00:00",
                    "command": ["contend", "run"],
                    "first_process": 0,
                    "load": {"began": 0.1, "ended": 1.5},
                    "changed": {},
                }
            ],
            "complete": True,
            "cells": cells,
        }

    return make


@pytest.fixture
def pids(plugin_environment: dict[str, str]) -> Iterator[Callable[[str], list[int]]]:
    """Ids of the processes in which a fake has run, by what it left; any that outlive the test are ended."""
    folder = Path(plugin_environment["CONTEND_FAKES_PIDS"])

    def of(what: str) -> list[int]:
        return [int(file.name.rpartition("-")[2]) for file in folder.glob(f"{what}-*")]

    yield of
    for pid in filter(is_measuring, of("*")):
        os.kill(pid, 9)
