"""Redo log: which of a transaction's results depend on the words that it read, and how.

ParallelEVM (arXiv 2211.07911) keeps a log in static single assignment form of the operations of a transaction, so that
when a word that it read turns out to be stale only those operations are done again that depend on it; Altius does
likewise over another EVM. Here the log has only what depends on a word of the state: beside each word of the machine's
memory (operand stack, memory of frames, output, logs, access table) stands a *number*, 0 where the word depends on
nothing, else that of the log's entry whose result it is (`evm.redo_log.numbers`).

An entry is an *input* (a word that was read), a *constant* (another operand of a logged operation), an *operation*, or
a *guard*. A guard says what must stay as it was for the rest of the log to hold: which way a branch went, that a
balance sufficed, which gas an SSTORE took, or of whatever nothing more is known (an address, a key, an offset, a byte
of what is hashed) that a word is the very same (a *pin*). Under all guards the transaction executes the same
instructions, at the same gas, and what differs is the results of the entries: `evm.redo_log.recompute`.

Logging is a second compilation of the interpreter's loop (`evm.redo_log.logged_run`), so that nobody pays for it who
does not ask for it.
"""
