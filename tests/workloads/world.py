"""A small world in which tests call contracts, block after block."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contend.evm import Environment, Genesis, GenesisError, State, view_call
from contend.workloads.contracts.abi import Argument, decode_words, load

ETHER = 10**18
ALICE, BOB, CAROL = b"\xa1" * 20, b"\xb0" * 20, b"\xca" * 20
ZERO = b"\0" * 20


class Contract:
    """A deployed contract whose methods are called by name."""

    def __init__(self, world: World, name: str, address: bytes) -> None:
        self.world = world
        self.artifact = load(name)
        self.address = address

    def send(self, sender: bytes, method: str, *arguments: Argument, value: int = 0) -> tuple[int, ...]:
        """Execute a transaction; the words that it returned."""
        data = self.artifact.method(method)(*arguments)
        return decode_words(self.world.genesis.call(self.address, data, sender, value))

    def ask(self, method: str, *arguments: Argument, sender: bytes = ZERO) -> tuple[int, ...]:
        """The words that a view returns."""
        data = self.artifact.method(method)(*arguments)
        return decode_words(view_call(self.world.state, self.world.environment, self.address, data, sender))


class World:
    """A state at a block; accounts with ether."""

    def __init__(self, environment: Environment | None = None) -> None:
        self.genesis = Genesis(environment)
        for account in (ALICE, BOB, CAROL):
            self.genesis.fund(account, 100 * ETHER)

    @property
    def state(self) -> State:
        """The state now."""
        return self.genesis.state

    @property
    def environment(self) -> Environment:
        """The block that calls see."""
        return self.genesis.environment

    def deploy(self, name: str, *arguments: Argument, sender: bytes = ALICE) -> Contract:
        """Deploy a contract with its constructor's arguments."""
        return Contract(self, name, self.genesis.deploy(load(name).creation(*arguments), sender))

    def pass_blocks(self, count: int) -> None:
        """Go on to a later block, twelve seconds each."""
        now = self.environment
        later = Genesis(dataclasses.replace(now, number=now.number + count, timestamp=now.timestamp + 12 * count))
        later.state = self.state
        self.genesis = later


@contextmanager
def reverts(reason: str = "") -> Iterator[None]:
    """The call inside must revert with this reason."""
    with pytest.raises(GenesisError, match="reverted") as caught:
        yield
    assert reason.encode().hex() in str(caught.value), str(caught.value)


def as_int(address: bytes) -> int:
    """An address as the word that a view returns."""
    return int.from_bytes(address, "big")
