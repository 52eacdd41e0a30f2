"""Fetching: a machine's pending location brought into memory from what lies behind the state, if it is not there.

Every driver of a machine comes by `evm.interpreter.resume`, which calls `fetch` before it says what the machine needs.
So the first touch of an absent record costs a read under every strategy, whoever comes to it first; whoever comes while
it is being read waits for the same read. The worker waits: nothing else runs on it meanwhile.

One record is an account (nonce, balance, hash of the code), a slot, or a code. Of an account one row of the state
stands for all, that of its nonce: it goes from ABSENT to ASKED by compare-and-swap, and to HERE when all words of the
account are in their rows. A record that is nowhere is read for as well; that it is not there costs as much to find out.

Asking for the hash of an account's code brings the code, a read of its own, unless it was there already under another
account. What it is decoded to stays in memory from block to block, so the bytes are only held against a checksum.

Where time is simulated a step happens at once, and what is read has a time at which it is there: the device has
channels, each of which serves one read after the other; the first free one takes the next. Who needs the word earlier
waits until then. Reads are asked for in the order of the steps that ask for them, which is that of their beginnings.
"""

from __future__ import annotations

from contend.evm import layout
from contend.evm.code.directory import EMPTY_HASH, find_code_of_any_fork
from contend.evm.layout import ABSENT, ASKED, FIRST_TIME, HERE, LOCATION, STATE
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import call_2, view_i64, view_u64
from contend.evm.runtime.structs import WORD_BYTES, address_of
from contend.evm.state import find_location, intern_location, location_row
from contend.evm.u256 import equal, is_zero
from contend.evm.vm.access_table import account_key
from contend.evm.vm.transaction import open_machine
from contend.node.store.layout import ACCOUNT, CODE, COLD, REQUEST, SLOT
from contend.node.store.record_hash import (
    KIND_MASK,
    KIND_SHIFT,
    account_record,
    code_record,
    hash_for_cache,
    slot_record,
)
from contend.strategies.clocks.wall import yield_processor
from contend.strategies.sharded.protocol.messages import owner_of

_HERE, _ABSENT, _ASKED, _FIRST_TIME = U(HERE), U(ABSENT), U(ASKED), U(FIRST_TIME)
_STORAGE, _CODE, _GENERATION = U(layout.KIND_STORAGE), U(layout.KIND_CODE), U(layout.KIND_GENERATION)
_GENERATION_SHIFT = U(layout.GENERATION_SHIFT)
ARRIVAL = LOCATION.offsets["arrival"] * WORD_BYTES
_NO_CODE = tuple(U(int.from_bytes(EMPTY_HASH, "big") >> (64 * i) & 0xFFFFFFFFFFFFFFFF) for i in range(4))
# What stands in the place of a word that is absent: whoever reads it unasked for gives a wrong result.
POISON = tuple(U(0xC01DC01DC01DC01D + i) for i in range(4))


@kernel()
def _now(cold, machine):
    """Simulated time of a machine: of its step's beginning, and what it has done since.

    A driver that runs a machine several times in a step takes its work from it each time, but no wait is undone.
    """
    began = view_i64(cold.instant, 1)[0]
    now = began + I(machine.work_done_ps)
    if began == cold.began_ps and address_of(machine) == cold.machine:
        now = max(now, cold.until_ps)
    return now


@kernel()
def _wait_until(cold, machine, arrival):
    """Let the machine's work last until a word is there, where time is simulated."""
    if cold.instant == 0 or arrival < _FIRST_TIME:
        return
    missing = I(arrival) - _now(cold, machine)
    if missing > 0:
        cold.began_ps = view_i64(cold.instant, 1)[0]
        cold.machine = address_of(machine)
        cold.until_ps = I(arrival)
        machine.work_done_ps += U(missing)
        cold.waited_ps += U(missing)
        if cold.waited != 0:
            view_i64(cold.waited, 1)[0] += missing


@kernel()
def _claim(cold, machine, arrival_at):
    """Whether the caller has to read what has this arrival word; if somebody else does, wait until it is there."""
    arrivals = view_u64(arrival_at, 1)
    if atomics.compare_and_swap(arrivals, 0, _ABSENT, _ASKED) == _ABSENT:
        return True
    while atomics.load(arrivals, 0) == _ASKED:
        yield_processor()
    _wait_until(cold, machine, atomics.load(arrivals, 0))
    return False


@kernel()
def served(cold, asked):
    """When a simulated device has read what it is asked for at some time: its first free channel takes it."""
    if cold.channel_count == 0:
        return asked
    free = view_i64(cold.channels, cold.channel_count)
    first = 0
    for i in range(1, cold.channel_count):
        if free[i] < free[first]:
            first = i
    free[first] = max(asked, free[first]) + cold.latency_ps
    return free[first]


@kernel()
def _read(cold, machine, request):
    """Read a record, and wait for it; its arrival."""
    request.device_reads = I(0)
    if call_2(cold.read, cold.source, address_of(request)) < 0:
        atomics.add(cold, "faults", U1)
    atomics.add(cold, "records", U1)
    atomics.add(cold, "device_reads", U(request.device_reads))
    if cold.instant == 0:
        return _HERE
    there = _now(cold, machine)
    for _ in range(request.device_reads):
        there = served(cold, there)
    _wait_until(cold, machine, U(there))
    return max(U(there), _FIRST_TIME)


@kernel(inline=True)
def is_cached(cold, record):
    """Whether a record is in memory from the start, because the cache has it."""
    return hash_for_cache(cold.seed, record) < cold.cached_below


@kernel(inline=True)
def _is_beneficiary(cold, key):
    own = cold.coinbase
    return ((key[0] ^ own[0]) | (key[1] ^ own[1]) | ((key[2] ^ own[2]) & U(0xFFFFFFFF))) == U0


@kernel()
def is_absent(cold, key):
    """Whether the record of a location is not in memory at first."""
    kind = (key[2] >> KIND_SHIFT) & KIND_MASK
    if kind == _STORAGE:
        return key[2] >> _GENERATION_SHIFT == U0 and not is_cached(cold, slot_record(key))
    return kind != _GENERATION and not _is_beneficiary(cold, key) and not is_cached(cold, account_record(key))


@kernel()
def _fetch_slot(cold, machine, row):
    """Have the word of a slot in its row."""
    if not _claim(cold, machine, address_of(row) + ARRIVAL):
        return
    arrival = _HERE
    if is_absent(cold, row.key):
        request = REQUEST.on_stack()
        request.kind = I(SLOT)
        request.key = slot_record(row.key)
        arrival = _read(cold, machine, request)
        row.value = request.word
    atomics.store(row, "arrival", arrival)


@kernel()
def _put_word(cold, key, kind, word):
    """Write a word of an account to its row; one that is zero has none, or has it from an account that was empty."""
    address = (key[0], key[1], key[2] & U(0xFFFFFFFF))
    own = account_key(address, kind)
    location = I(find_location(cold.state, own) if is_zero(word) else intern_location(cold.state, own))
    if location >= 0:
        location_row(STATE.at(cold.state), location).value = word
    elif not is_zero(word):
        atomics.store(cold, "is_full", U1)


@kernel()
def put_account(cold, key, request):
    """Write all words of an account that was read to their rows; `key` is that of any location of it."""
    _put_word(cold, key, layout.KIND_NONCE, (request.nonce, U0, U0, U0))
    _put_word(cold, key, layout.KIND_BALANCE, request.balance)
    _put_word(cold, key, layout.KIND_CODE, request.word)


@kernel()
def _fetch_account(cold, machine, row):
    """Have all words of an account in their rows; `row` is that of one of them."""
    key = row.key
    if not is_absent(cold, key):
        atomics.store(row, "arrival", _HERE)
        return
    leading = I(intern_location(cold.state, account_key((key[0], key[1], key[2] & U(0xFFFFFFFF)), layout.KIND_NONCE)))
    if leading < 0:
        atomics.store(cold, "is_full", U1)
        return
    lead = location_row(STATE.at(cold.state), leading)
    if atomics.load(lead, "arrival") != _HERE and _claim(cold, machine, address_of(lead) + ARRIVAL):
        request = REQUEST.on_stack()
        request.kind = I(ACCOUNT)
        request.key = account_record(key)
        arrival = _read(cold, machine, request)
        put_account(cold, key, request)
        atomics.store(lead, "arrival", arrival)
    atomics.store(row, "arrival", atomics.load(lead, "arrival"))


@kernel()
def _fetch_code(cold, machine, word):
    """Have the code with this hash read."""
    if is_zero(word) or equal(word, _NO_CODE):
        return
    number = I(find_code_of_any_fork(machine.codes, word))
    if number < 0 or number >= cold.code_count:
        return
    arrivals = view_u64(cold.code_arrivals, cold.code_count)
    if atomics.load(arrivals, number) == _HERE or not _claim(cold, machine, cold.code_arrivals + number * WORD_BYTES):
        return
    arrival, record = _HERE, code_record(word)
    if not is_cached(cold, record):
        request = REQUEST.on_stack()
        request.kind = I(CODE)
        request.key = record
        request.number = number
        arrival = _read(cold, machine, request)
    atomics.store(arrivals, number, arrival)


@native("int64(int64, int64)")
def fetch(cold_address, machine_address):
    """Have the machine's pending location in memory: see `evm.layout.COLD`."""
    cold, machine = COLD.at(cold_address), open_machine(machine_address)
    key = machine.pending_location
    kind = (key[2] >> KIND_SHIFT) & KIND_MASK
    if cold.shards > 1 and owner_of(key, cold.shards) != cold.shard:
        return I(0)
    location = I(intern_location(cold.state, key))
    if location < 0:
        # The driver comes to the same end.
        return I(0)
    row = location_row(STATE.at(cold.state), location)
    if atomics.load(row, "arrival") != _HERE:
        if kind == _STORAGE or kind == _GENERATION:
            _fetch_slot(cold, machine, row)
        else:
            _fetch_account(cold, machine, row)
    if kind == _CODE:
        _fetch_code(cold, machine, row.value)
    return I(0)


@kernel()
def _keep(cold, kept, count):
    """Mark accounts of which a word is kept by the row that stands for all of them; how many locations there are."""
    state = STATE.at(cold.state)
    for i in range(count):
        key = location_row(state, i).key
        kind = (key[2] >> KIND_SHIFT) & KIND_MASK
        if kept[i] and kind != _STORAGE and kind != _GENERATION:
            own = account_key((key[0], key[1], key[2] & U(0xFFFFFFFF)), layout.KIND_NONCE)
            leading = I(intern_location(cold.state, own))
            if leading >= 0:
                kept[leading] = True


@kernel()
def _is_kept(cold, kept, key, number):
    kind = (key[2] >> KIND_SHIFT) & KIND_MASK
    if kind == _STORAGE or kind == _GENERATION:
        return kept[number]
    own = account_key((key[0], key[1], key[2] & U(0xFFFFFFFF)), layout.KIND_NONCE)
    leading = I(find_location(cold.state, own))
    return kept[leading] if leading >= 0 else kept[number]


@kernel()
def mark_kept(cold_address, kept, count):
    """See `_keep`."""
    _keep(COLD.at(cold_address), kept, count)


@kernel()
def make_absent(cold_address, kept, count):
    """Take out of memory what is not in the cache: the words of `count` locations, and what may be interned later.

    Parameters
    ----------
    kept : ndarray of bool, shape (capacity,), or of none
        Locations that stay whatever the cache holds, all of an account or none.
    """
    cold = COLD.at(cold_address)
    state = STATE.at(cold.state)
    for i in range(state.capacity):
        row = location_row(state, i)
        row.arrival = _ABSENT
        if i < count:
            if not is_absent(cold, row.key) or (kept.size > 0 and _is_kept(cold, kept, row.key, i)):
                row.arrival = _HERE
            else:
                row.value = POISON
