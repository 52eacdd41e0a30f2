"""HTTP exchange: one POST of JSON, whose answer is bounded in size and in time.

A socket's own time-out counts from the last byte: who sends one a minute would be listened to for ever. So a timer
shuts the socket down when the time for the whole answer is over. Redirections are not followed: where they lead, nobody
has said that the key may go.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator

from contend.outside_files import MOST_BYTES, unpacked
from contend.workloads.node.node_address import NodeAddress
from contend.workloads.node.node_error import NodeError

# The traces of a full block are some ten megabytes, of the most wasteful one some hundred.
MOST_ANSWERED = MOST_BYTES
_PIECE = 1 << 20
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_PAUSE_S = 120.0
_MEANING = {
    401: "refuses access; is the key in the URL right?",
    403: "refuses access; is the key in the URL right, and may it ask this?",
    404: "has nothing there; is the path of the URL complete?",
    408: "has taken too long",
    413: "finds the request too large",
    429: "is asked too often (rate limit)",
    503: "is not available just now",
    504: "has taken too long",
}


class HttpExchange:
    """Connection to a node, opened when something is first asked and again after it was lost.

    Parameters
    ----------
    address : NodeAddress
    timeout_s : float
        Seconds for a whole answer.
    """

    def __init__(self, address: NodeAddress, timeout_s: float) -> None:
        self._address, self._timeout_s = address, timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def post(self, body: bytes) -> bytes:
        """Send a body and return what is answered.

        Raises
        ------
        NodeError
            If there is no answer, or none with the status 200, or one that is too large.
        """
        late = threading.Event()
        try:
            with self._limited(late):
                return self._answer(body)
        except NodeError as error:
            self.close()
            # Shut down in the middle, an answer looks damaged.
            raise (self._late() if late.is_set() else error) from None
        except (OSError, EOFError, http.client.HTTPException, ValueError) as error:
            self.close()
            # None of these is shown as it is: some quote what was asked.
            raise (self._late() if late.is_set() else _lost(error, self._timeout_s)) from None
        except BaseException:
            self.close()
            raise

    def _late(self) -> NodeError:
        return NodeError(f"the node has not answered within {self._timeout_s:g} s (--timeout)", 0.0)

    @contextlib.contextmanager
    def _limited(self, late: threading.Event) -> Iterator[None]:
        """Shut the socket down when the time is over."""

        def end() -> None:
            late.set()
            with contextlib.suppress(OSError):
                if self._connection is not None and self._connection.sock is not None:
                    self._connection.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._timeout_s, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _answer(self, body: bytes) -> bytes:
        connection = self._connected()
        connection.request("POST", self._address.target, body, self._headers())
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise _refused(response)
        raw = _read(response)
        if response.will_close:
            self.close()
        coding = (response.getheader("Content-Encoding") or "identity").strip().lower()
        if coding == "gzip":
            return unpacked(raw, MOST_ANSWERED)
        if coding != "identity":
            raise NodeError("the node's answer is compressed in a way that was not asked for")
        return raw

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            address = self._address
            if address.encrypted:
                self._connection = http.client.HTTPSConnection(
                    address.host, address.port, timeout=self._timeout_s, context=ssl.create_default_context()
                )
            else:
                self._connection = http.client.HTTPConnection(address.host, address.port, timeout=self._timeout_s)
        return self._connection

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "gzip"}
        if self._address.credentials is not None:
            headers["Authorization"] = self._address.credentials
        return headers


def _read(response: http.client.HTTPResponse) -> bytes:
    """Body of an answer, and no more of it than is meant."""
    if (response.length or 0) > MOST_ANSWERED:
        raise _oversized()
    pieces, size = [], 0
    while piece := response.read(_PIECE):
        size += len(piece)
        if size > MOST_ANSWERED:
            raise _oversized()
        pieces.append(piece)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


def _oversized() -> NodeError:
    return NodeError(f"the node's answer is too large: it has more than {MOST_ANSWERED:,} bytes")


def _refused(response: http.client.HTTPResponse) -> NodeError:
    """What a status other than 200 means."""
    status = response.status
    if 300 <= status < 400:
        return NodeError(f"the node sends us elsewhere (HTTP {status}), and it is not safe to follow with a key")
    meaning = _MEANING.get(status, "fails" if status >= 500 else "refuses what it is asked")
    return NodeError(f"the node {meaning} (HTTP {status})", _pause(response) if status in _BUSY else None)


def _pause(response: http.client.HTTPResponse) -> float:
    """Seconds that the node asks for in ``Retry-After``; 0 where it names none, or a date."""
    told = (response.getheader("Retry-After") or "").strip()
    return min(float(told), _LONGEST_PAUSE_S) if told.isascii() and told.isdigit() and len(told) < 7 else 0.0


def _lost(error: BaseException, timeout_s: float) -> NodeError:
    """What an exception of sockets, TLS or HTTP means."""
    if isinstance(error, socket.gaierror):
        return NodeError("the node's host is not known; is the URL right?")
    if isinstance(error, ssl.SSLCertVerificationError):
        return NodeError("the node's certificate is not valid")
    if isinstance(error, ssl.SSLError):
        return NodeError("the node does not speak TLS as it should; is it https?")
    if isinstance(error, ConnectionRefusedError):
        return NodeError("the node cannot be reached: nobody listens there (connection refused)")
    if isinstance(error, TimeoutError):
        return NodeError(f"the node has not answered within {timeout_s:g} s (--timeout)", 0.0)
    if isinstance(error, OSError | EOFError) and "unpack" in str(error):
        return _oversized()
    if isinstance(error, OSError | EOFError | http.client.HTTPException):
        return NodeError("the connection to the node was lost", 0.0)
    return NodeError("the node's answer is not HTTP")
