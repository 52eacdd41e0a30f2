"""Every allocation of an execution fails once: the result is right, or the error is clear and the state as it was.

In the manner of SQLite's tests of lack of memory: the n-th allocation fails for n = 0, 1, 2, ... until none does. An
execution meets the end of one structure at a time; `faults` says which there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from assembler import assemble
from faults import COMMON, OPTIMISTIC, PLANNED, SHARDED, Failing, Fault

from contend.evm import Block, CapacityError, Receipts, State, Transaction
from contend.evm.accounts import World, accounts_of, new_state
from contend.evm.drivers.genesis import contract_address
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.compiled import CompiledStrategy
from contend.strategies.registry import get
from contend.workloads import registry, resolve_dials

FAULTS = {
    "serial": COMMON,
    "block_stm": (*COMMON, *OPTIMISTIC),
    "static_partition": (*COMMON, *OPTIMISTIC, *PLANNED),
    "sharded": (*COMMON, *SHARDED),
}
WORKERS = 3
MOST = 5_000
ME = bytes([0xA7]) * 20
# Writes 140 slots, more than the index of the access table begins with room for.
FILLER = bytes([0xC7]) * 20
FILL = "140 loop: DUP1 DUP1 SSTORE 1 SWAP1 SUB DUP1 :loop JUMPI STOP"
# Hashes four words by the precompiled contract, and gives them all back.
HASHER = bytes([0xC8]) * 20
HASH = "32 0 128 0 2 GAS STATICCALL POP 128 0 RETURN"
# Counts, logs the count and gives it back; what deploys it copies it to memory.
COUNT = "0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 32 0 LOG0 32 0 RETURN"


def deployment() -> bytes:
    code = assemble(COUNT)
    start = assemble(f"{len(code)} 12 0 CODECOPY {len(code)} 0 RETURN")
    assert len(start) < 12
    return start.ljust(12, b"\0") + code


@cache
def scene() -> tuple[Block, World]:
    """Some 20 transactions: swaps, payments, a creation and calls of what it made, and a precompiled contract's."""
    kind = registry.get("swaps")
    scenario = kind().build(resolve_dials(kind, {"pools": 2, "accounts": 6, "two_hops": 0.5}), 1, 10)
    block, state = scenario.blocks[0], scenario.genesis
    made = contract_address(ME, 3)
    acts: list[tuple[bytes | None, int, bytes]] = [
        (bytes([0xE1]) * 20, 5, b""),
        (bytes([0xE2]) * 20, 5, b""),
        (bytes([0xE1]) * 20, 7, b""),
        (None, 0, deployment()),
        (made, 0, b""),
        (HASHER, 0, b""),
        (FILLER, 0, b""),
        (made, 0, b""),
        ((2).to_bytes(20, "big"), 0, bytes(40)),
        (block.environment.coinbase, 1, b""),
    ]
    mine = tuple(Transaction(ME, to, nonce, 5_000_000, value, data) for nonce, (to, value, data) in enumerate(acts))
    state.set_balance(ME, 10**21)
    state.set_balance(block.environment.coinbase, 1)
    state.set_code(FILLER, assemble(FILL))
    state.set_code(HASHER, assemble(HASH))
    together = [one for pair in zip(block, mine, strict=True) for one in pair]
    return Block(block.environment, tuple(together), binding_order=True), accounts_of(state)


@cache
def expected() -> tuple[Receipts, str]:
    """Receipts of the serial execution, and the digest of the state after it."""
    block, world = scene()
    state = new_state(world)
    receipts = get("serial")().execute(block, state, 1).receipts
    assert receipts.status.all(), [receipts.error(i) for i in range(len(block))]
    return receipts, state.digest()


@pytest.fixture(scope="module", params=FAULTS)
def strategy(request: pytest.FixtureRequest) -> Iterator[CompiledStrategy]:
    with get(request.param)() as made:
        assert isinstance(made, CompiledStrategy)
        made.clock = VirtualClock()
        yield made


ALL = {fault.name: fault for faults in FAULTS.values() for fault in faults}


class States:
    """The state before the block, again and again."""

    def __init__(self, fault: Fault) -> None:
        self._keeps = fault.keeps
        self._state = new_state(scene()[1])
        self._snapshot = self._state.snapshot()
        self.digest = self._state.digest()

    def fresh(self) -> State:
        if self._keeps:
            return new_state(scene()[1])
        self._state.restore(self._snapshot)
        return self._state


@pytest.mark.parametrize("fault", ALL.values(), ids=str)
def test_a_block_is_right_when_it_is_executed_again(strategy: CompiledStrategy, fault: Fault) -> None:
    if fault not in FAULTS[strategy.name]:
        pytest.skip(f"{strategy.name} has no such structure")
    receipts, digest = expected()
    failing, states = Failing(strategy, fault), States(fault)
    # Each of these runs lays out new memory, twice as large; the other test fails at every step.
    for n in range(0, MOST, fault.step if fault.step == 1 else 10 * fault.step):
        state = states.fresh()
        outcome = failing.execute(scene()[0], state, WORKERS, n, once=True)
        assert list(outcome.receipts.differences(receipts)) == [], n
        assert state.digest() == digest, n
        assert outcome.order is None
        if failing.attempts == 1:
            break
    assert 0 < n < MOST - 1, "the structure never was too small, or it always is"


@pytest.mark.parametrize("fault", ALL.values(), ids=str)
def test_a_block_that_never_fits_ends_clearly_and_leaves_the_state(strategy: CompiledStrategy, fault: Fault) -> None:
    if fault not in FAULTS[strategy.name]:
        pytest.skip(f"{strategy.name} has no such structure")
    failing, states = Failing(strategy, fault), States(fault)
    fits, n = False, 0
    while not fits and n < MOST:
        state = states.fresh()
        try:
            outcome = failing.execute(scene()[0], state, WORKERS, n, once=False)
        except CapacityError as error:
            said = str(error)
        else:
            fits = True
            assert list(outcome.receipts.differences(expected()[0])) == []
            assert state.digest() == expected()[1]
            break
        assert "too small for the block" in said
        assert state.digest() == states.digest, n
        n += fault.step
    assert fits
    assert n > 0, "the structure never was too small"
