"""Strategies and workloads that misbehave in every way that the harness must notice.

`conftest.py` puts this module on the path together with entry points for it, as an installed package would be.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from numba.core import event

from contend.plugin import (
    Block,
    Dial,
    DialValue,
    Environment,
    Genesis,
    Outcome,
    Receipts,
    Scenario,
    Serial,
    State,
    Strategy,
    Transaction,
    Workload,
)
from contend.strategies.given import MissingKnowledgeError

ETHER = 10**18
# A strategy that must show its process to a test leaves its id in this folder.
PID_VARIABLE = "CONTEND_FAKES_PIDS"
# Where this is set, nothing puts it to sleep.
AWAKE_VARIABLE = "CONTEND_FAKES_AWAKE"


# A transfer of so many wei puts `Honest` to sleep.
SLEEPY_VALUE = 1_001


COMPILE_SECONDS = 0.7


def leave_pid(what: str) -> None:
    folder = os.environ.get(PID_VARIABLE)
    if folder:
        (Path(folder) / f"{what}-{os.getpid()}").touch()


class Honest(Strategy):
    """The serial strategy under another name, and with workers."""

    name = "honest"
    summary = "serial in disguise"
    parallel: ClassVar[bool] = True

    def __init__(self) -> None:
        self._serial = Serial()

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        leave_pid(self.name)
        if block.transactions[0].value == SLEEPY_VALUE and AWAKE_VARIABLE not in os.environ:
            leave_pid("asleep")
            time.sleep(3600)
        outcome = self._serial.execute(block, state, workers)
        aborts = len(block) // 10
        outcome.counters |= {"executions": len(block) + aborts, "aborts": aborts, "wasted_gas": 21_000}
        return outcome

    def close(self) -> None:
        leave_pid("closed")
        self._serial.close()


class Solo(Honest):
    name = "solo"
    parallel: ClassVar[bool] = False


def with_status(receipts: Receipts, index: int, status: int) -> Receipts:
    altered = receipts.status.copy()
    altered[index] = status
    return dataclasses.replace(receipts, status=altered)


class WrongReceipt(Honest):
    """Says that transaction 3 failed."""

    name = "wrong_receipt"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        outcome.receipts = with_status(outcome.receipts, 3, 0)
        return outcome


class WrongWord(Honest):
    """Leaves the beneficiary a wei too rich."""

    name = "wrong_word"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        coinbase = block.environment.coinbase
        state.set_balance(coinbase, state.balance(coinbase) + 1)
        return outcome


class WrongLater(Honest):
    """Right for its first two runs, wrong afterwards."""

    name = "wrong_later"

    def __init__(self) -> None:
        super().__init__()
        self._runs = 0

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        self._runs += 1
        if self._runs > 2:
            outcome.receipts = with_status(outcome.receipts, 0, 0)
        return outcome


class Raising(Honest):
    name = "raising"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        raise ZeroDivisionError("planted\nin two lines")


class Crashing(Honest):
    """Ends its process the way that a stray pointer does."""

    name = "crashing"
    clocks: ClassVar[tuple[str, ...]] = ("wall", "virtual")

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        import ctypes

        ctypes.string_at(0)
        raise AssertionError("a null pointer was read")


class Needing(Honest):
    """Is to be given what nobody has."""

    name = "needing"
    takes: ClassVar[tuple[str, ...]] = ("truth",)

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        raise MissingKnowledgeError("truth: it is nowhere")


class Slow(Honest):
    """Never ends, and keeps a process of its own."""

    name = "slow"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        leave_pid("slow")
        if os.fork() == 0:
            leave_pid("kept")
            time.sleep(3600)
        time.sleep(3600)
        raise AssertionError("an hour has passed")


class Dozing(Honest):
    """Takes long enough to be killed in the middle."""

    name = "dozing"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        time.sleep(0.04)
        return super().execute(block, state, workers)


class Compiling(Honest):
    """Compiles a kernel, to all appearances, when it is first run."""

    name = "compiling"

    def __init__(self) -> None:
        super().__init__()
        self._compiled = False

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        compiles, self._compiled = not self._compiled, True
        if compiles:
            with event.trigger_event("contend:native", data={"name": "planted_kernel"}):
                time.sleep(COMPILE_SECONDS)
        outcome = super().execute(block, state, workers)
        outcome.counters["compiled"] = int(compiles)
        return outcome


class Untimed(Honest):
    """Claims that a block takes no time."""

    name = "untimed"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        outcome.phases = {"prepare": 0.0, "execute": 0.0, "commit": 0.0}
        return outcome


def by_sender(block: Block) -> npt.NDArray[np.int64]:
    """An order that is not the block's but keeps every sender's nonces in order."""
    order = sorted(range(len(block)), key=lambda i: block.transactions[i].sender)
    return np.array(order, dtype=np.int64)


class Reordering(Honest):
    """Serialises by sender, and says so."""

    name = "reordering"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        order = by_sender(block)
        outcome = super().execute(block.reordered(order), state, workers)
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        outcome.receipts = outcome.receipts.reordered(places)
        outcome.order = order
        return outcome


class WrongOrder(Honest):
    """Returns an order in which a transaction comes twice."""

    name = "wrong_order"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        outcome.order = np.arange(len(block))
        outcome.order[0] = 1
        return outcome


class Ledger(Workload):
    """Plain transfers among a few accounts, with real nonce chains."""

    name = "ledger"
    summary = "plain transfers"
    dials = (Dial("accounts", 20, "senders and receivers", low=2, high=1_000),)
    send: ClassVar[int] = 1_000

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        random = np.random.default_rng(seed)
        accounts = [(0xACC0_0000 + i).to_bytes(20, "big") for i in range(int(dials["accounts"]))]
        genesis = Genesis(Environment())
        for account in accounts:
            genesis.fund(account, 1_000 * ETHER)
        nonces = dict.fromkeys(accounts, 0)
        transactions = []
        for _ in range(block_size):
            sender, receiver = (accounts[int(i)] for i in random.choice(len(accounts), 2, replace=False))
            transactions.append(Transaction(sender, receiver, nonces[sender], 21_000, self.send))
            nonces[sender] += 1
        return Scenario(genesis.state, [Block(Environment(), tuple(transactions))], dict(dials))

    def check(self, scenario: Scenario, state: State) -> list[str]:
        return []


class Leaking(Ledger):
    """Its invariant never holds."""

    name = "leaking"

    def check(self, scenario: Scenario, state: State) -> list[str]:
        return ["supply is 3, not 4"]


class Unbuildable(Ledger):
    name = "unbuildable"

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        raise ValueError("planted")


class Doomed(Ledger):
    """Most of its transactions call a contract that always fails."""

    name = "doomed"

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        sender = b"\xac" * 20
        genesis = Genesis(Environment())
        genesis.fund(sender, 1_000 * ETHER)
        # Its code is one byte, INVALID.
        contract = genesis.deploy(bytes.fromhex("60fe60005360016000f3"))
        receivers = [contract if i % 4 else b"\xad" * 20 for i in range(block_size)]
        transactions = [Transaction(sender, to, nonce, 50_000) for nonce, to in enumerate(receivers)]
        return Scenario(genesis.state, [Block(Environment(), tuple(transactions))], dict(dials))


class Restless(Ledger):
    """Its transfers put honest strategies to sleep."""

    name = "restless"
    send: ClassVar[int] = SLEEPY_VALUE


STRATEGIES = (
    Honest,
    Solo,
    WrongReceipt,
    WrongWord,
    WrongLater,
    Raising,
    Crashing,
    Needing,
    Slow,
    Dozing,
    Compiling,
    Untimed,
    Reordering,
    WrongOrder,
)
WORKLOADS = (Ledger, Leaking, Restless, Unbuildable, Doomed)
