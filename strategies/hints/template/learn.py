"""Learning from a committed block: passes over it by all workers.

1. Preimages of hashes are entered (`preimages`).
2. Each transaction's final read set is explained (`explanation`); what it teaches is its sample. Of calls that are well
   known and were predicted without a miss only every fourth is, and counts four times, and of those that were predicted
   exactly, every sixteenth; so shares stay what they are (the estimator of Horvitz and Thompson, JASA 1952).
3. Samples are counted in the contexts of their calls.
4. What those contexts now predict is marked: it need not be learned again for each word.
5. Samples are counted in the contexts of their words.

Counting goes by partitions of the contexts, each by one worker and in the block's order, so that no two workers write
one row, and what is learned does not depend on who was faster. So that a partition finds its samples without a search,
who explains a chunk of transactions links them in a list for each partition.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, macro, native
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.structs import WORD_BYTES, address_of
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.hint_table import entries_of, hint_of, location_in, next_hinted
from contend.strategies.block_stm.incarnation import list_address, receipt_of
from contend.strategies.block_stm.layout import LIST_MASK, ORIGIN_SHIFT, READ, SHARED, WORKER, WRITE
from contend.strategies.block_stm.scheduler import transaction_of
from contend.strategies.clocks import ACT_COMMIT, FINISHED, WORKED, cost_table
from contend.strategies.hints.template.call_contexts import (
    count_sample,
    find_context,
    find_template,
    holds,
    partition_of,
)
from contend.strategies.hints.template.explanation import explain_location
from contend.strategies.hints.template.layout import (
    CALL_SIZE,
    CHUNK,
    CONTEXTS,
    FIRST_VALUE,
    IN_CALL,
    IN_VALUE,
    IS_KNOWN,
    LEARNER,
    MOST_PREDICTED,
    NUMBER_MASK,
    PARTITIONS,
    SAMPLE,
)
from contend.strategies.hints.template.predict import find_seen, scratch_of
from contend.strategies.hints.template.preimages import enter_piece
from contend.strategies.hints.template.tidy import tidy_piece
from contend.strategies.hints.template.words import mix, read_words

COST_TASK, COST_TEMPLATE, COST_LOCATION = cost_table.TASK, cost_table.LEARN_TEMPLATE, cost_table.LEARN_LOCATION
LOCATIONS_OF_WORDS = 2  # to read a transaction's words costs about as much as to explain so many locations
WELL_KNOWN = 128  # samples of a call
ONE_OF, ONE_OF_EXACT = 4, 16  # that were predicted without a miss, or exactly: one is explained for all


@kernel(inline=True)
def _sample_of(shared, learner, txn_idx):
    return SAMPLE.item(learner.samples, shared.block_size, txn_idx)


@macro
def _heads(learner):
    """Where lists begin; see `_head_at`."""
    return view_u64(learner.heads, 2 * learner.chunks * PARTITIONS)


@kernel(inline=True)
def _head_at(learner, of_values, chunk, partition):
    """Where the list of one chunk's samples in a partition begins."""
    return (of_values * learner.chunks + chunk) * PARTITIONS + partition


@kernel()
def _is_written(shared, txn_idx, location):
    line = transaction_of(shared, txn_idx)
    writes, count = list_address(shared, line.write_set), I(line.write_set & LIST_MASK)
    found = False
    for i in range(count):
        found |= WRITE.item(writes, count, i).location == location
    return found


@kernel()
def _misses(shared, own, txn_idx, reads, count):
    """Whether a transaction has read a location that was not expected; the hint is put into the table of seen ones."""
    hint, seen = hint_of(shared, txn_idx), own.seen
    entries = entries_of(hint)
    if hint.count > MOST_PREDICTED:
        return True
    for i in range(hint.count):
        location = location_in(entries[U(i)])
        place = find_seen(own, location)
        seen[U(2 * place)] = own.epoch << U(16)
        seen[U(2 * place + 1)] = U(location)
    missed = False
    for i in range(count):
        place = find_seen(own, I(READ.item(reads, count, i).origin >> ORIGIN_SHIFT))
        missed |= seen[U(2 * place)] >> U(16) != own.epoch
    return missed


@kernel()
def _weight_of(shared, worker, learner, own, txn_idx, reads, count):
    """Of how many transactions one is the sample; 0 if another stands for it."""
    context = find_context(learner, own.contexts[U(CALL_SIZE)])
    if address_of(context) == 0 or context.samples < WELL_KNOWN:
        return I(1)
    spend(shared, worker, COST_TEMPLATE, count)
    if _misses(shared, own, txn_idx, reads, count):
        return I(1)
    one_of = I(ONE_OF_EXACT) if count == hint_of(shared, txn_idx).count else I(ONE_OF)
    drawn = mix(U(txn_idx), U(learner.block)) >> U(32)
    return one_of if drawn % U(one_of) == U0 else I(0)


@kernel()
def _explain(shared, worker, learner, own, txn_idx):
    """Make a transaction's sample."""
    read_words(own, learner.image, txn_idx)
    spend(shared, worker, COST_LOCATION, LOCATIONS_OF_WORDS)
    sample = _sample_of(shared, learner, txn_idx)
    first = own.entry_count
    packed = atomics.load(transaction_of(shared, txn_idx), "read_set")
    reads, count = list_address(shared, packed), I(packed & LIST_MASK)
    sample.weight = _weight_of(shared, worker, learner, own, txn_idx, reads, count)
    if sample.weight == 0:
        sample.count = I(0)
        sample.context_count = I(0)
        return
    for i in range(count):
        location = I(READ.item(reads, count, i).origin >> ORIGIN_SHIFT)
        explain_location(shared, worker, learner, own, txn_idx, location, _is_written(shared, txn_idx, location))
    sample.entries = own.entries + first * WORD_BYTES
    sample.count = own.entry_count - first
    sample.gas = receipt_of(shared, txn_idx).gas_used
    sample.context_count = own.context_count
    contexts, hashes = sample.contexts, own.contexts
    for i in range(own.context_count):
        contexts[U(i)] = hashes[U(i)]


@kernel()
def _link(shared, learner, chunk, txn_idx):
    """Put each context of a sample on the list of its partition."""
    heads, sample = _heads(learner), _sample_of(shared, learner, txn_idx)
    contexts, links = sample.contexts, sample.links
    for i in range(sample.context_count):
        head = U(_head_at(learner, I(i >= FIRST_VALUE), chunk, partition_of(contexts[U(i)])))
        links[U(i)] = heads[head]
        heads[head] = U(txn_idx * CONTEXTS + i + 1)


@kernel()
def explain_chunk(shared, worker, learner, chunk):
    """Explain a chunk of transactions, and link what they teach."""
    heads, own = _heads(learner), scratch_of(learner, worker)
    for partition in range(PARTITIONS):
        heads[U(_head_at(learner, 0, chunk, partition))] = U0
        heads[U(_head_at(learner, 1, chunk, partition))] = U0
    first = chunk * CHUNK
    last = min(first + CHUNK, shared.block_size)
    for txn_idx in range(first, last):
        _explain(shared, worker, learner, own, txn_idx)
    # From the last to the first: lists then begin with the first.
    for i in range(last - first):
        _link(shared, learner, chunk, last - 1 - i)


@kernel()
def count_partition(shared, worker, learner, partition):
    """Count all samples of a partition: in contexts of calls, or of words."""
    heads, of_values = _heads(learner), learner.counts_values
    scope = IN_VALUE if of_values != 0 else IN_CALL
    left_out = IS_KNOWN if of_values != 0 else U0
    for chunk in range(learner.chunks):
        node = heads[U(_head_at(learner, of_values, chunk, partition))]
        while node != U0:
            txn_idx, i = I(node - U1) // CONTEXTS, I(node - U1) % CONTEXTS
            sample = _sample_of(shared, learner, txn_idx)
            count_sample(shared, worker, learner, sample.contexts[U(i)], sample, scope, left_out)
            node = sample.links[U(i)]


@kernel()
def mark_chunk(shared, worker, learner, chunk):
    """Mark the entries that the context of the call predicts anyhow, in a chunk of samples."""
    first = chunk * CHUNK
    for txn_idx in range(first, min(first + CHUNK, shared.block_size)):
        sample = _sample_of(shared, learner, txn_idx)
        context = find_context(learner, sample.contexts[U(CALL_SIZE)])
        if address_of(context) == 0 or sample.count == 0:
            continue
        entries, templates = view_u64(sample.entries, sample.count), context.templates
        hand = I(0)
        for i in range(sample.count):
            entry = entries[U(i)]
            if entry & IN_CALL == U0 or entry & IN_VALUE == U0:
                continue
            place = find_template(context, entry & NUMBER_MASK, hand)
            if place >= 0:
                hand = place + 1
                if holds(context, templates[U(place)]):
                    entries[U(i)] = entry | IS_KNOWN
        spend(shared, worker, COST_TEMPLATE, sample.count)


PASS_PREIMAGES, PASS_EXPLAIN, PASS_COUNT, PASS_MARK, PASS_TIDY = range(5)


@kernel()
def _learn_next(shared, worker, learner):
    number = next_hinted(shared)
    if number >= learner.tasks:
        return FINISHED
    spend(shared, worker, COST_TASK, 1)
    if learner.task_kind == PASS_PREIMAGES:
        enter_piece(shared, worker, learner, number)
    elif learner.task_kind == PASS_EXPLAIN:
        explain_chunk(shared, worker, learner, number)
    elif learner.task_kind == PASS_COUNT:
        count_partition(shared, worker, learner, number)
    elif learner.task_kind == PASS_MARK:
        mark_chunk(shared, worker, learner, number)
    else:
        tidy_piece(shared, worker, learner, number)
    return WORKED


@native("int64(int64, int64)")
def learn_step(shared_address, worker_address):
    """Do one task of a pass."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_COMMIT)
    return end_step(worker, _learn_next(shared, worker, LEARNER.at(shared.source)))
