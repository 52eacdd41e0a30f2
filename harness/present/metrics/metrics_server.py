"""Metrics server: answers a monitor over HTTP, from a thread of the command, which measures nothing itself."""

from __future__ import annotations

import importlib
import importlib.util
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.present.metrics.run_metrics import Metric, RunMetrics

LOOPBACK = "127.0.0.1"
_PLACE = re.compile(r"(?:(?P<host>[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):)?(?P<port>[0-9]{1,5})")
_CLIENT_SECONDS = 5.0


def place_of(text: str) -> tuple[str, int]:
    """Host and port of ``[HOST:]PORT``; without a host, the loopback interface alone.

    Raises
    ------
    BadInputError
        If it is none.
    """
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"]) > 65_535:
        raise BadInputError(f"metrics: {text!r} is no place to listen at; give PORT or HOST:PORT, such as 9464")
    return (found["host"] or LOOPBACK).strip("[]"), int(found["port"])


@contextmanager
def serving(place: str, metrics: RunMetrics) -> Iterator[int]:
    """Serve metrics at ``/metrics`` for as long as the context lasts; gives the port.

    Raises
    ------
    BadInputError
        If the package is not installed, or the port cannot be had.
    """
    host, port = place_of(place)
    if importlib.util.find_spec("prometheus_client") is None:
        raise BadInputError("metrics: need the package prometheus-client; pip install prometheus-client")
    try:
        server = (_Server6 if ":" in host else _Server)((host, port), _handler(metrics))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInputError(f"metrics: {host}:{port}: {reason}; give another port") from error
    thread = threading.Thread(target=server.serve_forever, name="contend-metrics", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        metrics.close()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingTCPServer):
    # Of a run that has just ended the port is free again; one that somebody listens at is not.
    allow_reuse_address = True
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


def exposition(metrics: RunMetrics) -> bytes:
    """OpenMetrics text of the metrics as they are now."""
    core: Any = importlib.import_module("prometheus_client.core")
    text: Any = importlib.import_module("prometheus_client.openmetrics.exposition")
    registry = core.CollectorRegistry(auto_describe=False)
    registry.register(_Collector(core, metrics))
    written: bytes = text.generate_latest(registry)
    return written


class _Collector:
    def __init__(self, core: Any, metrics: RunMetrics) -> None:
        self._kinds = {"gauge": core.GaugeMetricFamily, "counter": core.CounterMetricFamily}
        self._metrics = metrics

    def collect(self) -> Iterator[Any]:
        """Give the families, as the package wants them."""
        for one in self._metrics.snapshot():
            yield self._family(one)

    def _family(self, one: Metric) -> Any:
        family = self._kinds[one.kind](one.name, one.help, labels=one.labels)
        for values, value in one.values.items():
            family.add_metric(values, value)
        return family


def _handler(metrics: RunMetrics) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _CLIENT_SECONDS

        def do_GET(self) -> None:
            """Answer ``/metrics``, and nothing else."""
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            text: Any = importlib.import_module("prometheus_client.openmetrics.exposition")
            content = exposition(metrics)
            self.send_response(200)
            self.send_header("Content-Type", text.CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *values: Any) -> None:
            """Say nothing: the terminal is the run's."""

    return Handler
