"""Runs on a cluster of two nodes on this machine: figures as of one process, nodes that die, interruption."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from running import WAIT_SECONDS, contend_run, lives, until

import contend
from contend.harness.records import schema

pytest.importorskip("ray", reason="Ray is not installed: it has no wheel for this platform or Python")
Pids = Callable[[str], list[int]]


@pytest.fixture(scope="module")
def cluster(plugin_path: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster that offers cores on two nodes besides its head; the fakes are installed, and leave process ids."""
    root = str(Path(__file__).resolve().parents[4])
    pids = tmp_path_factory.mktemp("pids")
    ours = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "PYTHONPATH": os.pathsep.join([*plugin_path, root]),
        "CONTEND_FAKES_PIDS": str(pids),
    }
    # Short, since paths of sockets lie below it.
    folder = tempfile.mkdtemp(prefix="contend-", dir="/tmp")
    try:
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            for name, value in ours.items():
                patch.setenv(name, value)
            warnings.simplefilter("ignore")
            from ray.cluster_utils import Cluster

            made: Any = Cluster()
            small: dict[str, Any] = {"object_store_memory": 80 << 20, "include_dashboard": False}
            made.add_node(num_cpus=0, temp_dir=folder, **small)
            made.pids = pids
            made.others = [made.add_node(num_cpus=1, resources={"bench": 1}, **small) for _ in range(2)]
            yield made
            made.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def environment(cluster: Any, plugin_environment: dict[str, str]) -> dict[str, str]:
    return {**plugin_environment, "CONTEND_FAKES_PIDS": str(cluster.pids), "RAY_USAGE_STATS_ENABLED": "0"}


def record_in(folder: Path) -> dict[str, Any]:
    (path,) = (folder / "results" / "records").glob("*.json")
    record: dict[str, Any] = json.loads(path.read_text())
    jsonschema.validate(record, schema())
    return record


def left_by(cluster: Any, what: str) -> list[int]:
    return [int(file.name.rpartition("-")[2]) for file in cluster.pids.glob(f"{what}-*")]


def test_an_interrupted_run_keeps_finished_workloads_each_of_one_node(
    cluster: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    options = ("-w", "ledger,restless", "-s", "honest", "--workers", "1", "--repeat", "2", "--block-size", "50")
    with contend_run(environment, tmp_path, *options, "--cluster", cluster.address) as run:
        until(lambda: list((tmp_path / "results" / "records").glob("*.json")), "a workload is finished")
        until(lambda: left_by(cluster, "asleep"), "a strategy sleeps")
        run.send_signal(signal.SIGINT)
        output, errors = run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 130, errors
    assert "Traceback" not in errors
    assert "Interrupted" in output
    record = record_in(tmp_path)
    (cell,) = record["cells"]
    nodes = {node["name"]: node for node in record["sessions"][0]["nodes"]}
    assert set(nodes) == {"node 1", "node 2"}
    assert (cell["workload"], cell["verified"], len(cell["samples"])) == ("ledger", True, 2)
    assert {sample["process"] for sample in cell["samples"]} <= set(nodes[cell["node"]]["processes"])
    assert not set(nodes["node 1"]["processes"]) & set(nodes["node 2"]["processes"])
    assert len(nodes[cell["node"]]["environment"]["machine"]) == 16
    until(lambda: not any(map(lives, left_by(cluster, "asleep") + left_by(cluster, "honest"))), "all end", seconds=10)


def test_figures_are_those_of_one_process_whichever_node_dies(
    cluster: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    options: tuple[str, ...] = ("-w", "payments", "-s", "serial,block_stm", "--workers", "1,2,4", "--clock", "virtual")
    options = (*options, "--sweep", "accounts=50,100,200,400", "--block-size", "100")
    with contend_run(environment, tmp_path, *options, "--cluster", cluster.address) as run:
        # What it has by then is kept; what the node was at is run by the other.
        until(lambda: list((tmp_path / "results" / "records").glob("*.json")), "a workload is finished")
        cluster.remove_node(cluster.others.pop(), allow_graceful=False)
        _, errors = run.communicate(timeout=WAIT_SECONDS)
    assert run.returncode == 0, errors
    record = record_in(tmp_path)
    assert record["complete"]
    assert "node" not in record["cells"][0]
    found = contend.load(tmp_path / "results")
    alone = contend.run(
        "payments",
        ["serial", "block_stm"],
        [1, 2, 4],
        clock="virtual",
        sweep=("accounts", [50, 100, 200, 400]),
        block_size=100,
        processes=1,
    )
    for column in ("workload", "dial.accounts", "strategy", "workers", "figures_digest", "block_digest"):
        assert found[column].tolist() == alone[column].tolist()
    assert found["figures_digest"].notna().all()
