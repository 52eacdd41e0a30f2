"""JSON-RPC to a node: questions, answers read strictly, and patience with a node that is busy.

What is asked too often, or is answered too late, is asked again after a pause that doubles each time, or after the one
that the node asks for. Everything else is final: a method that is not there will not be there in a minute.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from contend.outside_files import json_of, reason
from contend.workloads.files.fields import Field
from contend.workloads.node.http_exchange import HttpExchange
from contend.workloads.node.node_address import NodeAddress
from contend.workloads.node.node_error import NodeError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
# Questions in one request; providers allow from some tens to a thousand.
_BATCH = 50
# Codes of the JSON-RPC specification, of EIP-1474 and of EIP-4444's clients, and what providers have added.
_NO_METHOD, _PRUNED_HISTORY = {-32601, -32004}, 4444
_TOO_OFTEN = {-32005, -32007, -32029, -32090, -32097, 429, 1015}
_TOO_OFTEN_WORDS = ("rate limit", "too many requests", "compute units", "request limit", "throttl", "capacity exceeded")
_PRUNED_WORDS = (
    "historical state", "missing trie node", "state is not available", "state not available", "state is unavailable",
    "pruned", "state unavailable", "no state available", "state histories haven't been fully indexed", "world state",
)  # fmt: skip
_LATE_WORDS = ("timeout", "timed out", "deadline exceeded")
_LARGE_WORDS = ("response too large", "response size", "too big", "exceeds the limit", "exceeded max limit")

T = TypeVar("T")
Question = tuple[str, list[Any]]


class JsonRpc:
    """Node that answers questions.

    Parameters
    ----------
    address : NodeAddress
    timeout_s : float
        Seconds for one answer.
    tries : int
        How often something is asked before it is given up.
    told : callable
        Given one line about each pause.
    sleep : callable
        Waits some seconds.
    """

    def __init__(
        self,
        address: NodeAddress,
        timeout_s: float = 120.0,
        tries: int = 6,
        told: Callable[[str], object] = lambda line: None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._address, self._tries, self._told, self._sleep = address, tries, told, sleep
        self._exchange = HttpExchange(address, timeout_s)
        self._number = 0
        self._batches = True

    def close(self) -> None:
        """Close the connection."""
        self._exchange.close()

    def ask(self, method: str, *params: Any) -> Field | None:
        """Ask one question; None where the answer is null.

        Raises
        ------
        NodeError
            If there is no answer, or an error is the answer.
        """
        return self._patiently(lambda: self._one(method, list(params)))

    def ask_all(self, questions: Sequence[Question]) -> list[Field | None]:
        """Ask several questions, many at once where the node takes that.

        Raises
        ------
        NodeError
            As `ask`.
        """
        found: list[Field | None] = []
        while len(found) < len(questions):
            some = questions[len(found) : len(found) + _BATCH]
            answers = self._patiently(partial(self._many, some)) if self._batches else None
            if answers is None:
                self._batches = False
                answers = [self.ask(method, *params) for method, params in some]
            found += answers
        return found

    def _patiently(self, once: Callable[[], T]) -> T:
        pause = _FIRST_PAUSE_S
        for attempt in range(1, self._tries + 1):
            try:
                return once()
            except NodeError as error:
                if error.again_after_s is None:
                    raise
                if attempt == self._tries:
                    times = f"; asked {attempt} times" if attempt > 1 else ""
                    raise NodeError(f"{error}{times}") from None
                wait = max(error.again_after_s, pause)
                self._told(f"{error}; asking again in {wait:g} s")
                self._sleep(wait)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
        raise AssertionError("something is asked at least once")

    def _request(self, method: str, params: list[Any]) -> dict[str, Any]:
        self._number += 1
        return {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}

    def _post(self, request: Any) -> Any:
        raw = self._exchange.post(json.dumps(request).encode())
        try:
            return json_of(raw)
        except ValueError as error:
            said = self._address.without_secrets(reason(error))
            raise NodeError(f"the node's answer is no JSON: {said}") from None

    def _one(self, method: str, params: list[Any]) -> Field | None:
        request = self._request(method, params)
        return self._result(self._post(request), request)

    def _many(self, questions: Sequence[Question]) -> list[Field | None] | None:
        """Answers to all questions; None where the node does not take several at once."""
        requests = [self._request(method, params) for method, params in questions]
        try:
            answer = self._post(requests)
        except NodeError as refusal:
            if refusal.again_after_s is not None:
                raise
            # Whatever it is, a single question will tell.
            return None
        if not isinstance(answer, list):
            # Of one that is only busy the error says so, and the same is asked again.
            if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
                error = self._meaning(answer["error"], "several questions at once")
                if error.again_after_s is not None:
                    raise error
            return None
        by_number = {one.get("id"): one for one in answer if isinstance(one, dict) and isinstance(one.get("id"), int)}
        if len(by_number) != len(requests) or len(answer) != len(requests):
            raise NodeError(f"the node has answered {len(answer)} of {len(requests)} questions")
        return [self._result(by_number.get(request["id"]), request) for request in requests]

    def _result(self, answer: Any, request: dict[str, Any]) -> Field | None:
        method = request["method"]
        if not isinstance(answer, dict):
            raise NodeError(f"{method}: the node's answer is not one of JSON-RPC")
        error = answer.get("error")
        if error is not None:
            raise self._meaning(error, method)
        if answer.get("id") != request["id"] or isinstance(answer.get("id"), bool) or "result" not in answer:
            raise NodeError(f"{method}: the node's answer is not to what was asked")
        result = answer["result"]
        return None if result is None else Field(f"{method}: answer", result, strict=True)

    def _meaning(self, error: Any, method: str) -> NodeError:
        """What an error object means."""
        code, text = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
        text = text if isinstance(text, str) else ""
        lower = text.lower()

        def says(words: Sequence[str]) -> bool:
            return any(word in lower for word in words)

        if code in _TOO_OFTEN or says(_TOO_OFTEN_WORDS):
            return NodeError("the node is asked too often (rate limit)", 0.0)
        if code == _PRUNED_HISTORY or says(_PRUNED_WORDS):
            return NodeError(
                "the node no longer has the state before it (pruned); ask an archive node, or for one of the newest "
                "100 blocks"
            )
        if code in _NO_METHOD:
            return NodeError(f"the node does not offer {method}; geth does with --http.api eth,debug")
        if says(_LATE_WORDS):
            return NodeError(f"{method}: the node has given up for lack of time", 0.0)
        if says(_LARGE_WORDS):
            return NodeError(f"{method}: the node finds its answer too large")
        said = self._address.without_secrets(text) or "no reason given"
        number = f" {code}" if isinstance(code, int) and not isinstance(code, bool) else ""
        return NodeError(f"{method}: error{number}: {said}")


def required(answer: Field | None, what: str) -> Field:
    """Answer that must not be null.

    Raises
    ------
    NodeError
        If it is.
    """
    if answer is None:
        raise NodeError(f"the node does not have {what}")
    return answer
