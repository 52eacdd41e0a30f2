"""Readers: workers that read what was asked for one record after the other, each waiting for its own.

Under real time there are many more of them than workers of the strategy, and the system lets them wait side by side:
the way of those to whom no asynchronous reads are given. Under simulated time a worker hands a read over to the device
and goes on with the next one, and waits at the end for the last that it has handed over.
"""

from __future__ import annotations

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import call_2, view_i64
from contend.evm.runtime.structs import address_of
from contend.node.store.ahead.asking import ask_at
from contend.node.store.ahead.claims import FIRST, NOBODY, next_claim, settle_claim
from contend.node.store.ahead.layout import AHEAD, READER
from contend.node.store.fetching import served
from contend.node.store.layout import COLD, REQUEST
from contend.strategies.clocks import FINISHED

THREADS = 32


@kernel()
def _read(cold, ask, request):
    request.kind, request.number, request.key = ask.kind, ask.number, ask.key
    request.device_reads = I(0)
    if call_2(cold.read, cold.source, address_of(request)) < 0:
        atomics.add(cold, "faults", U1)


@native("int64(int64, int64)")
def read_step(ahead_address, reader_address):
    """Read one record."""
    ahead, reader = AHEAD.at(ahead_address), READER.at(reader_address)
    cold = COLD.at(ahead.cold)
    number = next_claim(ahead)
    now = I(0) if cold.instant == 0 else view_i64(cold.instant, 1)[0]
    if number == NOBODY:
        missing = reader.until_ps - now
        reader.until_ps = I(0)
        if cold.instant == 0 or missing <= 0:
            return I(FINISHED)
        cold.waited_ps += U(missing)
        if cold.waited != 0:
            view_i64(cold.waited, 1)[0] += missing
        return missing
    ask, request = ask_at(ahead, number), REQUEST.on_stack()
    _read(cold, ask, request)
    arrival = U0
    if cold.instant != 0:
        there = now
        for _ in range(request.device_reads):
            there = served(cold, there)
        reader.until_ps = max(reader.until_ps, there)
        arrival = max(U(there), FIRST)
    settle_claim(cold, ask, request, arrival)
    return max(ahead.cpu_ps, I(1))
