"""Claims: who reads a record that was asked for ahead, and what becomes of it when it is there."""

from __future__ import annotations

from contend.evm.layout import ABSENT, ASKED, FIRST_TIME, HERE, STATE
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import view_u64
from contend.evm.runtime.structs import WORD_BYTES, address_of
from contend.evm.state import location_row
from contend.node.store.ahead.asking import ask_at
from contend.node.store.fetching import ARRIVAL, is_absent, is_cached, put_account
from contend.node.store.layout import ACCOUNT, CODE, COLD

NOBODY = -1
_HERE, _ABSENT, _ASKED, FIRST = U(HERE), U(ABSENT), U(ASKED), U(FIRST_TIME)


@kernel(inline=True)
def _arrival_of(cold, ask):
    """Address of the word that says whether what was asked for is there."""
    if ask.kind == CODE:
        return cold.code_arrivals + ask.number * WORD_BYTES
    return address_of(location_row(STATE.at(cold.state), ask.number)) + ARRIVAL


@kernel()
def next_claim(ahead):
    """Take the next record that was asked for and has to be read: its number, `NOBODY` when there is none left."""
    cold = COLD.at(ahead.cold)
    while True:
        number = I(atomics.add(ahead, "taken", U1))
        if number >= ahead.count:
            return I(NOBODY)
        ask = ask_at(ahead, number)
        arrivals = view_u64(_arrival_of(cold, ask), 1)
        if atomics.compare_and_swap(arrivals, 0, _ABSENT, _ASKED) != _ABSENT:
            continue
        if ask.kind == CODE:
            missing = not is_cached(cold, ask.key)
        else:
            missing = is_absent(cold, location_row(STATE.at(cold.state), ask.number).key)
        if missing:
            return number
        atomics.store(arrivals, 0, _HERE)


@kernel()
def settle_claim(cold, ask, request, arrival):
    """Put what was read to where it belongs. `request` is a filled `node.store.layout.REQUEST`."""
    if ask.kind == ACCOUNT:
        put_account(cold, location_row(STATE.at(cold.state), ask.number).key, request)
    elif ask.kind != CODE:
        location_row(STATE.at(cold.state), ask.number).value = request.word
    atomics.add(cold, "records", U1)
    atomics.add(cold, "device_reads", U(request.device_reads))
    atomics.store(view_u64(_arrival_of(cold, ask), 1), 0, arrival)
