"""Addresses of nodes: what is asked of whom, and nothing of the URL in anything that is shown."""

from __future__ import annotations

import pytest

from contend.workloads.node.node_address import NodeAddress
from contend.workloads.node.node_error import NodeError

URL = "https://user%40home:pass%2Fword@secret-host.example.org:8443/v3/0123abcd?token=t0k3n&x=y#there"


def test_a_url_is_taken_to_pieces() -> None:
    address = NodeAddress(URL)
    assert (address.encrypted, address.host, address.port) == (True, "secret-host.example.org", 8443)
    assert address.target == "/v3/0123abcd?token=t0k3n&x=y"
    assert address.credentials == "Basic dXNlckBob21lOnBhc3Mvd29yZA=="
    plain = NodeAddress("HTTP://[::1]")
    assert (plain.encrypted, plain.host, plain.port, plain.target, plain.credentials) == (False, "::1", 80, "/", None)


@pytest.mark.parametrize(
    "part", [URL, "0123abcd", "T0K3N", "t0k3n", "secret-host.example.org", "pass/word", "pass%2Fword", "user@home"]
)
def test_no_part_of_it_is_shown(part: str) -> None:
    address = NodeAddress(URL)
    assert part.lower() not in repr(address).lower()
    shown = address.without_secrets(f"project {part} is over its limit\n at {part}")
    assert part.lower() not in shown.lower()
    assert shown.startswith("project ***")
    assert "\n" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:8545", "ftp://host/k3y", "file:///etc/passwd", "http://", "https:///k3y", "http://host:99999/k3y",
        "http://host:k3y/", "http://ho st/k3y", "http://host/k3y\r\nX: y", "http://host:0/k3y", "http://[::k3y]/",
        "http://h\N{LATIN SMALL LETTER O WITH DIAERESIS}st/k3y", "ws://host/k3y", "http://.k3y./", "\0",
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(NodeError, match="--rpc: is no URL of a node") as caught:
        NodeAddress(url)
    assert "k3y" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
