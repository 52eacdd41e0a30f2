"""Access table: what one transaction has touched, and the journal that undoes a reverted frame (EIP-2929).

The interpreter reads and writes only here. An entry holds the word a location had when the transaction first asked
for it (its place in the read set) and the word it has now; where the two differ in the end, it is in the write set.
The table is open-addressed; its slots carry the transaction's epoch, so that a new transaction starts with an empty
table without clearing it.

Entries outlive reverts (what was read was read); words, warmth and refunds do not.

An entry also remembers whether the word that it found mattered. It nearly always does; only the balance of an account
that is paid may stay unseen, and then the payment commutes with other payments to it. Nobody but a recorder of access
sets (`evm.drivers.recorder`) asks.

Kernels here take a `MACHINE`, and give an `ENTRY` or none (`evm.runtime.structs.is_null`).
"""

from __future__ import annotations

from contend.evm import errors, layout
from contend.evm.code.directory import NO_CODE, code_number
from contend.evm.layout import ENTRY, JOURNAL, RULES
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import multiply_wide, view_u64
from contend.evm.runtime.structs import address_of, is_null
from contend.evm.u256 import equal

KIND_SHIFT = U(layout.KIND_SHIFT)
KIND_CODE = U(layout.KIND_CODE)
LOADED, WARM = U(layout.FLAG_LOADED), U(layout.FLAG_WARM)
OBSERVED, TESTED = U(layout.FLAG_OBSERVED), U(layout.FLAG_TESTED)
TOUCHED = U(layout.FLAG_TOUCHED)
LASTING = LOADED | OBSERVED | TESTED | TOUCHED  # what a revert cannot take back

FIRST_INDEX_MASK = U(255)
_LOW, _EPOCH_SHIFT = U(0xFFFFFFFF), U(32)
_SALT_1, _SALT_2 = U(0x2D358DCCAA6C78A5), U(0x8BB84B93962EACC9)


@kernel(inline=True)
def entry_at(machine, number):
    """One of the machine's entries."""
    return ENTRY.item(machine.entries, machine.entries_words // I(ENTRY.words), number)


@kernel(inline=True)
def scratch_address(machine):
    """Address at which the machine's scratch space is free."""
    return machine.scratch + machine.scratch_used


@kernel(inline=True)
def scratch_left(machine):
    """Free bytes of the machine's scratch space."""
    return machine.scratch_bytes - machine.scratch_used


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
    return address[0], address[1], address[2] | (U(kind) << KIND_SHIFT), U0, U0, U0, U0


@kernel(inline=True)
def _hash(key):
    a, b = multiply_wide(key[0] ^ key[2] ^ _SALT_1, key[3] ^ key[5] ^ _SALT_2)
    c, d = multiply_wide(key[1] ^ key[4] ^ a ^ _SALT_2, key[6] ^ b ^ _SALT_1)
    return c ^ d


@kernel()
def find_entry(machine, key):
    """The entry with this key, or none."""
    mask, epoch = machine.index_mask, machine.epoch
    index = view_u64(machine.index, I(mask) + 1)
    slot = _hash(key) & mask
    while True:
        found = index[slot]
        if found >> _EPOCH_SHIFT != epoch:
            return ENTRY.at(I(0))
        entry = entry_at(machine, I(found & _LOW))
        have = entry.key
        difference = (have[0] ^ key[0]) | (have[1] ^ key[1]) | (have[2] ^ key[2])
        difference |= (have[3] ^ key[3]) | (have[4] ^ key[4])
        if difference | (have[5] ^ key[5]) | (have[6] ^ key[6]) == U0:
            return entry
        slot = (slot + U1) & mask


@kernel()
def _reindex(machine, mask):
    """Rebuild the index with a larger mask. Slots of the old index are told apart by epoch, so it is cleared."""
    index = view_u64(machine.index, I(mask) + 1)
    for i in range(I(mask) + 1):
        index[U(i)] = U0
    for number in range(machine.entry_count):
        slot = _hash(entry_at(machine, number).key) & mask
        while index[slot] != U0:
            slot = (slot + U1) & mask
        index[slot] = (machine.epoch << _EPOCH_SHIFT) | U(number)
    machine.index_mask = mask


@kernel()
def insert_entry(machine, key):
    """Add an entry that is known to be absent; none when there is no room (error is set)."""
    number, mask = machine.entry_count, machine.index_mask
    if U(number) * U(2) > mask:
        mask = mask * U(2) + U1
        if I(mask) >= machine.index_words:
            machine.error = I(errors.ENTRY_CAPACITY)
            return ENTRY.at(I(0))
        _reindex(machine, mask)
    if (number + 1) * I(ENTRY.words) > machine.entries_words:
        machine.error = I(errors.ENTRY_CAPACITY)
        return ENTRY.at(I(0))
    index = view_u64(machine.index, I(mask) + 1)
    slot = _hash(key) & mask
    while index[slot] >> _EPOCH_SHIFT == machine.epoch:
        slot = (slot + U1) & mask
    index[slot] = (machine.epoch << _EPOCH_SHIFT) | U(number)
    entry = entry_at(machine, number)
    entry.key = key
    entry.location = I(0)
    entry.original = (U0, U0, U0, U0)
    entry.current = (U0, U0, U0, U0)
    entry.flags = U0
    entry.code = I(0)
    entry.work_ps = U0
    machine.entry_count = number + 1
    return entry


@kernel()
def find_or_insert(machine, key):
    """The entry with this key, made if need be; none only when there is no room."""
    entry = find_entry(machine, key)
    return insert_entry(machine, key) if is_null(entry) else entry


@kernel()
def loaded_entry(machine, key):
    """The entry with this key if its word is known, for a caller who looks at the word.

    Else none, and the key is noted as the pending location.
    """
    entry = credit_entry(machine, key)
    if not is_null(entry):
        entry.flags |= OBSERVED
    return entry


@kernel()
def credit_entry(machine, key):
    """As `loaded_entry`, for a caller who adds to the word and lets nothing else depend on it: who pays a balance."""
    entry = find_entry(machine, key)
    if not is_null(entry):
        if entry.flags & LOADED != U0:
            return entry
    machine.pending_location = key
    return ENTRY.at(I(0))


@kernel()
def supply_word(machine, location, word):
    """Give the machine the word of its pending location. False when there is no room for an entry, or for a code.

    Called by the driver between `NEED` and the next `resume`, with the location's number.
    """
    key = machine.pending_location
    entry = find_or_insert(machine, key)
    if is_null(entry):
        return False
    entry.location = I(location)
    entry.original = word
    entry.current = word
    entry.flags |= LOADED
    entry.work_ps = machine.work_done_ps
    if key[2] >> KIND_SHIFT == KIND_CODE:
        rules = RULES.at(machine.rules)
        number = code_number(machine.codes, rules, word, scratch_address(machine), scratch_left(machine))
        if number < 0:
            machine.error = I(errors.CODE_CAPACITY)
            return False
        entry.code = number
    return True


@kernel(inline=True)
def _journal_at(machine, number):
    return JOURNAL.item(machine.journal, machine.journal_words // I(JOURNAL.words), number)


@kernel()
def journal_entry(machine, entry):
    """Remember an entry's word and flags before a change. False when the journal is full (error is set)."""
    count = machine.journal_count
    if (count + 1) * I(JOURNAL.words) > machine.journal_words:
        machine.error = I(errors.JOURNAL_CAPACITY)
        return False
    note = _journal_at(machine, count)
    note.entry = address_of(entry)
    note.flags = entry.flags
    note.value = entry.current
    machine.journal_count = count + 1
    return True


@kernel()
def undo_to(machine, count):
    """Take back changes until the journal has `count` of them. What was loaded meanwhile stays loaded."""
    for i in range(machine.journal_count - 1, count - 1, -1):
        note = _journal_at(machine, i)
        entry = ENTRY.at(note.entry)
        lasting = entry.flags & LASTING
        entry.flags = note.flags | lasting
        if note.flags & LOADED == lasting & LOADED:
            word = note.value
            entry.current = word
            # Within frames a code changes when it is deployed and never else: taken back, there is none.
            if entry.key[2] >> KIND_SHIFT == KIND_CODE and (word[0] | word[1] | word[2] | word[3]) == U0:
                entry.code = I(NO_CODE)
    machine.journal_count = count


@kernel()
def set_word(machine, entry, word):
    """Change an entry's word, undoably. False when the journal is full."""
    if not journal_entry(machine, entry):
        return False
    entry.current = word
    return True


@kernel()
def set_flag(machine, entry, flag):
    """Set a flag of an entry, undoably. False when the journal is full."""
    if not journal_entry(machine, entry):
        return False
    entry.flags |= U(flag)
    return True


@kernel()
def set_warm(machine, entry):
    """Mark an entry as accessed (EIP-2929), undoably. False when the journal is full."""
    return set_flag(machine, entry, WARM)


@kernel(inline=True)
def has_flag(entry, flag):
    """Whether a flag of an entry is set."""
    return entry.flags & U(flag) != U0


@kernel(inline=True)
def mark_tested(entry):
    """Note that it mattered whether the entry's word is zero, and nothing else about it."""
    entry.flags |= TESTED


@kernel(inline=True)
def mark_touched(account):
    """Note that the account of a code's entry was accessed, whatever becomes of the access (EIP-7928)."""
    account.flags |= TOUCHED


@kernel(inline=True)
def is_write(entry):
    """Whether an entry is part of the write set: its word is known, and is not the one that was found."""
    return entry.flags & LOADED != U0 and not equal(entry.current, entry.original)


@kernel(inline=True)
def is_warm(entry):
    """Whether an entry has been accessed; for accounts the code entry stands for the account."""
    return entry.flags & WARM != U0
