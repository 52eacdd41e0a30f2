"""Planted bugs of `redo`: what each replaced function does wrongly, by the table in `planted_bugs`."""

from __future__ import annotations

from contend.evm import opcodes
from contend.evm.runtime.integers import U0
from contend.harness.verify.schedule_fuzzer.replacement import original


def hold_always(entries, count, code, packed, found):
    """No guard is looked at: a transaction goes on where its branch would go another way."""
    return True


def leave_sums_as_they_were(code, first, second, third):
    """One kind of operation is left out: a sum is its first summand."""
    return first if code == opcodes.ADD else original(code, first, second, third)


def patch_nothing(shared, worker, address):
    """What was computed anew is not brought to the result."""


def predict_without_doubt(machine, head, word):
    """The nonce that a transaction needs is taken for the committed one."""
    _, predicted = original(machine, head, word)
    return head, predicted


def count_no_code(machine):
    """Nobody hears that a code has been written."""
    return U0
