"""Figures for a monitor: what a run publishes, bounded labels, one line where they cannot be served."""

from __future__ import annotations

import importlib
import inspect
import re
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import contend
from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.observer import Observer
from contend.harness.plan.resolve import CellKey
from contend.harness.present.metrics.both_observers import BothObservers
from contend.harness.present.metrics.metrics_server import place_of, serving
from contend.harness.present.metrics.run_metrics import MOST_SERIES, RunMetrics

DOCS = Path(__file__).resolve().parents[4] / "docs"
KEY = CellKey("block_stm", 4)


def told(metrics: RunMetrics) -> dict[str, dict[tuple[str, ...], float]]:
    return {one.name: one.values for one in metrics.snapshot()}


def test_a_monitor_reads_what_a_run_publishes(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    families: Any = importlib.import_module("prometheus_client.openmetrics.parser").text_string_to_metric_families

    metrics, texts = RunMetrics(), list[str]()

    class Asking(Observer):
        def recorded(self, workload: str, cells: list[dict[str, Any]]) -> None:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
                texts.append(answer.read().decode())

    with serving("0", metrics) as port:
        cells = contend.run(
            "payments",
            ["serial", "block_stm"],
            [1, 2],
            clock="virtual",
            block_size=50,
            observer=BothObservers(metrics, Asking()),
        )
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families(texts[0])
        for sample in family.samples
    }
    assert found["contend_runs_total", "block_stm"] == 2
    assert found["contend_planned_runs",] == found["contend_runs_total", "serial"] + 2
    for cell in cells.to_dict("records"):
        labels = sorted((cell["workload"], cell["strategy"], str(cell["workers"])))
        assert found["contend_transactions_per_second", *labels] == pytest.approx(cell["tx_per_second"])
    assert found["contend_active",] == 1
    assert told(metrics)["contend_active"] == {(): 0.0}
    # Every metric is on the page, and what alerts are about is one.
    names = {name for name, *_ in found} | set(told(metrics))
    page, rules = (DOCS / "watching.md").read_text(), (DOCS / "examples" / "alerts.yml").read_text()
    assert {name for name, *_ in found} <= set(re.findall(r"`(contend_\w+)", page))
    assert set(re.findall(r"contend_\w+", rules)) <= names | {"contend_failed_cells_total"}


def test_a_run_that_lasts_is_seen_with_its_strategy_until_it_ends() -> None:
    now = 1_000.0
    metrics = RunMetrics(lambda: now)
    metrics.running(3, "swaps", KEY)
    now = 1_500.0
    metrics.running(4, "swaps", CellKey("serial", 1))
    began = "contend_run_began_timestamp_seconds"
    assert told(metrics)[began] == {("3", "swaps", "block_stm", "4"): 1_000.0, ("4", "swaps", "serial", "1"): 1_500.0}
    metrics.failed("swaps", KEY, "no sign of life", [])
    assert told(metrics)[began] == {("4", "swaps", "serial", "1"): 1_500.0}
    metrics.measured("swaps", CellKey("serial", 1), 1)
    assert told(metrics)[began] == {}
    assert told(metrics)["contend_failed_cells"] == {("block_stm",): 1.0}


def test_series_are_bounded() -> None:
    metrics = RunMetrics()
    cell = {"strategy": "serial", "workers": 1, "tx_per_second": 1.0, "speedup": {"median": 1.0}}
    metrics.recorded("x", [{**cell, "workload": f"replay:{number}"} for number in range(MOST_SERIES + 7)])
    assert {len(values) for name, values in told(metrics).items() if "per_second" in name} == {MOST_SERIES}
    assert told(metrics)["contend_left_out_series"] == {(): 14.0}


def test_both_observers_pass_every_event_on() -> None:
    events = {name for name, _ in inspect.getmembers(Observer, inspect.isfunction) if not name.startswith("_")}
    assert events == {name for name in vars(BothObservers) if not name.startswith("_")}


def test_a_port_in_use_is_one_line_before_anything_is_measured(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ("--metrics", str(port), "-w", "payments", "--results", str(tmp_path), "-q")
        done = CliRunner().invoke(main, ["run", *options], standalone_mode=False)
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert done.stderr == f"contend: metrics: 127.0.0.1:{port}: Address already in use; give another port\n"
    assert list(tmp_path.rglob("*.json")) == []


def test_without_a_host_nobody_else_is_answered() -> None:
    assert place_of("9464") == ("127.0.0.1", 9464)
    assert place_of("10.0.0.1:9464") == ("10.0.0.1", 9464)
    assert place_of("[::1]:9464") == ("::1", 9464)
    for wrong in ("", "x", "99999", "a:b:1", "-1"):
        with pytest.raises(BadInputError, match="give PORT or HOST:PORT"):
            place_of(wrong)
