"""Address of a node: a URL that may hold a key, in its path, its query, as a user or as a password.

So nothing of it is ever shown: not in a message, not in a file, not by `repr`. What a node answers is shown without the
parts of its own URL, which some providers repeat when they refuse a request.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from contend.workloads.node.node_error import NodeError

_PORTS = {"http": 80, "https": 443}
_HIDDEN = "***"
# Shorter parts are `v3` and the like; hidden, they would make messages unreadable.
_SHORTEST_SECRET = 4
_MOST_SHOWN = 160
_VISIBLE = re.compile("[!-~]+")


class NodeAddress:
    """Place of a node that answers JSON-RPC over HTTP.

    Parameters
    ----------
    url : str
        ``http://`` or ``https://``, host, and whatever the node's provider puts behind it.

    Attributes
    ----------
    encrypted : bool
    host : str
    port : int
    target : str
        What is asked of the host: path and query.
    credentials : str or None
        Value of the header ``Authorization``, where the URL names a user.

    Raises
    ------
    NodeError
        If it is no such URL; nothing of it is in the message.
    """

    def __init__(self, url: str) -> None:
        parts, self.port = _split(url)
        self.encrypted = parts.scheme.lower() == "https"
        self.host = str(parts.hostname)
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.credentials = None
        user, password = (unquote(one or "") for one in (parts.username, parts.password))
        if user or password:
            self.credentials = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._secrets = _secrets(url, parts, user, password)

    def __repr__(self) -> str:
        return "NodeAddress(***)"

    def without_secrets(self, text: str, most: int = _MOST_SHOWN) -> str:
        """Text in one line of at most so many letters, without anything that may be a key."""
        shown = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        for secret in self._secrets:
            shown = re.sub(re.escape(secret), _HIDDEN, shown, flags=re.IGNORECASE)
        return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def _split(url: str) -> tuple[SplitResult, int]:
    """Parts and port of a URL."""
    try:
        if not _VISIBLE.fullmatch(url):
            raise ValueError
        parts = urlsplit(url)
        port = parts.port
        if parts.scheme.lower() not in _PORTS or not parts.hostname or port == 0:
            raise ValueError
        parts.hostname.encode("idna")
    except ValueError:
        # The reason that Python gives may quote the URL.
        raise NodeError("--rpc: is no URL of a node; one begins with http:// or https://, then has a host") from None
    return parts, port or _PORTS[parts.scheme.lower()]


def _secrets(url: str, parts: SplitResult, user: str, password: str) -> list[str]:
    """All that may be a key, the longest first, as it stands in the URL and as it is meant."""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    found = {url, parts.netloc, str(parts.hostname), parts.path, parts.query, user, password}
    found |= {*parts.path.split("/"), *str(parts.hostname).split("."), *(part for pair in pairs for part in pair)}
    found |= {parts.username or "", parts.password or ""}
    found |= {unquote(one) for one in found}
    return sorted((one for one in found if len(one) >= _SHORTEST_SECRET), key=len, reverse=True)
