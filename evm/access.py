"""What one transaction has touched: its access table, and the journal that undoes a reverted frame.

The interpreter reads and writes only here. An entry holds the word a location had when the transaction first asked
for it (its place in the read set) and the word it has now; where the two differ in the end, it is in the write set.
The table is open-addressed; its slots carry the transaction's epoch, so that a new transaction starts with an empty
table without clearing it.

Entries outlive reverts (what was read was read); words, warmth and refunds do not.

An entry also remembers whether the word that it found mattered. It nearly always does; only the balance of an account
that is paid may stay unseen, and then the payment commutes with other payments to it. Nobody but a recorder of access
sets (`evm.recording`) asks.
"""

from __future__ import annotations

import numpy as np
from numpy import uint64 as U

from evm import errors, layout
from evm.codes import NO_CODE, code_number
from evm.jit import kernel, macro
from evm.pointers import multiply_wide, view_u64
from evm.words import get_at, put_at

I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module

KIND_SHIFT = U(layout.KIND_SHIFT)
LOADED, WARM, WRITTEN = U(layout.FLAG_LOADED), U(layout.FLAG_WARM), U(layout.FLAG_WRITTEN)
OBSERVED, TESTED = U(layout.FLAG_OBSERVED), U(layout.FLAG_TESTED)
LASTING = LOADED | OBSERVED | TESTED  # what a revert cannot take back
ENTRY_CAPACITY, JOURNAL_CAPACITY, CODE_CAPACITY = (
    U(errors.ENTRY_CAPACITY),
    U(errors.JOURNAL_CAPACITY),
    U(errors.CODE_CAPACITY),
)

FIRST_INDEX_MASK = U(255)
ABSENT = -1
_LOW = U(0xFFFFFFFF)
_SALT_1, _SALT_2 = U(0x2D358DCCAA6C78A5), U(0x8BB84B93962EACC9)


@macro
def entries_of(machine):
    """View of the machine's entries."""
    return view_u64(I(machine[U(layout.M_ENTRIES)]), I(machine[U(layout.M_ENTRIES_WORDS)]))


@kernel(inline=True)
def scratch_address(machine):
    """Where the machine's scratch space is free."""
    return I(machine[U(layout.M_SCRATCH)] + machine[U(layout.M_SCRATCH_USED)])


@kernel(inline=True)
def scratch_left(machine):
    """Free bytes of the machine's scratch space."""
    return I(machine[U(layout.M_SCRATCH_BYTES)]) - I(machine[U(layout.M_SCRATCH_USED)])


@kernel(inline=True)
def storage_key(address, slot):
    """Key of a storage slot."""
    return address[0], address[1], address[2], slot[0], slot[1], slot[2], slot[3]


@kernel(inline=True)
def transient_key(address, slot):
    """Key of a transient storage slot (EIP-1153)."""
    last = address[2] | (U(layout.KIND_TRANSIENT) << KIND_SHIFT)
    return address[0], address[1], last, slot[0], slot[1], slot[2], slot[3]


@kernel(inline=True)
def account_key(address, kind):
    """Key of an account's balance, nonce or code."""
    return address[0], address[1], address[2] | (U(kind) << KIND_SHIFT), U(0), U(0), U(0), U(0)


@kernel(inline=True)
def _hash(key):
    a, b = multiply_wide(key[0] ^ key[2] ^ _SALT_1, key[3] ^ key[5] ^ _SALT_2)
    c, d = multiply_wide(key[1] ^ key[4] ^ a ^ _SALT_2, key[6] ^ b ^ _SALT_1)
    return c ^ d


@kernel()
def find_entry(machine, key):
    """Where the entry with this key begins among the entries, or `ABSENT`."""
    entries = entries_of(machine)
    mask = machine[U(layout.M_INDEX_MASK)]
    index = view_u64(I(machine[U(layout.M_INDEX)]), I(mask) + 1)
    epoch = machine[U(layout.M_EPOCH)]
    slot = _hash(key) & mask
    while True:
        found = index[slot]
        if found >> U(32) != epoch:
            return ABSENT
        i = (found & _LOW) * U(layout.ENTRY_WORDS)
        difference = (entries[i] ^ key[0]) | (entries[i + U(1)] ^ key[1]) | (entries[i + U(2)] ^ key[2])
        difference |= (entries[i + U(3)] ^ key[3]) | (entries[i + U(4)] ^ key[4])
        if difference | (entries[i + U(5)] ^ key[5]) | (entries[i + U(6)] ^ key[6]) == U(0):
            return I(i)
        slot = (slot + U(1)) & mask


@kernel()
def _reindex(machine, mask):
    """Rebuild the index with a larger mask. Slots of the old index are told apart by epoch, so it is cleared."""
    entries = entries_of(machine)
    index = view_u64(I(machine[U(layout.M_INDEX)]), I(mask) + 1)
    for i in range(I(mask) + 1):
        index[U(i)] = U(0)
    for number in range(I(machine[U(layout.M_ENTRY_COUNT)])):
        i = U(number * layout.ENTRY_WORDS)
        key = (
            entries[i],
            entries[i + U(1)],
            entries[i + U(2)],
            entries[i + U(3)],
            entries[i + U(4)],
            entries[i + U(5)],
            entries[i + U(6)],
        )
        slot = _hash(key) & mask
        while index[slot] != U(0):
            slot = (slot + U(1)) & mask
        index[slot] = (machine[U(layout.M_EPOCH)] << U(32)) | U(number)
    machine[U(layout.M_INDEX_MASK)] = mask


@kernel()
def insert_entry(machine, key):
    """Add an entry that is known to be absent; where it begins, or `ABSENT` when there is no room (error is set)."""
    entries = entries_of(machine)
    number = machine[U(layout.M_ENTRY_COUNT)]
    mask = machine[U(layout.M_INDEX_MASK)]
    if number * U(2) > mask:
        mask = mask * U(2) + U(1)
        if mask >= machine[U(layout.M_INDEX_WORDS)]:
            machine[U(layout.M_ERROR)] = ENTRY_CAPACITY
            return ABSENT
        _reindex(machine, mask)
    if (number + U(1)) * U(layout.ENTRY_WORDS) > machine[U(layout.M_ENTRIES_WORDS)]:
        machine[U(layout.M_ERROR)] = ENTRY_CAPACITY
        return ABSENT
    index = view_u64(I(machine[U(layout.M_INDEX)]), I(mask) + 1)
    slot = _hash(key) & mask
    while index[slot] >> U(32) == machine[U(layout.M_EPOCH)]:
        slot = (slot + U(1)) & mask
    index[slot] = (machine[U(layout.M_EPOCH)] << U(32)) | number
    i = number * U(layout.ENTRY_WORDS)
    entries[i] = key[0]
    entries[i + U(1)] = key[1]
    entries[i + U(2)] = key[2]
    entries[i + U(3)] = key[3]
    entries[i + U(4)] = key[4]
    entries[i + U(5)] = key[5]
    entries[i + U(6)] = key[6]
    for j in range(layout.KEY_WORDS, layout.ENTRY_WORDS):
        entries[i + U(j)] = U(0)
    machine[U(layout.M_ENTRY_COUNT)] = number + U(1)
    return I(i)


@kernel()
def find_or_insert(machine, key):
    """The entry with this key, made if need be; `ABSENT` only when there is no room."""
    at = find_entry(machine, key)
    return at if at != ABSENT else insert_entry(machine, key)


@kernel()
def loaded_entry(machine, key):
    """The entry with this key if its word is known, for a caller who looks at the word.

    Else `ABSENT`, and the key is noted as wanted.
    """
    at = credit_entry(machine, key)
    if at != ABSENT:
        entries_of(machine)[U(at + layout.ENTRY_FLAGS)] |= OBSERVED
    return at


@kernel()
def credit_entry(machine, key):
    """As `loaded_entry`, for a caller who adds to the word and lets nothing else depend on it: who pays a balance."""
    at = find_entry(machine, key)
    if at != ABSENT:
        entries = entries_of(machine)
        if entries[U(at + layout.ENTRY_FLAGS)] & LOADED != U(0):
            return at
    for i in range(layout.KEY_WORDS):
        machine[U(layout.M_WANTED + i)] = key[i]
    return ABSENT


@kernel()
def provide(machine, number, word):
    """Answer the machine's want: the location's number and word. False when there is no room for an entry.

    Called by the driver between `NEED` and the next `resume`.
    """
    i = U(layout.M_WANTED)
    key = (
        machine[i],
        machine[i + U(1)],
        machine[i + U(2)],
        machine[i + U(3)],
        machine[i + U(4)],
        machine[i + U(5)],
        machine[i + U(6)],
    )
    at = find_or_insert(machine, key)
    if at == ABSENT:
        return False
    entries = entries_of(machine)
    entries[U(at + layout.ENTRY_ID)] = U(number)
    put_at(entries, at + layout.ENTRY_ORIGINAL, word)
    put_at(entries, at + layout.ENTRY_CURRENT, word)
    entries[U(at + layout.ENTRY_FLAGS)] |= LOADED
    entries[U(at + layout.ENTRY_WORK)] = machine[U(layout.M_WORK_DONE)]
    if key[2] >> KIND_SHIFT == U(layout.KIND_CODE):
        number = code_number(I(machine[U(layout.M_CODES)]), word, scratch_address(machine), scratch_left(machine))
        if number < 0:
            machine[U(layout.M_ERROR)] = CODE_CAPACITY
            return False
        entries[U(at + layout.ENTRY_CODE)] = U(number)
    return True


@kernel()
def journal_entry(machine, at):
    """Remember an entry's word and flags before a change. False when the journal is full (error is set)."""
    count = I(machine[U(layout.M_JOURNAL_COUNT)])
    if (count + 1) * layout.JOURNAL_WORDS > I(machine[U(layout.M_JOURNAL_WORDS)]):
        machine[U(layout.M_ERROR)] = JOURNAL_CAPACITY
        return False
    journal = view_u64(I(machine[U(layout.M_JOURNAL)]), I(machine[U(layout.M_JOURNAL_WORDS)]))
    entries = entries_of(machine)
    to = count * layout.JOURNAL_WORDS
    journal[U(to + layout.JOURNAL_ENTRY)] = U(at)
    journal[U(to + layout.JOURNAL_FLAGS)] = entries[U(at + layout.ENTRY_FLAGS)]
    put_at(journal, to + layout.JOURNAL_VALUE, get_at(entries, at + layout.ENTRY_CURRENT))
    machine[U(layout.M_JOURNAL_COUNT)] = U(count + 1)
    return True


@kernel()
def undo_to(machine, count):
    """Take back changes until the journal has `count` of them. What was loaded meanwhile stays loaded."""
    journal = view_u64(I(machine[U(layout.M_JOURNAL)]), I(machine[U(layout.M_JOURNAL_WORDS)]))
    entries = entries_of(machine)
    for i in range(I(machine[U(layout.M_JOURNAL_COUNT)]) - 1, count - 1, -1):
        of = i * layout.JOURNAL_WORDS
        at = I(journal[U(of + layout.JOURNAL_ENTRY)])
        was_loaded = journal[U(of + layout.JOURNAL_FLAGS)] & LOADED
        lasting = entries[U(at + layout.ENTRY_FLAGS)] & LASTING
        entries[U(at + layout.ENTRY_FLAGS)] = journal[U(of + layout.JOURNAL_FLAGS)] | lasting
        if was_loaded == lasting & LOADED:
            word = get_at(journal, of + layout.JOURNAL_VALUE)
            put_at(entries, at + layout.ENTRY_CURRENT, word)
            # A code changes when it is deployed and never else: taken back, there is none.
            is_code = entries[U(at + 2)] >> KIND_SHIFT == U(layout.KIND_CODE)
            if is_code and (word[0] | word[1] | word[2] | word[3]) == U(0):
                entries[U(at + layout.ENTRY_CODE)] = U(NO_CODE)
    machine[U(layout.M_JOURNAL_COUNT)] = U(count)


@kernel()
def set_word(machine, at, word):
    """Change an entry's word, undoably. False when the journal is full."""
    if not journal_entry(machine, at):
        return False
    put_at(entries_of(machine), at + layout.ENTRY_CURRENT, word)
    return True


@kernel()
def set_warm(machine, at):
    """Mark an entry as accessed (EIP-2929), undoably. False when the journal is full."""
    if not journal_entry(machine, at):
        return False
    entries = entries_of(machine)
    entries[U(at + layout.ENTRY_FLAGS)] |= WARM
    return True


@kernel()
def set_flag(machine, at, flag):
    """Set a flag of an entry, undoably. False when the journal is full."""
    if not journal_entry(machine, at):
        return False
    entries = entries_of(machine)
    entries[U(at + layout.ENTRY_FLAGS)] |= U(flag)
    return True


@kernel(inline=True)
def has_flag(machine, at, flag):
    """Whether a flag of an entry is set."""
    return entries_of(machine)[U(at + layout.ENTRY_FLAGS)] & U(flag) != U(0)


@kernel(inline=True)
def mark_tested(machine, at):
    """Note that it mattered whether the entry's word is zero, and nothing else about it."""
    entries_of(machine)[U(at + layout.ENTRY_FLAGS)] |= TESTED


@kernel(inline=True)
def is_warm(machine, at):
    """Whether an entry has been accessed; for accounts the code entry stands for the account."""
    return entries_of(machine)[U(at + layout.ENTRY_FLAGS)] & WARM != U(0)


@kernel(inline=True)
def word_of(machine, at):
    """An entry's word as it is now."""
    return get_at(entries_of(machine), at + layout.ENTRY_CURRENT)


@kernel(inline=True)
def original_of(machine, at):
    """An entry's word at the start of the transaction."""
    return get_at(entries_of(machine), at + layout.ENTRY_ORIGINAL)
