"""The one runner that every strategy's tests go through: its outcome must be the serial one."""

from __future__ import annotations

from collections.abc import Mapping

from evm import Block, State
from harness.oracle import Oracle
from strategies.base import Outcome, Strategy
from strategies.serial import Serial


class Equivalence:
    """Runs strategies on blocks and compares every outcome with a serial run.

    Parameters
    ----------
    contracts : mapping
        Addresses by name, so that a failure names what differs.
    """

    def __init__(self, contracts: Mapping[str, bytes] | None = None) -> None:
        self._serial = Serial()
        self._contracts = dict(contracts or {})

    def check(self, strategy: Strategy, block: Block, genesis: State, workers: int, repeat: int = 1) -> Outcome:
        """Execute `block` and fail with the first differences; the last outcome. `genesis` is left as it was."""
        state = genesis.copy()
        snapshot = state.snapshot()
        oracle = Oracle(block, state, snapshot, self._serial, self._contracts)
        for _ in range(repeat):
            state.restore(snapshot)
            outcome = strategy.execute(block, state, workers)
            differences = oracle.judge(outcome, state.changes_since(snapshot))
            assert not differences, f"{strategy.name} with {workers} workers: " + "; ".join(differences)
        return outcome
