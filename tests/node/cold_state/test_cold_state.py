"""Cold state under every strategy and clock: equal results, the same reads, nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of

from contend.evm import Block, Environment, State, Transaction
from contend.evm.layout import HERE
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.oracle.oracle import Oracle
from contend.node.base import Stage, StageError
from contend.node.cold_state.cold_state import ColdState
from contend.node.cold_state.stage import StateStore, make
from contend.node.store.ahead.read_ahead import ReadAhead, io_of
from contend.node.store.ahead.ring import why_no_ring
from contend.node.store.base import Store, StoreError, records_of
from contend.node.store.fetching import POISON
from contend.node.store.page_file import PageFile, write_page_file
from contend.node.whole_node import Node
from contend.strategies import registry as strategies
from contend.strategies.base import Strategy
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial


def block(seed: int) -> Block:
    names = ("counter", "keyed", "chaser", "reader")
    acts = [
        Act(SENDERS[(i + seed) % 4], CONTRACTS[names[i // 4 % 4]], (i * seed % 5).to_bytes(32, "big"))
        for i in range(24)
    ]
    return block_of(acts)


BLOCKS = [block(1), block(2), block(3)]
SHARES = ["cold", "0.5", "1"]


class Dictionary(Store):
    """Records in a dictionary, read through Python."""

    name = "dictionary"

    def __init__(self, state: State) -> None:
        self.records = dict(records_of(state))
        self.asked: list[bytes] = []

    @property
    def facts(self) -> dict[str, int]:
        return {"accounts": len(self.records)}

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:  # type: ignore[override]  # a list is a sequence
        self.asked += keys
        return [self.records.get(key) for key in keys]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores")


def stage_of(state: State, folder: Path, simulated: bool, share: str = "cold", disk: str = "90us:4") -> Stage:
    asked = {"state": "file", "cache": share, "state_path": str(folder / f"{state.digest()}.pages")}
    # What is read through the system's cache lies anywhere; a device of one's own is needed for nothing here.
    return make(asked | {"disk": disk if simulated else "1ns:4"}, BLOCKS, state, 1)


def runs(
    node: Node, strategy: Strategy, state: State, workers: int = 1, right: bool = True
) -> Iterator[tuple[str, dict[str, int]]]:
    """Digest of the state after each block, which is right, and what was counted."""
    for place, one in enumerate(BLOCKS):
        before = state.snapshot()
        strategy.knowledge = BlockKnowledge([one], state, Serial()).of(0, strategy.given)
        state.restore(before)
        oracle = Oracle(one, state, before, Serial(), {})
        _ = oracle.reference  # made on the state as it is
        state.restore(before)
        outcome = node.execute(strategy, one, state, workers, place)
        assert not right or oracle.check(outcome, state.changes_since(before)) == []
        assert (state.arrivals == HERE).all()
        assert not (state.values == np.array(POISON, np.uint64)).all(axis=1).any()
        yield state.digest(), outcome.counters


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
@pytest.mark.parametrize("name", strategies.names())
def test_results_and_reads_are_those_of_serial(name: str, clock: Clock, share: str, folder: Path) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    stage = stage_of(state, folder, clock.name != "wall", share)
    counted = [counters for _, counters in runs(Node({"state": stage}), Serial(), state)]
    with strategies.get(name)() as strategy:
        if clock.name not in strategy.clocks:
            pytest.skip(f"{name} does not run under the {clock.name} clock")
        strategy.clock = clock
        for _ in range(2):
            state.restore(genesis)
            found = list(runs(Node({"state": stage}), strategy, state, 3))
            for (_, own), serial in zip(found, counted, strict=True):
                # Who executes out of order may touch what serial execution does not.
                assert own["cold_records"] >= serial["cold_records"]
                assert own["cold_reads"] >= own["cold_records"]
                assert (own["cold_records"] == 0) == (share == "1")


def test_any_store_gives_what_a_file_gives(folder: Path) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    of_file = list(runs(Node({"state": stage_of(state, folder, True)}), Serial(), state))
    state.restore(genesis)
    store = Dictionary(state)
    cold = ColdState(store, genesis, 0.0, None, 1)
    of_store = list(runs(Node({"state": StateStore(cold, 0.0, None)}), Serial(), state))
    assert [digest for digest, _ in of_file] == [digest for digest, _ in of_store]
    assert [counted["cold_records"] for _, counted in of_file] == [counted["cold_records"] for _, counted in of_store]
    assert {20, 32, 52} == {len(key) for key in store.asked}
    assert len(store.asked) == sum(counted["cold_records"] for _, counted in of_store)


def test_each_record_is_read_once_a_block(folder: Path) -> None:
    state = adversarial_state()
    store = Dictionary(state)
    cold = ColdState(store, state.snapshot(), 0.0, None, 1)
    for _ in runs(Node({"state": StateStore(cold, 0.0, None)}), Serial(), state):
        assert len(store.asked) == len(set(store.asked))
        store.asked.clear()


def test_words_come_from_the_store_and_not_from_memory() -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    store = Dictionary(state)
    sender = SENDERS[(0 + 1) % 4]
    store.records[sender] = store.records[sender][:39] + bytes([store.records[sender][39] ^ 1]) + bytes(32)
    cold = ColdState(store, genesis, 0.0, None, 1)
    (right, _), *_ = runs(Node(), Serial(), state)
    state.restore(genesis)
    (wrong, _), *_ = runs(Node({"state": StateStore(cold, 0.0, None)}), Serial(), state, right=False)
    assert right != wrong


def test_a_store_that_fails_fails_the_run() -> None:
    state = adversarial_state()
    cold = ColdState(Dictionary(state), state.snapshot(), 0.0, None, 1)

    class Broken(Dictionary):
        def get_many(self, keys: list[bytes]) -> list[bytes | None]:  # type: ignore[override]  # a list is a sequence
            raise StoreError("the device is gone")

    cold.store = Broken(state)
    with pytest.raises(StageError, match=r"state: [0-9]+ reads from the store failed: the device is gone"):
        Node({"state": StateStore(cold.again(), 0.0, None)}).execute(Serial(), BLOCKS[0], state, 1)
    assert (state.arrivals == HERE).all()


def test_a_damaged_page_fails_the_run(folder: Path) -> None:
    state = adversarial_state()
    path = folder / "damaged.pages"
    write_page_file(path, state, state.digest())
    store = PageFile(path, state.digest(), direct=False)
    with path.open("r+b") as file:
        for page in range(1, store.facts["bytes"] // 4096):
            file.seek(page * 4096 + 200)
            file.write(b"\xff\xff\xff")
    cold = ColdState(store, state.snapshot(), 0.0, None, 1)
    with pytest.raises(StageError, match="reads from the store failed"):
        Node({"state": StateStore(cold, 0.0, None)}).execute(Serial(), BLOCKS[0], state, 1)


def test_another_state_is_refused(folder: Path) -> None:
    state = adversarial_state()
    stage = stage_of(state, folder, True)
    state.set_balance(bytes(19) + b"\x77", 5)
    other = adversarial_state()
    other.set_balance(bytes(19) + b"\x78", 5)
    # More accounts after the first block are what it has written; other ones are another state.
    Node({"state": stage}).execute(Serial(), BLOCKS[0], state, 1)
    with pytest.raises(StoreError, match="another state than the one that was stored"):
        Node({"state": stage}).execute(Serial(), BLOCKS[0], State(), 1)


@pytest.mark.parametrize(("disk", "channels"), [("90us:1", 1), ("90us:4", 4), ("1ms:2", 2)])
def test_simulated_time_is_that_of_the_device(disk: str, channels: int, folder: Path) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    latency = {"90us": 90e-6, "1ms": 1e-3}[disk.partition(":")[0]]
    stage, serial = stage_of(state, folder, True, disk=disk), Serial()
    node = Node({"state": stage})
    serial.clock = clock = VirtualClock()
    outcome = node.execute(serial, BLOCKS[0], state, 1)
    # One worker waits for one read after the other, however many the device could serve.
    reads = outcome.counters["cold_reads"]
    assert reads * latency <= outcome.phases["execute"] <= reads * latency + 1e-3
    assert clock.busy < 1e-3
    for name in ("block_stm", "occ_window"):
        state.restore(genesis)
        with strategies.get(name)() as strategy:
            strategy.clock = VirtualClock()
            outcome = node.execute(strategy, BLOCKS[0], state, 16)
            reads = outcome.counters["cold_reads"]
            # No more reads are under way than the device has channels.
            assert outcome.phases["execute"] >= reads // channels * latency
            repeated = outcome.phases["execute"]
            state.restore(genesis)
            strategy.clock = VirtualClock()
            assert node.execute(strategy, BLOCKS[0], state, 16).phases["execute"] == repeated


def test_another_has_memory_of_its_own(folder: Path) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    first = Node({"state": stage_of(state, folder, True)})
    second = first.again()
    one = first.execute(Serial(), BLOCKS[0], state, 1)
    state.restore(genesis)
    other = second.execute(Serial(), BLOCKS[0], state, 1)
    assert one.counters == other.counters
    assert first.facts == second.facts
    assert first.facts["state"]["store"] == "file"


@pytest.mark.parametrize("io", ["uring", "threads", "simulated"])
@pytest.mark.parametrize("kind", ["sure", "block"])
@pytest.mark.parametrize("name", ["serial", "block_stm", "bal", "placeholder"])
def test_what_is_read_ahead_is_not_read_again(name: str, kind: str, io: str, folder: Path) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    asked = {"state": "file", "state_path": str(folder / f"{state.digest()}.pages"), "read_ahead": kind}
    if io == "uring" and why_no_ring():
        pytest.skip(why_no_ring())
    stage = make(asked | {"disk": "90us:4", "io": io if io != "simulated" else "auto"}, BLOCKS, state, 1)
    assert isinstance(stage, StateStore)
    assert stage.cold.ahead is not None
    stage.cold.ahead.io = io
    for workers in (1, 3):
        state.restore(genesis)
        with strategies.get(name)() as strategy:
            strategy.clock = VirtualClock() if io == "simulated" else WALL
            plain = list(runs(Node({"state": stage_of(state, folder, False)}), Serial(), state))
            state.restore(genesis)
            ahead = list(runs(Node({"state": stage}), strategy, state, workers))
            for (_, own), (_, serial) in zip(ahead, plain, strict=True):
                assert own["cold_records"] >= serial["cold_records"]
                # What is asked for in vain are codes that nobody runs, and accounts that the list names for their own.
                assert own["cold_records"] <= serial["cold_records"] + 12


def test_reading_ahead_has_a_phase_of_its_own_and_leaves_little_to_wait_for(folder: Path) -> None:
    state = adversarial_state()
    genesis = state.snapshot()
    plain, ahead = (
        make(
            {"state": "file", "state_path": str(folder / f"{state.digest()}.pages"), "disk": "90us:32"} | more,
            BLOCKS,
            state,
            1,
        )
        for more in ({}, {"read_ahead": "block"})
    )
    seconds = []
    for stage in (plain, ahead):
        state.restore(genesis)
        serial = Serial()
        serial.clock = VirtualClock()
        outcome = Node({"state": stage}).execute(serial, BLOCKS[0], state, 1)
        seconds.append(outcome.phases)
    assert "read" not in seconds[0]
    assert seconds[1]["read"] > 0
    assert sum(seconds[1].values()) < sum(seconds[0].values()) / 3


def test_a_ring_that_is_forbidden_is_told_and_done_without(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("contend.node.store.ahead.read_ahead.why_no_ring", lambda: "the system gives no io_uring")
    state = adversarial_state()
    asked = {"state": "file", "state_path": str(folder / f"{state.digest()}.pages"), "read_ahead": "block"}
    write_page_file(Path(asked["state_path"]), state, state.digest())
    store = PageFile(Path(asked["state_path"]), state.digest(), direct=False)
    assert io_of("auto", store, False) == io_of("threads", store, False) == "threads"
    assert io_of("auto", store, True) == "simulated"
    with pytest.raises(StageError, match="io: the system gives no io_uring; --io threads does without"):
        io_of("uring", store, False)


def test_large_codes_are_read_in_pieces(tmp_path: Path) -> None:
    state = State()
    for number in range(4):
        state.set_code(bytes([1 + number]) * 20, bytes([number]) * (100_000 * number + 5))
    path = tmp_path / "codes.pages"
    write_page_file(path, state, state.digest())
    store = PageFile(path, state.digest(), direct=False)
    acts = [Transaction(bytes(19) + b"\x09", bytes([1 + number % 4]) * 20, number) for number in range(4)]
    blocks = [Block(Environment(), tuple(acts))]
    for io in ("threads", *([] if why_no_ring() else ["uring"])):
        ahead = ReadAhead("sure", blocks, (), io)
        cold = ColdState(store, state.snapshot(), 0.0, None, 1, ahead)
        before = state.snapshot()
        Node({"state": StateStore(cold, 0.0, None)}).execute(Serial(), blocks[0], state, 1)
        state.restore(before)
        # One sender, who has no account; four accounts, four codes of 1, 4, 7 and 10 pieces.
        assert cold.counters == {"cold_records": 9, "cold_reads": 5 + 1 + 4 + 7 + 10}
