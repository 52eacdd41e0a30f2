"""State trie: the tries of a state in memory, kept from block to block, and their root after each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm.block import Words
from contend.evm.layout import KIND_GENERATION, KIND_MASK, KIND_SHIFT
from contend.evm.state import Changes, State
from contend.node.state_root.changed_accounts import CHANGES_AT_ONCE
from contend.node.state_root.layout import (
    ACCOUNT,
    BRANCH,
    CHANGED,
    DIRTY,
    GROUPS,
    NIBBLES,
    PIECE,
    PIECE_NODES,
    SLOT,
    STATE_ROOT,
    STATE_ROOT_WORKER,
)
from contend.node.state_root.worker import (
    GATHER,
    REHASH_ACCOUNTS,
    ROOT,
    UPDATE_ACCOUNTS,
    UPDATE_SLOTS,
    state_root_step,
)
from contend.strategies.clocks import WALL, Clock, Workers
from contend.strategies.clocks.cost_table import default_costs

_LEAST = 1 << 10
_GROUPS_PER_WORKER = 4


class StateTrie:
    """The Merkle Patricia tries of a state: that of its accounts, and one of each account's storage.

    It is changed by what a block changes, and computes anew only what that makes stale.
    """

    def __init__(self) -> None:
        self._header = STATE_ROOT.zeros()
        self._row: Any = self._header[0]
        self._arrays: dict[str, Any] = {}
        self._workers: list[Any] = []
        self._dirty = DIRTY.zeros(2 * GROUPS)
        self._row["dirty"] = self._dirty.ctypes.data
        self.clear()

    def clear(self) -> None:
        """Forget all accounts."""
        for name in ("branch", "slot", "account"):
            self._row[f"{name}_count"] = 0
        self._workers.clear()
        self._dirty[:] = 0
        self._row["stamp"] = 0
        self.reserve(0)
        # The top of the accounts' trie: a branch at depth 0.
        self._row["branch_count"] = self._row["top"] = 1
        self._arrays["branches"][:2] = np.zeros(2, BRANCH.dtype)
        # What stands for no child: one byte.
        self._arrays["branches"][0]["size"] = 1

    @classmethod
    def of(cls, state: State) -> StateTrie:
        """The tries of all accounts of a state."""
        made = cls()
        made.update(state.contents())
        return made

    @property
    def root(self) -> bytes:
        """Root after the last update."""
        return bytes(self._row["root"].tobytes())

    @property
    def account_count(self) -> int:
        """Leaves of accounts for which memory was taken: those there are, where none was deleted."""
        return int(self._row["account_count"])

    @property
    def slot_count(self) -> int:
        """Likewise of slots."""
        return int(self._row["slot_count"])

    def load_kernels(self) -> None:
        """Have kernels compiled, or loaded."""
        _ = state_root_step.address

    def update(self, changes: Changes, workers: int = 1, clock: Clock = WALL) -> bytes:
        """Bring the tries up to date.

        Parameters
        ----------
        changes : Changes
            Locations whose word is another one than at the last update, with their new words, in any order; no slot
            among them has moved (`moves_slots`).
        workers : int
        clock : Clock

        Returns
        -------
        bytes
            The state root.
        """
        self.prepare(changes, workers)
        return self.run(workers, clock)

    def prepare(self, changes: Changes, workers: int) -> None:
        """Have all memory that an update by these changes takes."""
        rows = len(changes)
        self.reserve(rows)
        kept = self._arrays
        kept["keys"], kept["words"] = np.ascontiguousarray(changes.keys), np.ascontiguousarray(changes.words)
        index_size = 1 << (2 * rows + 1).bit_length()
        kept["index"][:index_size] = 0
        row = self._row
        for name in ("keys", "words", "row_nibbles", "row_accounts", "row_keys", "changed", "index"):
            row[name] = kept[name].ctypes.data
        row["rows"], row["changed_room"], row["index_mask"] = rows, len(kept["changed"]), index_size - 1
        row["stamp"] += 1
        groups = 1 if workers == 1 else min(GROUPS, 1 << (_GROUPS_PER_WORKER * workers - 1).bit_length())
        row["groups"] = groups
        tasks = row["tasks"]
        tasks[:] = 0
        tasks[GATHER], tasks[ROOT] = -(-rows // CHANGES_AT_ONCE), 1
        tasks[UPDATE_ACCOUNTS] = tasks[UPDATE_SLOTS] = tasks[REHASH_ACCOUNTS] = groups if rows else 0
        first = GATHER if rows else ROOT
        row["changed_count"] = row["piece_count"] = row["done"] = 0
        row["stage"], row["taken"] = first, first << 32
        while len(self._workers) < workers:
            self._workers.append(STATE_ROOT_WORKER.zeros())

    def run(self, workers: int, clock: Clock = WALL) -> bytes:
        """Do what has been prepared."""
        costs = (clock.costs or default_costs()).table
        self._row["costs"] = costs.ctypes.data
        addresses = [int(worker.ctypes.data) for worker in self._workers[:workers]]
        stage = int(self._header.ctypes.data) + 8 * STATE_ROOT.offsets["stage"]
        clock.run(Workers(state_root_step, int(self._header.ctypes.data), addresses, (stage,), 0))
        return self.root

    def reserve(self, changes: int) -> None:
        """Have memory for what so many changes take: of each a leaf, a branch, and a storage's top."""
        row, grown = self._row, False
        for name, count, struct, most in (
            ("branches", "branch_count", BRANCH, 2 * changes),
            ("slots", "slot_count", SLOT, changes),
            ("accounts", "account_count", ACCOUNT, changes),
        ):
            used = int(row[count]) + 1
            have = self._arrays.get(name)
            if have is None or len(have) < used + most:
                room = struct.zeros(max(_LEAST, 1 << (used + most - 1).bit_length()))
                if have is not None:
                    room[:used] = have[:used]
                self._arrays[name] = room
                grown = True
                row[name], row[f"{name[:-2] if name == 'branches' else name[:-1]}_room"] = room.ctypes.data, len(room)
        if grown:
            # Every node may be on a list, and no list but one shares a piece with others.
            nodes = sum(len(self._arrays[name]) for name in ("branches", "slots", "accounts"))
            pieces = self._arrays["pieces"] = PIECE.zeros(nodes // PIECE_NODES + 2 * GROUPS * (NIBBLES + 1) + 2)
            row["pieces"], row["piece_room"] = pieces.ctypes.data, len(pieces)
        if "changed" not in self._arrays or len(self._arrays["row_nibbles"]) < changes:
            self._have_rows(max(_LEAST, 1 << (changes - 1).bit_length()))

    def _have_rows(self, room: int) -> None:
        kept = self._arrays
        kept["row_nibbles"] = np.zeros(room, np.uint8)
        kept["row_accounts"] = np.zeros(room, np.uint32)
        kept["row_keys"] = np.zeros((room, 4), np.uint64)
        kept["changed"] = CHANGED.zeros(room + room // CHANGES_AT_ONCE + 1)
        kept["index"] = np.zeros(4 * room, np.uint64)


def of_generations(keys: Words) -> npt.NDArray[np.bool_]:
    """Which locations are storage generations (`evm.vm.storage_generation`).

    Parameters
    ----------
    keys : ndarray of uint64, shape (m, 7)
    """
    found: npt.NDArray[np.bool_] = keys[:, 2] >> np.uint64(KIND_SHIFT) & np.uint64(KIND_MASK) == KIND_GENERATION
    return found


def moves_slots(changes: Changes) -> bool:
    """Whether slots have moved to other locations: where storage generations were settled (`evm.state`).

    No account's storage has changed by that, so changes do not say what becomes of the tries: they are to be built
    anew.
    """
    return bool((of_generations(changes.keys) & ~changes.words.any(axis=1)).any())
