"""Tidying: expressions that no context has any use for are left out, when the dictionary is nearly full.

What is in use is copied to another dictionary, as a copying collector does (Cheney, CACM 13, 1970), and contexts are
told the new numbers. In use are templates that hold in half of their context's samples. Where that leaves more than
half of the dictionary in use, contexts that the last block did not meet are given up, too.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel
from contend.strategies.hints.template.contexts import hits_of, number_of
from contend.strategies.hints.template.expression import NO_EXPRESSION, expression_at, intern_expression
from contend.strategies.hints.template.layout import CONTEXT, EXPRESSION_MASK, LEARNER, SETS, WAYS


@kernel()
def _copy(old, new, number, load):
    """Copy one expression, once; its number in the other dictionary."""
    row = expression_at(old, number)
    if row.forward == U0:
        row.forward = U(intern_expression(new, row.form, load, row.key, row.constant) + 1)
    return I(row.forward) - 1


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
def tidy(address, new, oldest):
    """Copy what contexts that were met since block `oldest` use; templates looked at."""
    learner = LEARNER.at(address)
    looked = 0
    for i in range(SETS * WAYS):
        context = CONTEXT.item(learner.contexts, SETS * WAYS, i)
        if context.generation != learner.generation:
            continue
        if context.block < oldest:
            context.generation = U0
            continue
        looked += context.count + 1
        _tidy_context(learner.dictionary, new, context)
    learner.dictionary = new
    return looked
