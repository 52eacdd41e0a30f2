"""Hints that are the truth: the access sets that were recorded when the block was executed before.

Nobody has them before a block is executed. They bound what any knowledge of locations can give; what is built on them
is a ceiling, and ranked nowhere. The locations are interned by all workers, at the cost of a hinted location each.
"""

from __future__ import annotations

from typing import Any

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_i64, view_u8
from contend.evm.runtime.structs import I64, Struct
from contend.evm.state import KEY_AT, intern_location
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.hint_table import add_entry, next_hinted, open_hint
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, WORKED, Clock, cost_table
from contend.strategies.given import HintSource, Knowledge, MissingKnowledgeError

COST_HINT_LOCATION = cost_table.HINT_LOCATION

RECORDED = Struct(
    "RecordedSets",
    offsets=I64,  # as int64, one more than transactions
    entries=I64,  # rows of the keys, as int64
    entry_count=I64,
    writes=I64,  # one byte an entry
    keys=I64,  # array of KEY_AT
    key_count=I64,
    costs=I64,  # gas, as int64
)


@kernel()
def _fill_next(shared, worker, recorded):
    """Fill the row of the next transaction."""
    if has_fault(shared):
        return FAILED
    txn_idx = next_hinted(shared)
    if txn_idx >= shared.block_size:
        return FINISHED
    offsets = view_i64(recorded.offsets, shared.block_size + 1)
    entries, writes = view_i64(recorded.entries, recorded.entry_count), view_u8(recorded.writes, recorded.entry_count)
    first, last = offsets[U(txn_idx)], offsets[U(txn_idx + 1)]
    hint = open_hint(shared, worker, txn_idx)
    hint.gas = view_i64(recorded.costs, shared.block_size)[U(txn_idx)]
    for i in range(first, last):
        location = I(intern_location(shared.state, KEY_AT.item(recorded.keys, recorded.key_count, entries[U(i)]).key))
        if location < 0:
            note_fault(shared)
            return FAILED
        if not add_entry(shared, worker, hint, location, writes[U(i)] != 0):
            return FAILED
    spend(shared, worker, COST_HINT_LOCATION, last - first)
    return WORKED


@native("int64(int64, int64)")
def recorded_step(shared_address, worker_address):
    """Fill one row of the hint table."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _fill_next(shared, worker, RECORDED.at(shared.source)))


class Recorded(HintSource):
    """Gives what was recorded."""

    def fill(self, space: Any, image: BlockImage, state: State, knowledge: Knowledge, clock: Clock) -> None:
        """Fill the hint table; see `HintSource.fill`."""
        sets = knowledge.recorded
        if sets is None:
            raise MissingKnowledgeError("truth: no access sets of the block were recorded")
        memory = RECORDED.zeros()
        for field, array in (
            ("offsets", sets.offsets),
            ("entries", sets.entries),
            ("writes", sets.writes),
            ("keys", sets.keys),
            ("costs", sets.costs),
        ):
            memory[0][field] = array.ctypes.data
        memory[0]["entry_count"], memory[0]["key_count"] = len(sets.entries), len(sets.keys)
        space.run_hint_step(recorded_step, clock, memory)
