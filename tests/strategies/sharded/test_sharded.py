"""The sharded strategy in its processes: the serial result, nothing left behind, and a clear end when one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import multiprocess
import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, blocks, hot, word
from assembler import assemble
from equivalence import Equivalence
from hypothesis import HealthCheck, given, settings
from running import lives, until
from shard_barrier import start_of_next_block

from contend.evm import Block, State
from contend.strategies.sharded import Sharded
from contend.strategies.sharded.protocol.layout import MOST_SLOTS

ROOT = Path(__file__).resolve().parents[3]

WORLD = adversarial_state()
# Gas that takes a shard several seconds to burn, so that a signal arrives while kernels run.
LONG = block_of([Act(sender, CONTRACTS["burner"], gas=3_000_000_000) for sender in SENDERS])
NINE_THOUSAND_STORES = "0 CALLDATALOAD 9000 loop: DUP2 DUP2 ADD 1 SWAP1 SSTORE 1 SWAP1 SUB DUP1 :loop JUMPI"

RUNS_AND_TELLS = """
import multiprocess, sys, threading
from adversarial import CONTRACTS, SENDERS, Act, block_of, hot, adversarial_state
from shard_barrier import start_of_next_block
from contend.strategies.sharded import Sharded

if __name__ == "__main__":
    state = adversarial_state()
    for sender in SENDERS:
        state.set_balance(sender, 10**24)
    strategy = Sharded()
    strategy.execute(hot("counter", 20), state.copy(), 3)
    print(*(child.pid for child in multiprocess.active_children()), flush=True)
    if sys.argv[1] == "idle":
        sys.stdin.read()
    elif sys.argv[1] == "busy":
        long = block_of([Act(s, CONTRACTS["burner"], gas=3_000_000_000) for s in SENDERS])
        wait_for_start = start_of_next_block(strategy, 3)
        threading.Thread(target=strategy.execute, args=(long, state, 3)).start()
        wait_for_start()
        print("busy", flush=True)
"""


class Kept:
    """A strategy for each number of shards, so that processes are not started anew for every test."""

    def __init__(self) -> None:
        self._strategies: dict[int, Sharded] = {}

    def __getitem__(self, workers: int) -> Sharded:
        return self._strategies.setdefault(workers, Sharded())

    def close(self) -> None:
        for strategy in self._strategies.values():
            strategy.close()


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    strategies = Kept()
    yield strategies
    strategies.close()


@pytest.fixture(scope="module")
def equivalence() -> Equivalence:
    return Equivalence(CONTRACTS)


def rich() -> State:
    """The world with senders who can pay for anything."""
    state = WORLD.copy()
    for sender in SENDERS:
        state.set_balance(sender, 10**24)
    return state


def shard_processes() -> set[tuple[str, int]]:
    """Names and ids of the processes of all strategies."""
    return {(child.name, child.pid) for child in multiprocess.active_children() if child.name.startswith("shard-")}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process whose parent is gone may wait to be buried by its new parent; it may also end while it is looked at.
    return lives(pid) if Path("/proc/self/stat").exists() else True


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("name", ["counter", "chaser", "watcher", "miner_watcher"])
def test_everyone_calls_one_contract(equivalence: Equivalence, kept: Kept, name: str, workers: int) -> None:
    equivalence.check(kept[workers], hot(name, 120), WORLD, workers, repeat=2)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=blocks)
def test_any_small_block(equivalence: Equivalence, kept: Kept, block: Block) -> None:
    equivalence.check(kept[2], block, WORLD, 2)


def test_more_shards_than_cores(equivalence: Equivalence) -> None:
    acts = [Act(SENDERS[i % 4], bytes([0xE0, i % 50]) + bytes(18), value=1, gas=30_000) for i in range(200)]
    with Sharded() as strategy:
        outcome = equivalence.check(strategy, block_of(acts), WORLD, 5)
        assert len(shard_processes()) >= 5
    assert outcome.counters["cross_shard"] > 0
    assert outcome.counters["messages"] > 4 * outcome.counters["cross_shard"]


def test_phases_and_order(kept: Kept) -> None:
    outcome = kept[2].execute(hot("counter", 100), WORLD.copy(), 2)
    assert set(outcome.phases) == {"prepare", "execute", "commit"}
    assert min(outcome.phases.values()) > 0
    assert outcome.order is not None
    assert sorted(outcome.order.tolist()) == list(range(100))
    # One shard keeps to the block's order, and says so.
    assert kept[1].execute(hot("counter", 100), WORLD.copy(), 1).order is None


def test_blocks_of_other_sizes_states_and_codes_follow_each_other(equivalence: Equivalence, kept: Kept) -> None:
    other = WORLD.copy()
    address = bytes([0xF0]) * 20
    other.set_code(address, assemble("CALLER SLOAD 1 ADD CALLER SSTORE STOP"))
    for count in (30, 3, 300):
        equivalence.check(kept[2], hot("counter", count), WORLD, 2)
        equivalence.check(kept[2], block_of([Act(SENDERS[i % 4], address) for i in range(count)]), other, 2)


def test_a_block_that_needs_more_room_is_run_again_with_more(equivalence: Equivalence) -> None:
    state = rich()
    writer = bytes([0xCC]) * 20
    state.set_code(writer, assemble(NINE_THOUSAND_STORES))
    acts = [Act(SENDERS[i], writer, word(i * 10_000), gas=400_000_000) for i in range(4)]
    with Sharded() as strategy:
        outcome = equivalence.check(strategy, block_of(acts), state, 2)
        assert outcome.receipts.status.tolist() == [1, 1, 1, 1]


def test_empty_block(equivalence: Equivalence, kept: Kept) -> None:
    outcome = equivalence.check(kept[2], block_of([]), WORLD, 2)
    assert len(outcome.receipts) == 0


@pytest.mark.parametrize("slots", [0, MOST_SLOTS + 1])
def test_slots_out_of_range(slots: int) -> None:
    with pytest.raises(ValueError, match=f"slots = {slots}: a shard has 1 to {MOST_SLOTS}"):
        Sharded(slots)


def test_processes_stay_for_the_next_block_and_end_at_close() -> None:
    before = shard_processes()
    strategy = Sharded()
    strategy.execute(hot("counter", 10), WORLD.copy(), 2)
    first = shard_processes() - before
    strategy.execute(hot("counter", 20), WORLD.copy(), 2)
    assert shard_processes() - before == first
    assert {name for name, _ in first} == {"shard-0", "shard-1"}
    strategy.close()
    assert not any(is_alive(pid) for _, pid in first)


def test_close_gives_back_every_descriptor() -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("this system does not list a process's descriptors in /proc")

    def once() -> int:
        with Sharded() as strategy:
            strategy.execute(hot("counter", 10), WORLD.copy(), 2)
            strategy.execute(hot("counter", 20), WORLD.copy(), 2)
        return len(list(folder.iterdir()))

    # The first run may open what stays open for good: multiprocess's resource tracker.
    assert once() == once()


def test_a_shard_that_died_between_blocks_is_named() -> None:
    before = shard_processes()
    with Sharded() as strategy:
        strategy.execute(hot("counter", 10), WORLD.copy(), 2)
        ours = dict(shard_processes() - before)
        os.kill(ours["shard-0"], signal.SIGKILL)
        with pytest.raises(RuntimeError, match="shard 0 is gone: its process was ended by SIGKILL"):
            strategy.execute(hot("counter", 10), WORLD.copy(), 2)
        assert not any(map(is_alive, ours.values()))
        # The next block gets new processes.
        assert strategy.execute(hot("counter", 10), WORLD.copy(), 2).receipts.status.all()


def test_a_shard_that_dies_while_it_executes_is_named() -> None:
    state = rich()
    before = shard_processes()
    with Sharded() as strategy:
        strategy.execute(hot("counter", 10), state.copy(), 2)
        ours = dict(shard_processes() - before)
        wait_for_start = start_of_next_block(strategy, 2)

        def kill() -> None:
            wait_for_start()
            os.kill(ours["shard-1"], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(RuntimeError, match="shard 1 is gone: its process was ended by SIGKILL"):
            strategy.execute(LONG, state.copy(), 2)
        killer.join()
        assert not any(map(is_alive, ours.values()))


@pytest.mark.parametrize("moment", ["idle", "busy", "done"])
def test_no_shard_outlives_its_coordinator(moment: str, tmp_path: Path) -> None:
    script = tmp_path / "coordinator.py"
    script.write_text(RUNS_AND_TELLS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error"}
    with subprocess.Popen(
        [sys.executable, str(script), moment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as coordinator:
        assert coordinator.stdout is not None
        assert coordinator.stderr is not None
        pids = [int(pid) for pid in coordinator.stdout.readline().split()]
        assert len(pids) == 3, coordinator.stderr.read()
        if moment == "busy":
            assert coordinator.stdout.readline() == "busy\n"
        if moment != "done":
            assert all(map(is_alive, pids))
            coordinator.kill()
        until(lambda: not any(map(is_alive, pids)), "all shards end")
        coordinator.stdin.close()  # type: ignore[union-attr]  # it is a pipe, see above
        # No traceback, and no word of leaked memory from a resource tracker.
        assert coordinator.stderr.read() == ""


PLANTED = """
import contend.evm.vm.precompiles as found

def broken(data):
    raise ZeroDivisionError("planted")

# The evaluation of a point, which no machine code of ours takes the place of.
found.PRECOMPILES[10] = found.Precompile(lambda data: 60, broken)
"""
CALL = """
from contend.evm import Block, Environment, State, Transaction
from contend.strategies.sharded import Sharded

state, sender = State(), bytes([1]) * 20
state.set_balance(sender, 10**24)
call = Transaction(sender, (10).to_bytes(20, "big"), 0, gas_limit=100_000, max_fee=10**9)
with Sharded() as strategy:
    try:
        strategy.execute(Block(Environment(base_fee=0), (call,)), state, 2)
    except RuntimeError as error:
        print(error)
"""


def test_a_defect_of_a_precompiled_contract_is_not_said_to_be_lack_of_room(tmp_path: Path) -> None:
    # Shards are processes: what is planted has to be in each of them.
    (tmp_path / "sitecustomize.py").write_text(PLANTED)
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", CALL], env=variables, capture_output=True, text=True, check=True)
    assert "failed:" in done.stdout
    assert "ZeroDivisionError: planted" in done.stdout
