"""Numbers of what is taken back: with the journal's words go the numbers that these had.

Numbers of entries change in few places. Each first numbers the notes that the journal has made since the last time
(`number_notes`): meanwhile no entry's number has changed, so that an entry's number is that of the word in its notes.
"""

from __future__ import annotations

from contend.evm.layout import ENTRY, JOURNAL
from contend.evm.redo_log.numbers import entry_number, number_at, set_entry_number, set_number_at
from contend.evm.runtime.integers import I
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.structs import address_of
from contend.evm.vm.access_table import LOADED


@kernel(inline=True)
def _note_at(machine, number):
    return JOURNAL.item(machine.journal, machine.journal_words // I(JOURNAL.words), number)


@kernel()
def number_notes(machine, log):
    """Number the notes of the journal that have no number yet."""
    for i in range(log.notes, machine.journal_count):
        note = _note_at(machine, i)
        set_number_at(log.numbers, address_of(note), entry_number(log.numbers, ENTRY.at(note.entry)))
    log.notes = machine.journal_count


@kernel()
def undo_numbers(machine, log, count):
    """Take numbers back, before the journal is undone until it has `count` notes (`evm.vm.access_table.undo_to`)."""
    for i in range(log.notes - 1, count - 1, -1):
        note = _note_at(machine, i)
        entry = ENTRY.at(note.entry)
        if note.flags & LOADED == entry.flags & LOADED:
            set_entry_number(log.numbers, entry, number_at(log.numbers, address_of(note)))
    log.notes = min(log.notes, count)
