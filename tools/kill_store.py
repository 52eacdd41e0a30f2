"""``python -m tools.kill_store``: processes that commit blocks to a durable store, killed at random moments.

Each process begins two runs in turn on the same store, of two workloads, each of several blocks again and again, as
``contend run --state mdbx --root mpt`` does it: the state before the first block is laid into the store, blocks are
executed and committed, and taken back for the next round. It is killed by SIGKILL, which no process can answer, after a
time that is drawn. Then the store is opened. It has to be at a block of one of the runs, its records have to be those
of a serial execution up to that block, no more and no fewer, and the root of tries that are built of them has to be
the one that was committed. The next process goes on with what it finds.

What a loss of power does cannot be found out like this: pages that the system has not yet written survive a process.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contend.evm import Block, State
from contend.node.state_root.stage import StateRoot
from contend.node.state_root.state_trie import StateTrie
from contend.node.store.base import account_of, records_of
from contend.node.store.durable.changed_records import ACCOUNTS, CODES, KINDS, SLOTS
from contend.node.store.durable.commit_stage import StoreCommit
from contend.node.store.durable.head import Head
from contend.node.store.durable.mdbx_store import SYNCS, MdbxStore
from contend.node.store.durable.run_store import RunStore
from contend.node.whole_node import Node
from contend.strategies.serial import Serial
from contend.workloads.base import DialValue
from contend.workloads.dials import resolve_dials
from contend.workloads.registry import get

# Small states, of which many blocks are committed in a second.
_WORKLOADS: dict[str, dict[str, DialValue]] = {
    "payments": {"accounts": 500, "tokens": 8},
    "nft": {"accounts": 500, "collections": 8},
}
Contents = dict[str, dict[bytes, bytes]]


@dataclass(frozen=True)
class Case:
    """Blocks in a row, and what a store may be found at.

    Attributes
    ----------
    genesis : State
    blocks : list of Block
    began_with : bytes
        As the head of a store has it (`Head.began_with`).
    expected : list of tuple
        Root and records after block 1, which is the genesis, and each further one.
    """

    genesis: State
    blocks: list[Block]
    began_with: bytes
    expected: list[tuple[bytes, dict[bytes, bytes]]]


def case_of(workload: str, block_size: int, block_count: int) -> Case:
    """Blocks of a workload, executed serially beforehand without a store."""
    kind = get(workload)
    scenario = kind().build(resolve_dials(kind, _WORKLOADS[workload]), 1, block_size, block_count)
    state = scenario.genesis.copy()
    began_with = bytes.fromhex(state.digest())
    expected = [(bytes(32), dict(records_of(state)))]
    for block in scenario.blocks:
        Serial().execute(block, state, 1)
        expected.append((StateTrie.of(state).root, dict(records_of(state))))
    return Case(scenario.genesis, list(scenario.blocks), began_with, expected)


def run_cases(cases: Sequence[Case], path: Path, sync: str, rounds: int | None) -> None:
    """Run cases in turn on a store, each so many rounds of its blocks, and begin again; without end for None."""
    serial = Serial()
    while True:
        for case in cases:
            state = case.genesis.copy()
            before = state.snapshot()
            run = RunStore(state, path, sync)
            node = Node({"root": StateRoot(state, {}), "state": StoreCommit(run, len(case.blocks))})
            for _ in range(rounds or 3):
                state.restore(before)
                for place, block in enumerate(case.blocks):
                    node.execute(serial, block, state, 1, place)
            run.close()
        if rounds is not None:
            return


def kill_one(cases: Sequence[Case], path: Path, sync: str, seconds: float) -> None:
    """Have a process at work on a store, and kill it after some time.

    Raises
    ------
    ChildProcessError
        If it has ended by itself.
    """
    child = os.fork()
    if child == 0:
        try:
            run_cases(cases, path, sync, None)
        finally:
            # Only what has failed comes here; and it must not go on as the parent's twin.
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise ChildProcessError("the process has failed before it was killed")


def what_is_wrong(cases: Sequence[Case], path: Path) -> tuple[Head, list[str]]:
    """Open a store after its process was killed; what it is at, and what of that is wrong.

    Raises
    ------
    StoreError
        If it does not open.
    """
    with MdbxStore(path) as store:
        head = store.read_head()
        contents = {kind: dict(store.rows(kind)) for kind in KINDS}
    found = {key: value for rows in contents.values() for key, value in rows.items()}
    if head.block == 0:
        return head, ["records are in the store before any block"] if found else []
    known = [case for case in cases if case.began_with == head.began_with and head.block <= len(case.expected)]
    if not known:
        return head, [f"block {head.block} is of no run"]
    root, records = known[0].expected[head.block - 1]
    wrong = []
    if found != records:
        different = sum(found.get(key) != records.get(key) for key in {*found, *records})
        wrong.append(f"{different} records differ from those after block {head.block}")
    if head.root != root:
        wrong.append(f"root 0x{head.root.hex()} instead of 0x{root.hex()}")
    # Block 1 is what the run begins with; a root comes with what it executes.
    if head.block > 1 and root_of(contents) != head.root:
        wrong.append(f"the records' own root is 0x{root_of(contents).hex()}, not 0x{head.root.hex()}")
    return head, wrong


def root_of(contents: Contents) -> bytes:
    """State root of the records of a store."""
    state = State(1 << (4 * sum(map(len, contents.values())) + 16).bit_length())
    codes = contents[CODES]
    for address, record in contents[ACCOUNTS].items():
        account = account_of(record)
        state.set_nonce(address, account.nonce)
        state.set_balance(address, account.balance)
        if any(account.code_hash):
            state.set_code(address, codes[account.code_hash])
    for key, word in contents[SLOTS].items():
        state.set_storage(key[:20], int.from_bytes(key[20:], "big"), int.from_bytes(word, "big"))
    return StateTrie.of(state).root


def kill_many(kills: int, seed: int, folder: Path, block_size: int = 200, block_count: int = 4) -> list[str]:
    """Kill so many processes, one after the other, on a store for each way of writing to the disk.

    Returns
    -------
    list of str
        What was wrong, a line for each.
    """
    cases = [case_of(name, block_size, block_count) for name in _WORKLOADS]
    paths = {sync: folder / sync for sync in SYNCS}
    longest = 0.0
    for sync, path in paths.items():
        MdbxStore.make(path, Head())
        run_cases(cases, path, sync, 1)
        began = time.perf_counter()
        run_cases(cases, path, sync, 1)
        longest = max(longest, 2 * (time.perf_counter() - began))
    draw, wrong, blocks = random.Random(seed), [], Counter[int]()
    for number in range(kills):
        sync = SYNCS[number % len(SYNCS)]
        kill_one(cases, paths[sync], sync, draw.uniform(0, longest))
        head, found = what_is_wrong(cases, paths[sync])
        blocks[head.block] += 1
        wrong += [f"kill {number}, --sync {sync}: {line}" for line in found]
        print(f"kill {number + 1} of {kills}: block {head.block}, {len(wrong)} wrong", file=sys.stderr, flush=True)
    at = ", ".join(f"{count} at block {block}" for block, count in sorted(blocks.items()))
    print(f"{kills} kills, within {longest:.2f} s each; found {at}; {len(wrong)} wrong")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, and say what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.kill_store", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--path", type=Path, help="folder for the stores, on a disk; the current one by default")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=asked.path or Path.cwd(), prefix="kill-store-") as folder:
        wrong = kill_many(asked.kills, asked.seed, Path(folder))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
