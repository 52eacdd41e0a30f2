"""Planted bugs of the multi-version strategies: what each replaced function does wrongly.

Each takes the place of a function of the strategies in a copy of them, by the table in `planted_bugs`.
"""

from __future__ import annotations

from contend.evm.layout import KIND_CODE, STATE
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.state import kind_of
from contend.harness.verify.schedule_fuzzer.replacement import original
from contend.strategies.block_stm.incarnation import ANSWERED, fees_seen_of
from contend.strategies.block_stm.layout import (
    ABORTING,
    ABSENT,
    ESTIMATE,
    LINK,
    ORIGIN_SHIFT,
    READ,
    TAG_SHIFT,
    TASK_NONE,
    VERSION,
)
from contend.strategies.block_stm.mv_memory import (
    _LINK_BYTES,
    _LOWEST_WORDS,
    _NEXT,
    NO_VERSION,
    _height,
    _is_tower,
    _make_tower,
    _search,
    allocate,
    head_of,
    led_to,
)
from contend.strategies.block_stm.scheduler import (
    pack_status,
    set_executed_status,
    set_ready_status,
    transaction_of,
    try_incarnate,
)
from contend.strategies.block_stm.standing_versions import _version_at
from contend.strategies.block_stm.validation import VALID
from contend.strategies.planned.engine import NOTHING_LEFT


def forget_those_who_wait(shared, txn_idx):
    """Who waits for a transaction stays suspended when it has executed."""


def find_everything_valid(shared, worker):
    """Validation passes whatever was read."""
    original(shared, worker)
    return I(VALID)


def finish_validation_without_revalidation(shared, worker, aborted):
    """After an abort those above are not validated again."""
    txn_idx = worker.txn_idx
    worker.task = TASK_NONE
    if aborted:
        set_ready_status(shared, txn_idx)
        if atomics.load(shared, "execution_idx") > U(txn_idx):
            try_incarnate(shared, worker, txn_idx)


def take_new_locations_for_known_ones(shared, worker, wrote_new_location):
    """A write where the last incarnation did not write leaves those above unvalidated."""
    original(shared, worker, False)


def finish_execution_without_validation(shared, worker, wrote_new_location):
    """An incarnation is not validated itself where the sweep of validations has passed it already."""
    set_executed_status(shared, worker)
    worker.task = TASK_NONE


def keep_what_was_not_written_again(version, incarnation):
    """A write that the next incarnation does not repeat stays visible."""
    atomics.store(VERSION.at(version), "tag", U(incarnation) << TAG_SHIFT)
    return True


def answer_without_noting_the_prefix(shared, worker, never_wait):
    """The fees that a transaction saw in the beneficiary's balance are no part of its read set."""
    answered = original(shared, worker, never_wait)
    fees_seen_of(shared, worker.txn_idx).seen = U0
    return answered


def sum_only_fees_of_the_executed(shared, txn_idx, only_executed):
    """In the beneficiary's balance the fees of those who are executing are missing."""
    return original(shared, txn_idx, True)


def begin_with_the_last_read_set(shared, worker):
    """A machine that is used again keeps the read set of what it executed before."""
    count = worker.read_count
    original(shared, worker)
    worker.read_count = count


def commit_all_but_the_last(shared, locations, count):
    """One location of each chunk that is committed keeps the word from before the block."""
    original(shared, locations, count - 1)


def note_every_other_location(shared, worker, location):
    """Commit is not told of some of the locations that were written."""
    return True if location % 2 == 0 else original(shared, worker, location)


def open_no_validation(shared):
    """What a plan's transactions have read is never validated."""
    original(shared)
    atomics.store(shared, "validation_idx", U(shared.block_size))


def trust_what_the_plan_left_out(shared):
    """Transactions that a plan leaves out are never executed."""
    original(shared)
    atomics.store(shared, "execution_idx", U(shared.block_size))


def leave_the_last_lane(plan, own, size):
    """The last lane is never executed."""
    if own.lane_next == 0 and I(atomics.load(plan, "next_lane")) + 1 >= plan.lane_count:
        return I(NOTHING_LEFT)
    return original(plan, own, size)


def wait_without_looking_again(shared, worker, blocking_txn_idx):
    """Who puts itself on the list of one that has just finished is not woken up."""
    txn_idx = worker.txn_idx
    line, blocking = transaction_of(shared, txn_idx), transaction_of(shared, blocking_txn_idx)
    atomics.exchange(line, "txn_status", pack_status(worker.incarnation, ABORTING))
    head = atomics.load(blocking, "txn_dependency")
    while True:
        line.next_dependent = head
        found = atomics.compare_and_swap(blocking, "txn_dependency", head, U(txn_idx + 1))
        if found == head:
            break
        head = found
    worker.task = TASK_NONE


def wait_without_counting(shared, worker, blocking_txn_idx):
    """An execution that is given up for a wait is not counted."""
    worker.wait_restarts -= U1
    original(shared, worker, blocking_txn_idx)


def count_repairs_as_aborts_too(shared, worker, stale, gas):
    """An execution of the plan that is repaired is counted once more, as an abort."""
    repairs = worker.repairs
    original(shared, worker, stale, gas)
    worker.aborts += worker.repairs - repairs


def keep_a_changed_word_to_oneself(version, incarnation, word):
    """Who has read what a transaction wrote is not told that its next incarnation wrote another word."""
    original(version, incarnation, word)
    return True


def take_another_word_for_the_same(version, incarnation, word):
    """A version whose word changes says that it is still the one that was read."""
    tag = atomics.load(version, "tag")
    told = original(version, incarnation, word)
    if tag & ABSENT == U0:
        atomics.store(version, "tag", tag & ~ESTIMATE)
    return told


def write_word_after_link(shared, worker, location, txn_idx, incarnation, word):
    """A version can be found before its word is in it."""
    version, repeated = original(shared, worker, location, txn_idx, incarnation, (U0, U0, U0, U0))
    if version != NO_VERSION:
        atomics.load(VERSION.at(version), "tag")
        VERSION.at(version).word = word
    return version, repeated


def insert_by_a_plain_store(shared, worker, location, txn_idx, incarnation, word):
    """Of two versions that are inserted at one place of a skip list at the same time, one is lost."""
    head = head_of(shared, location)
    tower = led_to(shared, head)
    if tower == 0 or (not _is_tower(head) and VERSION.at(tower).txn_idx == txn_idx):
        return original(shared, worker, location, txn_idx, incarnation, word)
    if not _is_tower(head):
        tower = _make_tower(shared, worker, location, head)
        if tower == 0:
            return I(NO_VERSION), False
    link, found = _search(tower, txn_idx, 0)
    if found != NO_VERSION and VERSION.at(found).txn_idx == txn_idx:
        version = VERSION.at(found)
        repeated = version.tag & ABSENT == U0
        version.word = word
        version.written = U(incarnation) + U1
        atomics.store(version, "tag", U(incarnation) << TAG_SHIFT)
        return found, repeated
    levels = _height(location, txn_idx)
    address = allocate(shared, worker, _LOWEST_WORDS + levels)
    if address == 0:
        return I(NO_VERSION), False
    version = VERSION.at(address)
    version.txn_idx = txn_idx
    version.tag = U(incarnation) << TAG_SHIFT
    version.word = word
    version.written = U(incarnation) + U1
    for level in range(levels):
        link, found = _search(tower, txn_idx, level)
        LINK.at(address + _NEXT + _LINK_BYTES * level).version = U(found)
        for _ in range(8):  # so that the moment is long enough for small blocks to show it
            atomics.load(LINK.at(link), "version")
        atomics.store(LINK.at(link), "version", U(address))
    return address, False


def keep_the_first_accesses(shared, worker):
    """The block's access list has what a transaction's first incarnation touched, whatever became of that one."""
    return True if worker.incarnation != U0 else original(shared, worker)


def leave_the_first_part(build):
    """The first part of a list in the making is nobody's; those of small blocks have no other."""
    return I(atomics.add(build, "next", U1)) + 1


def expect_and_forget(shared, worker, txn_idx):
    """What was expected to be written stays marked, if it is not written."""
    is_done = original(shared, worker, txn_idx)
    atomics.store(transaction_of(shared, txn_idx), "write_set", U0)
    return is_done


def note_no_code(shared, worker, never_wait):
    """That a transaction has read an account's code, which a delegation changes, is no part of its read set."""
    answered = original(shared, worker, never_wait)
    count = worker.read_count
    if answered[0] == ANSWERED and count > 0:
        location = I(READ.item(worker.reads, worker.reads_room, count - 1).origin >> ORIGIN_SHIFT)
        if kind_of(STATE.at(shared.state), location) == KIND_CODE:
            worker.read_count = count - 1
    return answered


def doubt_nobody(shared, txn_idx):
    """Whoever has read from expected writes stays certain, whatever else is written."""


def forget_who_settled(shared, settled_by):
    """Who has read a word of the state is not told that a transaction below has put another in its place."""
    original(shared, settled_by)
    return U0


def link_past_the_version_below(versions, number, txn_idx):
    """Versions that are laid out at once are linked each to the one after the next."""
    address = original(versions, number, txn_idx)
    LINK.at(address + _NEXT).version = U(_version_at(versions, max(number - 2, 0)))
    return address
