"""Reads from a file of pages: a record by its key, one page a read as a rule.

Each record lies in the page that its hash names, or behind it where that page was full (a hash file with buckets and
linear probing: Knuth, The Art of Computer Programming, vol. 3, section 6.4; Larson, "Dynamic hash tables", CACM 1988).
Pages are filled to three fifths, so that one look-up in some hundreds takes a second read. There is no index in memory,
and none to be read before.

The C library's ``pread`` is called by its address, which is handed over in memory: numba would bake one that it sees
into what it keeps. Pages are read into the worker's own stack, aligned as devices want it.
"""

from __future__ import annotations

from contend.evm.runtime.integers import U0, I, U
from contend.evm.runtime.jit import kernel, native
from contend.evm.runtime.memory_views import address_of_view, call_4, stack_buffer, view_u64
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import same_key
from contend.evm.u256 import ZERO
from contend.node.store.layout import (
    CODE,
    CODE_PLACE,
    PAGE,
    PAGE_BYTES,
    PAGE_FILE,
    PAGE_RECORD,
    RECORDS_OF_PAGE,
    REQUEST,
)
from contend.node.store.record_hash import hash_record

PAGE_WORDS = PAGE_BYTES // WORD_BYTES
CODE_PAGES = 8  # of a code that are read at once: more than the largest one has on a chain
_ROOM = (CODE_PAGES + 1) * PAGE_WORDS
FAILED = -1
_HALF, _STEP = U(32), U(0x9FB21C651E98DF25)
_RECORDS_AT = PAGE.words * WORD_BYTES
ATTEMPTS = 3  # a signal may interrupt a read


@kernel(inline=True)
def _stirred(value, word):
    value = (value ^ word) * _STEP
    return value ^ (value >> _HALF)


@kernel()
def check_of(page_at, first, last):
    """Checksum of the words `first` to `last` (exclusive) behind an address.

    Of every fourth word by itself, so that the products do not wait for each other.
    """
    words = view_u64(page_at, last)
    a, b, c, d = U(last - first), _STEP, _STEP ^ _HALF, U0
    i = first
    while i + 4 <= last:
        a = _stirred(a, words[U(i)])
        b = _stirred(b, words[U(i + 1)])
        c = _stirred(c, words[U(i + 2)])
        d = _stirred(d, words[U(i + 3)])
        i += 4
    while i < last:
        a = _stirred(a, words[U(i)])
        i += 1
    return _stirred(_stirred(a, b), _stirred(c, d))


@kernel(inline=True)
def bucket_of(salt, buckets, key):
    """Bucket in which a record belongs."""
    return I(((hash_record(salt, key) >> _HALF) * U(buckets)) >> _HALF)


@kernel(inline=True)
def aligned(address):
    """The first address from there on at which a page may lie."""
    return (address + PAGE_BYTES - 1) // PAGE_BYTES * PAGE_BYTES


@kernel(inline=True)
def record_of_page(page_at, number):
    """One of a page's records."""
    return PAGE_RECORD.item(page_at + _RECORDS_AT, RECORDS_OF_PAGE, number)


@kernel()
def read_pages(file, target, page, count):
    """Read pages from a file to memory. False when the device, or the file, does not give them."""
    size, place = I(count * PAGE_BYTES), I(page * PAGE_BYTES)
    for _ in range(ATTEMPTS):
        given = call_4(file.pread, file.descriptor, target, size, place)
        if given == size:
            return True
    return False


@kernel()
def check_of_page(page_at):
    """Checksum of a page's records, and of how many there are."""
    return check_of(page_at, 1, PAGE.words + I(PAGE.at(page_at).count) * PAGE_RECORD.words)


@kernel()
def is_whole(page_at):
    """Whether the records of a page are as they were written."""
    page = PAGE.at(page_at)
    return page.count <= U(RECORDS_OF_PAGE) and page.check == check_of_page(page_at)


@kernel(inline=True)
def clear_request(request):
    """Have a request stand for a record that is nowhere."""
    request.nonce, request.balance, request.word = U0, ZERO, ZERO


@kernel()
def take_from_page(page_at, request):
    """Fill a request from the page if its record is there; whether it is, or can be nowhere behind."""
    page = PAGE.at(page_at)
    for i in range(I(page.count)):
        record = record_of_page(page_at, i)
        if same_key(record.key, request.key):
            request.nonce, request.balance, request.word = record.nonce, record.balance, record.word
            return True
    return page.overflows == U0


@kernel()
def _read_code(file, target, request):
    """Read all pages of a code. A negative result where that cannot be done."""
    if request.number >= file.place_count:
        return I(FAILED)
    place = CODE_PLACE.item(file.places, file.place_count, request.number)
    page, left, check = I(place.page), I((place.size + U(PAGE_BYTES - 1)) // U(PAGE_BYTES)), U0
    while left > 0:
        count = min(left, I(CODE_PAGES))
        request.device_reads += 1
        if not read_pages(file, target, page, count):
            return I(FAILED)
        check += check_of(target, 0, count * PAGE_WORDS)
        page += count
        left -= count
    return I(0) if check == place.check else I(FAILED)


@native("int64(int64, int64)")
def read_record(file_address, request_address):
    """Fill a request from a file of pages. A negative result if it cannot be read, or is damaged."""
    file, request = PAGE_FILE.at(file_address), REQUEST.at(request_address)
    target = aligned(address_of_view(stack_buffer(_ROOM)))
    if request.kind == CODE:
        return _read_code(file, target, request)
    clear_request(request)
    bucket = bucket_of(file.salt, file.buckets, request.key)
    for _ in range(file.buckets):
        request.device_reads += 1
        if not read_pages(file, target, file.first + bucket, 1) or not is_whole(target):
            return I(FAILED)
        if take_from_page(target, request):
            break
        bucket = (bucket + 1) % file.buckets
    return I(0)
