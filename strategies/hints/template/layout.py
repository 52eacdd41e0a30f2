"""Memory layout of the template learner: what it keeps from block to block, and what each worker has for itself.

All sizes are fixed, so what is learned takes the same memory after a thousand blocks as after one: `SETS` * `WAYS`
contexts of 512 bytes (8 MiB), and `EXPRESSIONS` of 128 bytes with their index, twice, since who is no longer used is
left out by copying the others (17 MiB).
"""

from __future__ import annotations

from contend.evm.runtime.integers import U
from contend.evm.runtime.structs import I64, KEY, LINE_U64, U64, U256, Struct, words

ARGUMENTS = 16  # words of call data that are looked at
CONTEXTS = 10  # of a transaction: two of its call, the others of its sender and its arguments
CALL, CALL_SIZE, FIRST_VALUE = 0, 1, 2

# Where a word of an expression is from. Zero stands for none.
SENDER, RECIPIENT, CONSTANT, LOADED, FIRST_ARGUMENT = 1, 2, 3, 4, 8
ATOMS = FIRST_ARGUMENT + ARGUMENTS
DEPTH = 3  # of nested mappings
OFFSETS = 8  # slots of a struct in a mapping that are found
SOLIDITY, VYPER = 0, 1  # keccak(key . slot), keccak(slot . key)

EXPRESSION_BITS = 16
EXPRESSIONS = 1 << EXPRESSION_BITS
INDEX = 4 * EXPRESSIONS
EXPRESSION = Struct(
    "TemplateExpression",
    form=U64,  # see `expression`
    load=U64,  # number plus one of the expression whose location holds the loaded word
    key=KEY,  # with what of it is constant; the slot of the outermost mapping in place of the location's
    constant=U256,  # key of a mapping that is none of the transaction's words
    forward=U64,  # number plus one of its copy
    unused=words(2),
)
DICTIONARY = Struct(
    "TemplateDictionary",
    rows=I64,  # array of EXPRESSION
    index=I64,  # generation << INDEX_SHIFT | number plus one
    generation=U64,
    used=LINE_U64,
)
INDEX_SHIFT, INDEX_MASK = U(32), U((1 << 32) - 1)

# Contexts lie in a cache of sets: the hash tells the set, and of a full one the least used goes.
SETS, WAYS, TEMPLATES = 1 << 11, 8, 56
PARTITIONS = 64  # of the sets, each counted in by one worker
CONTEXT = Struct(
    "TemplateContext",
    hash=U64,
    generation=U64,  # of the learner, when it was made: the contexts of others are empty
    block=I64,  # in which it was met last
    samples=I64,
    taken=I64,  # of them in that block
    gas=I64,  # sum over the samples
    count=I64,
    hand=I64,  # the next template to be looked at when one must go
    templates=words(TEMPLATES),  # number | hits << HITS_SHIFT | writes << WRITES_SHIFT
)
HITS_SHIFT, WRITES_SHIFT, COUNT_MASK = U(32), U(48), U(0xFFFF)
NUMBER_MASK, EXPRESSION_MASK = U(0xFFFFFFFF), U(EXPRESSIONS - 1)

# What a committed transaction teaches.
SAMPLE = Struct(
    "TemplateSample",
    entries=I64,  # address of its entries, uint64: number | marks
    count=I64,
    gas=I64,
    weight=I64,  # of how many transactions it stands for
    context_count=I64,
    contexts=words(CONTEXTS),  # hashes
    links=words(CONTEXTS),  # the next of the chunk in the same partition, see `learn`
)
IS_WRITTEN, IN_CALL, IN_VALUE, IS_KNOWN = U(1 << 32), U(1 << 33), U(1 << 34), U(1 << 35)
IS_GUESS = U(1 << 31)  # by a small number, which many are: part of what tells templates apart

CHUNK = 4  # transactions that one step explains
MEMO = 16
SEEN = 256
MOST_PREDICTED = 160
LOADS = 24

SCRATCH = Struct(
    "TemplateScratch",
    epoch=U64,  # of the transaction in hand; never zero
    present=U64,  # bit mask of the atoms that the transaction has
    atoms=words(4 * ATOMS),
    context_count=I64,
    contexts=words(CONTEXTS),
    # What was hashed for the transaction, at a place by base and key: epoch, order, base, key, hash.
    memo=words(MEMO * 14),
    # Loaded words of the transaction: by expression while it is predicted; in a row while it is explained.
    load_count=I64,
    load_numbers=words(LOADS),
    load_words=words(4 * LOADS),
    # Locations of its hint: epoch << 16 | entry, beside location.
    seen=words(2 * SEEN),
    # The slot that is being explained: keys of its mappings, the outermost first, and what each was hashed with.
    depth=I64,
    order=I64,
    offset=I64,
    keys=words(4 * DEPTH),
    bases=words(4 * (DEPTH + 1)),
    entries=I64,  # list of entries of samples: address, room, used
    entry_room=I64,
    entry_count=I64,
    predicted=U64,
)

LEARNER = Struct(
    "TemplateLearner",
    image=I64,  # the block
    codes=I64,
    dictionary=I64,
    contexts=I64,
    generation=U64,
    block=I64,  # how many were learned before
    scratch=I64,
    workers=I64,
    first_worker=I64,  # address of the first worker's header, and bytes between two
    worker_stride=I64,
    samples=I64,
    heads=I64,  # by kind of context, chunk and partition: the last of its samples' contexts, plus one
    chunks=I64,
    logs=I64,  # array of PREIMAGES, one a machine
    log_count=I64,
    log_chunks=I64,  # pieces of the longest
    preimages=I64,  # index: generation << INDEX_SHIFT | place plus one
    preimage_mask=I64,
    preimage_generation=U64,
    # Of the pass in hand, see `learn`.
    task_kind=I64,
    tasks=I64,
    counts_values=I64,  # whether it counts in contexts of words, not of calls
    other=I64,  # the dictionary to which expressions in use are copied, see `tidy`
    oldest=I64,  # the block since which contexts must have been met
)
