"""Answers of a node over HTTP: those that are taken, those that are asked for again, and those that are refused."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from fake_node.answering_node import KEY, AnsweringNode, RpcError, answering, respond

from contend.workloads.node import http_exchange
from contend.workloads.node.json_rpc import JsonRpc
from contend.workloads.node.node_address import NodeAddress
from contend.workloads.node.node_error import NodeError

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]


@pytest.fixture
def node() -> Iterator[AnsweringNode]:
    with answering({"eth_chainId": lambda _: "0x1", "echo": lambda params: params[0]}) as made:
        yield made


class Asker:
    """Asks a node, and keeps what it waits for in place of waiting."""

    def __init__(self, url: str, timeout_s: float = 20.0, tries: int = 4) -> None:
        self.waited: list[float] = []
        self.told: list[str] = []
        self.rpc = JsonRpc(NodeAddress(url), timeout_s, tries, self.told.append, self.waited.append)

    def chain(self) -> Any:
        try:
            found = self.rpc.ask("eth_chainId")
            return None if found is None else found.value
        finally:
            self.rpc.close()

    def refused(self) -> str:
        with pytest.raises(NodeError) as caught:
            self.chain()
        text = str(caught.value)
        assert KEY not in "".join([text, *self.told])
        assert "127.0.0.1" not in "".join([text, *self.told])
        assert "\n" not in text
        # A traceback would show what it came from.
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return text


def status(number: int, **headers: str) -> Fault:
    return lambda handler, _: respond(
        handler, KEY.encode(), number, {name.replace("_", "-"): value for name, value in headers.items()}
    )


def body(content: bytes, **headers: str) -> Fault:
    return lambda handler, _: respond(
        handler, content, 200, {name.replace("_", "-"): value for name, value in headers.items()}
    )


def reply(**members: Any) -> Fault:
    def answer(handler: BaseHTTPRequestHandler, asked: bytes) -> None:
        whole = {"jsonrpc": "2.0", "id": json.loads(asked)["id"]} | members
        respond(handler, json.dumps(whole).encode())

    return answer


def error(code: Any, message: Any) -> Fault:
    return reply(error={"code": code, "message": message})


def hang_up(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def cut_short(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{")


def trickle(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """An answer of which something arrives all the time, and which never ends."""
    handler.close_connection = True
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _piece in range(400):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        pass


def test_answers_are_read(node: AnsweringNode) -> None:
    asker = Asker(node.url)
    assert [asker.rpc.ask("echo", one) for one in (None,)] == [None]
    found = asker.rpc.ask("echo", {"a": "0x1"})
    assert found is not None
    assert found["a"].integer() == 1
    assert asker.chain() == "0x1"
    assert (asker.waited, asker.told) == ([], [])


@pytest.mark.parametrize("batches", [True, False])
def test_many_questions_at_once_or_one_by_one(node: AnsweringNode, batches: bool) -> None:
    node.batches = batches
    asker = Asker(node.url)
    found = asker.rpc.ask_all([("echo", [number]) for number in range(120)])
    assert [one.value for one in found if one is not None] == list(range(120))
    assert node.asked.count("echo") == 120
    asker.rpc.close()


@pytest.mark.parametrize(
    "fault",
    [
        status(429), status(503), status(504), status(502), hang_up, cut_short,
        error(-32005, "limit exceeded"), error(429, "slow down"), error(-32000, "Too Many Requests"),
        error(-32000, "execution timeout"), error(-32603, "context deadline exceeded"),
    ],
)  # fmt: skip
def test_what_may_pass_is_asked_again(node: AnsweringNode, fault: Fault) -> None:
    node.faults = [fault, fault]
    asker = Asker(node.url)
    assert asker.chain() == "0x1"
    assert asker.waited == [1.0, 2.0]
    assert len(asker.told) == 2
    assert all(line.endswith(("in 1 s", "in 2 s")) for line in asker.told)


def test_a_node_is_left_alone_for_as_long_as_it_says(node: AnsweringNode) -> None:
    node.faults = [status(429, Retry_After="7"), status(429, Retry_After="99999"), status(429, Retry_After="soon")]
    asker = Asker(node.url)
    assert asker.chain() == "0x1"
    assert asker.waited == [7.0, 120.0, 4.0]


def test_patience_ends(node: AnsweringNode) -> None:
    node.faults = [status(429)] * 9
    asker = Asker(node.url)
    assert asker.refused() == "the node is asked too often (rate limit) (HTTP 429); asked 4 times"
    assert asker.waited == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("fault", [status(413), status(400), body(b"no"), body(b"null")])
def test_a_batch_that_is_refused_is_taken_to_pieces(node: AnsweringNode, fault: Fault) -> None:
    node.faults = [fault]
    asker = Asker(node.url)
    found = asker.rpc.ask_all([("echo", [number]) for number in range(3)])
    assert [one.value for one in found if one is not None] == [0, 1, 2]
    assert (asker.waited, len(node.asked)) == ([], 3)
    asker.rpc.close()


def test_a_batch_that_is_asked_too_often_is_asked_again(node: AnsweringNode) -> None:
    node.faults = [lambda handler, _: respond(handler, json.dumps({"error": {"code": -32005}}).encode())]
    asker = Asker(node.url)
    assert len(asker.rpc.ask_all([("echo", [1]), ("echo", [2])])) == 2
    assert asker.waited == [1.0]
    asker.rpc.close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(401), r"refuses access.*HTTP 401"),
        (status(403), r"refuses access.*HTTP 403"),
        (status(404), r"nothing there.*HTTP 404"),
        (status(400), r"refuses what it is asked.*HTTP 400"),
        (status(302, Location=f"http://elsewhere/{KEY}"), r"elsewhere \(HTTP 302\)"),
        (body(b"<html>"), "no JSON"),
        (body(b""), "no JSON"),
        (body(b"\xff\xfe"), "no JSON"),
        (body(b'{"id": 1, "id": 1}'), "two members"),
        (body(b"[" * 100_000), "nested too deeply"),
        (body(b"{}"), "not to what was asked"),
        (body(b"[]"), "not one of JSON-RPC"),
        (body(b"1"), "not one of JSON-RPC"),
        (body(b'{"id": 1, "result": NaN}'), "NaN"),
        (body(b"x", Content_Encoding="br"), "compressed"),
        (reply(id=77, result=1), "not to what was asked"),
        (reply(id=True, result=1), "not to what was asked"),
        (error(-32601, "no such method"), "does not offer eth_chainId"),
        (error(-32000, "required historical state unavailable (reexec=128)"), "pruned"),
        (error(-32000, "missing trie node 0xabc (path )"), "pruned"),
        (error(4444, "pruned history unavailable"), "pruned"),
        (error(-32000, "response size exceeded"), "too large"),
        (error(-32099, f"project {KEY}\nis unknown"), r"error -32099: project \*\*\* is unknown"),
        (error("7", None), "error: no reason given"),
        (reply(error="broken"), "error: broken"),
        (reply(error=7), "error: no reason given"),
    ],
)
def test_what_will_not_pass_is_refused_at_once(node: AnsweringNode, fault: Fault, words: str) -> None:
    node.faults = [fault]
    asker = Asker(node.url)
    assert re.search(words, asker.refused())
    assert asker.waited == []


@pytest.mark.parametrize(
    "fault",
    [
        body(b" " * 70_000),
        body(gzip.compress(b" " * 70_000), Content_Encoding="gzip"),
        lambda handler, _: handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
        lambda handler, _: respond(
            handler, b"".join(b"1000\r\n%b\r\n" % (b" " * 0x1000) for _ in range(32)) + b"0\r\n\r\n", 200,
            {"Content-Length": "", "Transfer-Encoding": "chunked"},
        ),
    ],
    ids=["whole", "packed", "announced", "chunked"],
)  # fmt: skip
def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    node: AnsweringNode, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_exchange, "MOST_ANSWERED", 1 << 16)
    node.faults = [fault]
    asker = Asker(node.url)
    assert asker.refused() == "the node's answer is too large: it has more than 65,536 bytes"
    assert asker.waited == []


def test_an_answer_has_to_come_to_an_end_in_time(node: AnsweringNode) -> None:
    node.faults = [trickle, trickle]
    asker = Asker(node.url, timeout_s=0.3, tries=2)
    assert asker.refused() == "the node has not answered within 0.3 s (--timeout); asked 2 times"


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/{KEY}"
        asker = Asker(url)
        assert "nobody listens there" in asker.refused()
        assert asker.waited == []


def test_tls_with_who_does_not_speak_it(node: AnsweringNode) -> None:
    assert "TLS" in Asker(node.url.replace("http://", "https://")).refused()


def test_an_error_of_the_node_s_own(node: AnsweringNode) -> None:
    def refuse(_: list[Any]) -> Any:
        raise RpcError(-32602, "bad params")

    node.methods["eth_chainId"] = refuse
    assert Asker(node.url).refused() == "eth_chainId: error -32602: bad params"
