"""Contexts: how often calls of one kind were met, and how often each expression was right for them.

The table is a cache of sets (as in processors): a context's hash tells its set, and where all ways of a set are taken,
the context with the fewest samples goes, of several the one that was not met for longest. So memory is bounded, and a
word that is met once only takes no place from one that returns. Each context has a fixed row of templates, an
expression with the number of samples that touched its location and that wrote it; where the row is full, a template
that hardly ever holds gives way.

Counts are halved before they overflow, so that what a contract does now outweighs what it did once.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.structs import address_of
from contend.strategies.accounting import spend
from contend.strategies.clocks import cost_table
from contend.strategies.hints.template.layout import (
    CONTEXT,
    COUNT_MASK,
    EXPRESSION_MASK,
    HITS_SHIFT,
    IS_GUESS,
    IS_WRITTEN,
    NUMBER_MASK,
    PARTITIONS,
    SETS,
    TEMPLATES,
    WAYS,
    WRITES_SHIFT,
)

COST_TEMPLATE, COST_CONTEXT = cost_table.LEARN_TEMPLATE, cost_table.PREDICT_CONTEXT
FEWEST_SAMPLES, YOUNG = 2, 8
SHARE, OF = U(4), U(5)  # of its samples in which a template must have held
GUESS_SHARE, GUESS_OF = U(19), U(20)  # where the index of an array may be a number that happens to be equal
MOST_SAMPLES = 1 << 12
MOST_OF_BLOCK = 128  # samples of one context that a block adds: more tell nothing new
TRIES = 8


@kernel(inline=True)
def partition_of(hashed):
    """Partition that counts in a context."""
    return I(hashed % U(PARTITIONS))


@kernel(inline=True)
def _way(learner, hashed, way):
    return CONTEXT.item(learner.contexts, SETS * WAYS, I(hashed % U(SETS)) * WAYS + way)


@kernel()
def find_context(learner, hashed):
    """The row of a context, or none."""
    for way in range(WAYS):
        context = _way(learner, hashed, way)
        if context.hash == hashed and context.generation == learner.generation:
            return context
    return CONTEXT.at(I(0))


@kernel()
def _make_context(learner, hashed):
    """Take the row of the context that is worth least."""
    taken = _way(learner, hashed, I(0))
    for way in range(WAYS):
        context = _way(learner, hashed, way)
        if context.generation != learner.generation:
            taken = context
            break
        if context.samples < taken.samples or (context.samples == taken.samples and context.block < taken.block):
            taken = context
    taken.hash = hashed
    taken.generation = learner.generation
    taken.block = I(-1)
    taken.samples = I(0)
    taken.taken = I(0)
    taken.gas = I(0)
    taken.count = I(0)
    taken.hand = I(0)
    return taken


@kernel(inline=True)
def hits_of(template):
    """Samples of its context that touched a template's location."""
    return (template >> HITS_SHIFT) & COUNT_MASK


@kernel(inline=True)
def number_of(template):
    """Number of a template's expression."""
    return I(template & EXPRESSION_MASK)


@kernel(inline=True)
def holds(context, template):
    """Whether a template has held in enough of its context's samples to be predicted."""
    hits, samples = hits_of(template), U(context.samples)
    if template & IS_GUESS != U0:
        return hits >= U(FEWEST_SAMPLES) and hits * GUESS_OF >= samples * GUESS_SHARE
    return hits >= U(FEWEST_SAMPLES) and hits * OF >= samples * SHARE


@kernel(inline=True)
def _is_sure(context, template):
    """Whether a template explains a location so well that guesses, which follow it, are not needed."""
    samples = U(context.samples)
    return samples > U(FEWEST_SAMPLES) and hits_of(template) * GUESS_OF >= samples * GUESS_SHARE


@kernel(inline=True)
def writes(template):
    """Whether a template's location was written in at least half of the samples that touched it."""
    return (template >> WRITES_SHIFT) * U(2) >= hits_of(template)


@kernel()
def find_template(context, number, hand):
    """Place of an expression in a row, looked for from `hand` on, where it usually is; -1 if it has none."""
    templates = context.templates
    place = hand
    for _ in range(context.count):
        if place >= context.count:
            place = I(0)
        if templates[U(place)] & NUMBER_MASK == U(number):
            return place
        place += 1
    return I(-1)


@kernel()
def _halve(context):
    templates = context.templates
    for i in range(context.count):
        template = templates[U(i)]
        hits, written = hits_of(template) >> U1, (template >> WRITES_SHIFT) >> U1
        templates[U(i)] = (template & NUMBER_MASK) | (hits << HITS_SHIFT) | (written << WRITES_SHIFT)
    context.samples >>= 1
    context.gas >>= 1


@kernel()
def _place_for(context):
    """Place for a new template: a free one, or that of one that hardly ever holds; -1 if there is none."""
    count = context.count
    if count < TEMPLATES:
        context.count = count + 1
        return I(count)
    templates = context.templates
    for _ in range(TRIES):
        hand = context.hand
        context.hand = (hand + 1) % TEMPLATES
        if hits_of(templates[U(hand)]) * U(4) < U(context.samples):
            return I(hand)
    return I(-1)


@kernel()
def count_sample(shared, worker, learner, hashed, sample, scope, left_out):
    """Count a sample in a context: of its entries those of this scope that have no mark that leaves them out."""
    context = find_context(learner, hashed)
    spend(shared, worker, COST_CONTEXT, 1)
    if address_of(context) == 0:
        context = _make_context(learner, hashed)
    if context.block != learner.block:
        context.block = learner.block
        context.taken = I(0)
    if context.taken >= MOST_OF_BLOCK:
        return
    context.taken += 1
    if context.samples >= MOST_SAMPLES:
        _halve(context)
    # A few samples of a young context must be as many calls that were looked at.
    weight = sample.weight if context.samples >= YOUNG else I(1)
    context.samples += weight
    context.gas += sample.gas * weight
    entries = view_u64(sample.entries, sample.count)
    templates = context.templates
    hand = I(0)
    is_sure = False
    for i in range(sample.count):
        entry = entries[U(i)]
        if entry & scope == U0 or entry & left_out != U0 or (is_sure and entry & IS_GUESS != U0):
            continue
        place = find_template(context, entry & NUMBER_MASK, hand)
        if place < 0:
            place = _place_for(context)
            if place < 0:
                continue
            templates[U(place)] = entry & NUMBER_MASK
        written = weight if entry & IS_WRITTEN != U0 else I(0)
        templates[U(place)] += (U(weight) << HITS_SHIFT) | (U(written) << WRITES_SHIFT)
        hand = place + 1
        if entry & IS_GUESS == U0:
            is_sure = _is_sure(context, templates[U(place)])
    spend(shared, worker, COST_TEMPLATE, sample.count)
