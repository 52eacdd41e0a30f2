"""Node on this machine that answers JSON-RPC over HTTP as geth does, and goes wrong when it is told to."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "k3y-0f-n0b0dy"
PATH = f"/v2/{KEY}"
Answer = Callable[[list[Any]], Any]


class RpcError(Exception):
    """What a method answers instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.content = {"code": code, "message": message}


class AnsweringNode(ThreadingHTTPServer):
    """The node.

    Attributes
    ----------
    methods : dict
        By name: from parameters to the result.
    faults : list of callable
        Each takes one request in place of the node, the first one first.
    asked : list of str
        Methods that were asked for.
    batches : bool
        Whether it takes several questions at once.
    """

    daemon_threads = True

    def __init__(self, methods: dict[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.methods = methods
        self.faults: list[Callable[[BaseHTTPRequestHandler, bytes], None]] = []
        self.asked: list[str] = []
        self.batches = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless it is that the client went away: some tests have it do so."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Its URL, with a key."""
        return f"http://127.0.0.1:{self.server_address[1]}{PATH}"

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer to one question."""
        self.asked.append(request["method"])
        found = {"jsonrpc": "2.0", "id": request["id"]}
        method = self.methods.get(request["method"])
        if method is None:
            return found | {"error": {"code": -32601, "message": f"the method {request['method']} does not exist"}}
        try:
            return found | {"result": method(request["params"])}
        except RpcError as error:
            return found | {"error": error.content}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: AnsweringNode

    def do_POST(self) -> None:
        """Answer a request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.faults:
            self.server.faults.pop(0)(self, body)
            return
        if self.path != PATH:
            respond(self, b"wrong key", status=401)
            return
        request = json.loads(body)
        found: Any
        if not isinstance(request, list):
            found = self.server.answer(request)
        elif self.server.batches:
            found = [self.server.answer(one) for one in request][::-1]
        else:
            found = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches here"}}
        packed = gzip.compress(json.dumps(found).encode())
        respond(self, packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    def log_message(self, format: str, *args: Any) -> None:
        """Keep silent."""


def respond(
    handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> None:
    """Send a whole response."""
    handler.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def answering(methods: dict[str, Answer]) -> Iterator[AnsweringNode]:
    """A node that answers until the end of the block."""
    with AnsweringNode(methods) as node:
        thread = threading.Thread(target=node.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield node
        finally:
            node.shutdown()
            thread.join()
