"""Prediction: the locations of a transaction that has not executed, from the templates of its contexts.

What the protocol does needs no learning: the sender's nonce and balance, the recipient's code, and its balance where
value is sent. To that come the templates that held in at least four fifths of the samples of a context: of the call
with as many bytes of call data, or if none such is known, of the call; and of each word that makes a context. Where
nothing is known of the call, the transaction is dry-run instead.
"""

from __future__ import annotations

from contend.evm.code.directory import is_no_code
from contend.evm.drivers.access_sets import WRITE_BIT
from contend.evm.layout import KIND_BALANCE, KIND_CODE, KIND_NONCE
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import view_i64
from contend.evm.runtime.structs import address_of
from contend.evm.state import find_location, intern_location
from contend.evm.u256 import is_zero
from contend.evm.vm.access_table import account_key
from contend.strategies.accounting import end_step, spend
from contend.strategies.block_stm.accounting import has_fault, note_fault
from contend.strategies.block_stm.hint_table import add_entry, next_hinted, open_hint
from contend.strategies.block_stm.incarnation import state_value
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.clocks import ACT_PLAN, FAILED, FINISHED, WORKED, cost_table
from contend.strategies.hints.dry_run import PHASE_NEXT, answer_from_state, begin_dry_run
from contend.strategies.hints.template.call_contexts import FEWEST_SAMPLES, find_context, holds, number_of, writes
from contend.strategies.hints.template.expression import key_of_expression
from contend.strategies.hints.template.layout import (
    CALL,
    CALL_SIZE,
    FIRST_VALUE,
    LEARNER,
    MOST_PREDICTED,
    SCRATCH,
    SEEN,
)
from contend.strategies.hints.template.words import read_words, row_of

COST_CONTEXT, COST_TEMPLATE, COST_TASK = cost_table.PREDICT_CONTEXT, cost_table.PREDICT_TEMPLATE, cost_table.TASK
GAS_OF_TRANSFER = 21_000
_SALT = U(0x9E3779B97F4A7C15)


@kernel(inline=True)
def scratch_of(learner, worker):
    """Scratch memory of a worker."""
    number = (address_of(worker) - learner.first_worker) // learner.worker_stride
    return SCRATCH.item(learner.scratch, learner.workers, number)


@kernel(inline=True)
def find_seen(own, location):
    """Place of a location in the table of those of the transaction in hand; a free one, of another epoch, else."""
    seen = own.seen
    place = (U(location) * _SALT) >> U(40) & U(SEEN - 1)
    while seen[U(2) * place] >> U(16) == own.epoch and seen[U(2) * place + U1] != U(location):
        place = (place + U1) & U(SEEN - 1)
    return I(place)


@kernel()
def _add_location(shared, worker, own, hint, location, is_written):
    """Add a location to the hint, or a mark to its entry. False when the list is full."""
    seen, place = own.seen, find_seen(own, location)
    if seen[U(2 * place)] >> U(16) == own.epoch:
        if is_written:
            view_i64(hint.entries, hint.count)[seen[U(2 * place)] & U(0xFFFF)] |= WRITE_BIT
        return True
    if hint.count >= MOST_PREDICTED:
        return True
    seen[U(2 * place)] = (own.epoch << U(16)) | U(hint.count)
    seen[U(2 * place + 1)] = U(location)
    return add_entry(shared, worker, hint, location, is_written)


@kernel()
def _add_key(shared, worker, own, hint, key, is_written):
    location = intern_location(shared.state, key)
    if location < 0:
        note_fault(shared)
        return False
    return _add_location(shared, worker, own, hint, location, is_written)


@kernel()
def _add_protocol(shared, worker, own, hint, transaction):
    """What every transaction touches. False when something is full."""
    sender, to = transaction.sender, transaction.to
    spend(shared, worker, COST_TEMPLATE, 4)
    if not _add_key(shared, worker, own, hint, account_key(sender, KIND_NONCE), True):
        return False
    if not _add_key(shared, worker, own, hint, account_key(sender, KIND_CODE), False):
        return False
    if not _add_key(shared, worker, own, hint, account_key(sender, KIND_BALANCE), True):
        return False
    if not _add_key(shared, worker, own, hint, account_key(to, KIND_CODE), False):
        return False
    if is_zero(transaction.value):
        return True
    spend(shared, worker, COST_TEMPLATE, 1)
    return _add_key(shared, worker, own, hint, account_key(to, KIND_BALANCE), True)


@kernel()
def _add_context(shared, worker, learner, own, hint, context):
    """What the templates of a context say. False when something is full."""
    if context.samples < FEWEST_SAMPLES:
        return True
    templates = context.templates
    for i in range(context.count):
        template = templates[U(i)]
        if not holds(context, template):
            continue
        has, key = key_of_expression(shared, worker, own, learner.dictionary, number_of(template))
        if has and not _add_key(shared, worker, own, hint, key, writes(template)):
            return False
    return True


@kernel()
def _is_transfer(shared, transaction):
    """Whether there is no code to be run."""
    if transaction.creates != U0:
        return False
    location = find_location(shared.state, account_key(transaction.to, KIND_CODE))
    if location >= 0 and not is_no_code(state_value(shared, location).value):
        return False
    to = transaction.to
    return (to[1] | to[2]) != U0  # else it may be a precompiled contract


@kernel()
def _context_of_call(shared, worker, learner, own):
    """The most special context of the call that is known well enough, or none."""
    spend(shared, worker, COST_CONTEXT, 1)
    context = find_context(learner, own.contexts[U(CALL_SIZE)])
    if address_of(context) == 0 or context.samples < FEWEST_SAMPLES:
        spend(shared, worker, COST_CONTEXT, 1)
        context = find_context(learner, own.contexts[U(CALL)])
    return context


@kernel()
def predict(shared, worker, learner, own, txn_idx):
    """Fill a transaction's row by templates. `WORKED`, `FAILED`, or `FINISHED` where nothing is known of it."""
    transaction = row_of(learner.image, txn_idx)
    read_words(own, learner.image, txn_idx)
    transfers = _is_transfer(shared, transaction)
    context = _context_of_call(shared, worker, learner, own)
    if not transfers and (address_of(context) == 0 or context.samples < FEWEST_SAMPLES):
        return FINISHED
    own.predicted += U1
    hint = open_hint(shared, worker, txn_idx)
    hint.gas = I(GAS_OF_TRANSFER)
    if not _add_protocol(shared, worker, own, hint, transaction):
        return FAILED
    if transfers:
        return WORKED
    hint.gas = context.gas // context.samples
    if not _add_context(shared, worker, learner, own, hint, context):
        return FAILED
    contexts = own.contexts
    for i in range(FIRST_VALUE, own.context_count):
        spend(shared, worker, COST_CONTEXT, 1)
        context = find_context(learner, contexts[U(i)])
        if address_of(context) != 0 and not _add_context(shared, worker, learner, own, hint, context):
            return FAILED
    return WORKED


@kernel()
def _fill_next(shared, worker, learner):
    if worker.phase != PHASE_NEXT:
        return answer_from_state(shared, worker)
    if has_fault(shared):
        return FAILED
    txn_idx = next_hinted(shared)
    if txn_idx >= shared.block_size:
        return FINISHED
    spend(shared, worker, COST_TASK, 1)
    found = predict(shared, worker, learner, scratch_of(learner, worker), txn_idx)
    return begin_dry_run(shared, worker, txn_idx) if found == FINISHED else found


@native("int64(int64, int64)")
def predict_step(shared_address, worker_address):
    """Predict a transaction, or dry-run one of which nothing is known."""
    shared, worker = SHARED.at(shared_address), WORKER.at(worker_address)
    worker.activity = U(ACT_PLAN)
    return end_step(worker, _fill_next(shared, worker, LEARNER.at(shared.source)))
