"""Ring reads: a worker keeps many reads under way by an io_uring, through raw system calls and shared words.

io_uring (Axboe, "Efficient IO with io_uring", 2019): the submission queue and the completion queue lie in memory that
the kernel sees. A worker fills entries, moves the tail, and enters the kernel once for all that is new and to wait for
one completion; then it takes all that have come. Tails and heads are words of 32 bits; each of them is written by one
side. Fences keep an entry before the tail that shows it, and a completion behind the tail that has shown it; between
them lies a system call as a rule.
"""

from __future__ import annotations

from contend.evm.layout import HERE
from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import call_7, view_u32, view_u64
from contend.evm.runtime.structs import WORD_BYTES
from contend.node.store.ahead.asking import ask_at
from contend.node.store.ahead.claims import NOBODY, next_claim, settle_claim
from contend.node.store.ahead.layout import AHEAD, RING, RING_READ
from contend.node.store.layout import CODE, CODE_PLACE, COLD, PAGE_BYTES, PAGE_FILE, REQUEST
from contend.node.store.page_reads import (
    CODE_PAGES,
    PAGE_WORDS,
    bucket_of,
    check_of,
    clear_request,
    is_whole,
    take_from_page,
)
from contend.strategies.clocks import FINISHED, WORKED

ENTER, GET_EVENTS, READ = 426, 1, 22  # the system call, its flag, and the operation
ENTRY_WORDS, COMPLETION_WORDS = 8, 2
_HERE, _LOW, _HALF = U(HERE), U(0xFFFFFFFF), U(32)
GAVE_UP = 64  # calls in a row that end without anything


@kernel(inline=True)
def read_at(ring, number):
    """One of the reads that can be under way."""
    return RING_READ.item(ring.reads, ring.depth, number)


@kernel()
def queue_read(ring, file, number):
    """Put the read of a place into the submission queue."""
    read = read_at(ring, number)
    mask = I(view_u32(ring.sq_mask, 1)[0])
    tails = view_u32(ring.sq_tail, 1)
    tail = I(tails[0])
    place = tail & mask
    entry = view_u64(ring.sq_entries + place * ENTRY_WORDS * WORD_BYTES, ENTRY_WORDS)
    entry[0] = U(READ) | (U(file.descriptor) << _HALF)
    entry[1] = U(read.page * PAGE_BYTES)
    entry[2] = U(read.buffer)
    entry[3] = U(read.pages * PAGE_BYTES)
    entry[4] = U(number)
    entry[5] = U0
    entry[6] = U0
    entry[7] = U0
    view_u32(ring.sq_array, mask + 1)[place] = place
    atomics.release_fence()
    tails[0] = (tail + 1) & I(_LOW)
    read.device_reads += 1
    ring.queued += 1


@kernel()
def _begin(ahead, ring, file):
    """Begin the next read that was asked for. False when there is none left."""
    number = next_claim(ahead)
    if number == NOBODY:
        return False
    place = ring.free - 1
    read, ask = read_at(ring, place), ask_at(ahead, number)
    ring.free = read.next
    ring.under_way += 1
    read.ask, read.device_reads, read.left, read.check = number, I(0), I(0), U0
    if ask.kind == CODE:
        code = CODE_PLACE.item(file.places, file.place_count, ask.number)
        pages = I((code.size + U(PAGE_BYTES - 1)) // U(PAGE_BYTES))
        read.page, read.pages = I(code.page), min(pages, I(CODE_PAGES))
        read.left = pages - read.pages
    else:
        read.page, read.pages = file.first + bucket_of(file.salt, file.buckets, ask.key), I(1)
    queue_read(ring, file, place)
    return True


@kernel()
def _end(ahead, ring, place, request, is_right):
    """Settle a read that has come to its end, and give its place back."""
    cold, read = COLD.at(ahead.cold), read_at(ring, place)
    if not is_right:
        atomics.add(cold, "faults", U1)
    request.device_reads = read.device_reads
    settle_claim(cold, ask_at(ahead, read.ask), request, _HERE)
    read.device_reads = I(0)
    read.next = ring.free
    ring.free = place + 1
    ring.under_way -= 1


@kernel()
def _take(ahead, ring, file, place, result):
    """Take what a read has brought: settle it, or read what it leads to."""
    read = read_at(ring, place)
    ask, request = ask_at(ahead, read.ask), REQUEST.on_stack()
    clear_request(request)
    if result != read.pages * PAGE_BYTES:
        _end(ahead, ring, place, request, False)
    elif ask.kind == CODE:
        read.check += check_of(read.buffer, 0, read.pages * PAGE_WORDS)
        if read.left > 0:
            read.page += read.pages
            read.pages = min(read.left, I(CODE_PAGES))
            read.left -= read.pages
            queue_read(ring, file, place)
        else:
            expected = CODE_PLACE.item(file.places, file.place_count, ask.number).check
            _end(ahead, ring, place, request, read.check == expected)
    elif not is_whole(read.buffer):
        _end(ahead, ring, place, request, False)
    else:
        request.key = ask.key
        if take_from_page(read.buffer, request):
            _end(ahead, ring, place, request, True)
        else:
            read.page = file.first + (read.page - file.first + 1) % file.buckets
            queue_read(ring, file, place)


@kernel()
def enter(ring):
    """Hand over what is queued, and wait for one completion. False if the system does neither."""
    for _ in range(GAVE_UP):
        given = call_7(ring.syscall, I(ENTER), ring.descriptor, ring.queued, I(1), I(GET_EVENTS), I(0), I(0))
        if given >= 0:
            ring.queued -= given
            return True
    return False


@kernel()
def _take_all(ahead, ring, file):
    """Take all completions that are there."""
    heads, mask = view_u32(ring.cq_head, 1), I(view_u32(ring.cq_mask, 1)[0])
    head, tail = I(heads[0]), I(view_u32(ring.cq_tail, 1)[0])
    atomics.acquire_fence()
    while head != tail:
        completion = view_u64(ring.cq_entries + (head & mask) * COMPLETION_WORDS * WORD_BYTES, COMPLETION_WORDS)
        _take(ahead, ring, file, I(completion[0]), I(completion[1] & _LOW))
        head = (head + 1) & I(_LOW)
    atomics.release_fence()
    heads[0] = head


@kernel()
def _give_up(ahead, ring):
    """Settle what is under way as failed, where the system takes no calls: nobody may wait for it."""
    for place in range(ring.depth):
        read = read_at(ring, place)
        if read.device_reads > 0:
            request = REQUEST.on_stack()
            clear_request(request)
            _end(ahead, ring, place, request, False)


@native("int64(int64, int64)")
def ring_step(ahead_address, ring_address):
    """Have as many reads under way as the ring takes, wait for one, and take all that are there."""
    ahead, ring = AHEAD.at(ahead_address), RING.at(ring_address)
    file = PAGE_FILE.at(COLD.at(ahead.cold).source)
    while ring.free > 0 and _begin(ahead, ring, file):
        pass
    if ring.under_way == 0:
        return I(FINISHED)
    if not enter(ring):
        _give_up(ahead, ring)
        return I(FINISHED)
    _take_all(ahead, ring, file)
    return I(WORKED)
