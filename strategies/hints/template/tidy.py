"""Tidying: expressions that no context has any use for are left out, when the dictionary is nearly full.

What is in use is copied to another dictionary, as a copying collector does (Cheney, CACM 13, 1970), and contexts are
told the new numbers. In use are templates that hold in half of their context's samples. Where that leaves more than
half of the dictionary in use, contexts that the last block did not meet are given up, too.

All workers copy, each a piece of the contexts at a time. Two that copy one expression enter it once, as ever, and note
the same number beside the old one; who does not see the note yet finds it by entering.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.accounting import spend
from contend.strategies.clocks import cost_table
from contend.strategies.hints.template.call_contexts import hits_of, number_of
from contend.strategies.hints.template.expression import NO_EXPRESSION, expression_at, intern_expression
from contend.strategies.hints.template.layout import CONTEXT, EXPRESSION_MASK, SETS, WAYS

COST_TEMPLATE = cost_table.LEARN_TEMPLATE
PIECES = 64
CONTEXTS_OF_PIECE = SETS * WAYS // PIECES


@kernel()
def _copy(old, new, number, load):
    """Copy one expression, once; its number in the other dictionary."""
    row = expression_at(old, number)
    forward = atomics.load(row, "forward")
    if forward == U0:
        forward = U(intern_expression(new, row.form, load, row.key, row.constant) + 1)
        atomics.store(row, "forward", forward)
    return I(forward) - 1


@kernel()
def _copy_with_loads(old, new, number):
    """Copy an expression and what it loads; its number in the other dictionary."""
    load = expression_at(old, number).load
    if load == U0:
        return _copy(old, new, number, U0)
    inner = expression_at(old, I(load) - 1).load
    if inner != U0:
        inner = U(_copy(old, new, I(inner) - 1, U0) + 1)
    return _copy(old, new, number, U(_copy(old, new, I(load) - 1, inner) + 1))


@kernel()
def _tidy_context(old, new, context):
    templates = context.templates
    kept = 0
    for i in range(context.count):
        template = templates[U(i)]
        if hits_of(template) * U(2) < U(context.samples):
            continue
        number = _copy_with_loads(old, new, number_of(template))
        if number != NO_EXPRESSION:
            templates[U(kept)] = (template & ~EXPRESSION_MASK) | U(number)
            kept += 1
    context.count = I(kept)
    context.hand = I(0)


@kernel()
def tidy_piece(shared, worker, learner, number):
    """Copy what one piece of the contexts uses, of those that were met since block `oldest`."""
    looked = 0
    for i in range(number * CONTEXTS_OF_PIECE, (number + 1) * CONTEXTS_OF_PIECE):
        context = CONTEXT.item(learner.contexts, SETS * WAYS, i)
        if context.generation != learner.generation:
            continue
        if context.block < learner.oldest:
            context.generation = U0
            continue
        looked += context.count + 1
        _tidy_context(learner.dictionary, learner.other, context)
    spend(shared, worker, COST_TEMPLATE, looked)
