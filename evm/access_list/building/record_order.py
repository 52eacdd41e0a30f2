"""Order of the log's records in the list: a sample sort (Frazer and McKellar, "Samplesort", JACM 1970), part by part.

Splitters from an evenly drawn sample divide the records into buckets. Chunks of rows count how many of theirs go to
each bucket; from the counts every chunk knows where in a bucket its records go; and buckets are sorted by merging
(stably). So records of one location stay in the order of their block access indices throughout, and lie in one bucket.
"""

from __future__ import annotations

from contend.evm.access_list.building.access_log import LOG_ROW, LOGGED
from contend.evm.access_list.building.layout import ROWS_PER_CHUNK
from contend.evm.layout import KIND_SHIFT
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import I, U
from contend.evm.runtime.jit import kernel, macro
from contend.evm.runtime.memory_views import view_i64
from contend.evm.u256 import LOW_32

_KIND_SHIFT = U(KIND_SHIFT)
_RECORD_BYTES = LOGGED.words * 8
_RUN = 12  # records that are sorted by insertion
SAMPLE_PER_BUCKET = 8


@macro
def order_of(build):
    """View of the records' addresses in order."""
    return view_i64(build.order, build.total)


@kernel(inline=True)
def same_account(left, right):
    """Whether two keys are of one account."""
    difference = (left[0] ^ right[0]) | (left[1] ^ right[1]) | ((left[2] ^ right[2]) & LOW_32)
    return difference == U(0)


@kernel()
def comes_before(left, right):
    """Whether the record at one address comes before that at another: by address, kind, slot."""
    a, b = LOGGED.at(left).key, LOGGED.at(right).key
    x, y = a[2] & LOW_32, b[2] & LOW_32
    if x != y:
        return x < y
    if a[1] != b[1]:
        return a[1] < b[1]
    if a[0] != b[0]:
        return a[0] < b[0]
    if a[2] != b[2]:
        return a[2] >> _KIND_SHIFT < b[2] >> _KIND_SHIFT
    if a[6] != b[6]:
        return a[6] < b[6]
    if a[5] != b[5]:
        return a[5] < b[5]
    if a[4] != b[4]:
        return a[4] < b[4]
    return a[3] < b[3]


@kernel()
def _merge(source, target, first, middle, last):
    left, right = first, middle
    for to in range(first, last):
        if right >= last or (left < middle and not comes_before(source[U(right)], source[U(left)])):
            target[U(to)] = source[U(left)]
            left += 1
        else:
            target[U(to)] = source[U(right)]
            right += 1


@kernel()
def sort_records(order, spare, first, last):
    """Sort addresses of records from `first` to `last` of an int64 array, stably; as many of `spare` are written over.

    Returns the passes over them.
    """
    for start in range(first, last, _RUN):
        for i in range(start + 1, min(start + _RUN, last)):
            record, j = order[U(i)], i
            while j > start and comes_before(record, order[U(j - 1)]):
                order[U(j)] = order[U(j - 1)]
                j -= 1
            order[U(j)] = record
    width, passes, source, target = _RUN, 1, order, spare
    while width < last - first:
        for start in range(first, last, 2 * width):
            _merge(source, target, start, min(start + width, last), min(start + 2 * width, last))
        source, target = target, source
        width *= 2
        passes += 1
    if passes & 1 == 0:
        for i in range(first, last):
            order[U(i)] = spare[U(i)]
    return passes


@kernel()
def _record_at(build, number):
    """Address of the record with a number in the order of the log."""
    if number == build.total - 1 and build.extra != 0:
        return build.extra
    starts = view_i64(build.starts, build.size + 1)
    low, high = I(0), build.size
    while high - low > 1:
        middle = (low + high) >> 1
        if starts[U(middle)] <= number:
            low = middle
        else:
            high = middle
    # Rows without records begin where the next one does: the last of those is the one.
    return LOG_ROW.item(build.rows, build.size, low).records + (number - starts[U(low)]) * _RECORD_BYTES


@kernel()
def count_rows(build):
    """Fill `starts` and `total`."""
    starts = view_i64(build.starts, build.size + 1)
    total = I(0)
    for i in range(build.size):
        starts[U(i)] = total
        total += LOG_ROW.item(build.rows, build.size, i).count
    starts[U(build.size)] = total
    build.total = total + I(build.extra != 0)
    return build.total


@kernel()
def choose_splitters(build):
    """Draw the sample and take the splitters from it; `order` and `spare` have room for it. Returns the sample's size.

    With no more records than a sample would have there is one bucket.
    """
    buckets = build.bucket_count
    size = buckets * SAMPLE_PER_BUCKET
    if buckets < 2 or build.total <= size:
        build.bucket_count = I(1)
        return I(0)
    sample, splitters = view_i64(build.order, build.total), view_i64(build.splitters, buckets)
    for i in range(size):
        sample[U(i)] = _record_at(build, i * build.total // size)
    sort_records(sample, view_i64(build.spare, build.total), I(0), size)
    for i in range(1, buckets):
        splitters[U(i - 1)] = sample[U(i * SAMPLE_PER_BUCKET)]
    return size


@kernel()
def _bucket_for(build, record):
    splitters = view_i64(build.splitters, build.bucket_count)
    low, high = I(0), build.bucket_count - 1
    while low < high:
        middle = (low + high) >> 1
        if comes_before(record, splitters[U(middle)]):
            high = middle
        else:
            low = middle + 1
    return low


@kernel()
def _rows_of(build, chunk):
    first = chunk * ROWS_PER_CHUNK
    return first, min(first + ROWS_PER_CHUNK, build.size)


@kernel()
def count_chunk(build, chunk):
    """Count the records of a chunk of rows by bucket; how many they are."""
    starts, bucket_of = view_i64(build.starts, build.size + 1), view_i64(build.bucket_of, build.total)
    places = view_i64(build.places, build.bucket_count * build.chunk_count)
    first, last = _rows_of(build, chunk)
    for bucket in range(build.bucket_count):
        places[U(bucket * build.chunk_count + chunk)] = 0
    for i in range(first, last):
        row = LOG_ROW.item(build.rows, build.size, i)
        for j in range(row.count):
            bucket = _bucket_for(build, row.records + j * _RECORD_BYTES)
            bucket_of[U(starts[U(i)] + j)] = bucket
            places[U(bucket * build.chunk_count + chunk)] += 1
    if last == build.size and build.extra != 0:
        bucket = _bucket_for(build, build.extra)
        bucket_of[U(build.total - 1)] = bucket
        places[U(bucket * build.chunk_count + chunk)] += 1
    return starts[U(last)] - starts[U(first)]


@kernel()
def place_buckets(build):
    """Turn counts into places, and say where buckets begin."""
    places = view_i64(build.places, build.bucket_count * build.chunk_count)
    bucket_starts = view_i64(build.bucket_starts, build.bucket_count + 1)
    at = I(0)
    for bucket in range(build.bucket_count):
        bucket_starts[U(bucket)] = at
        for chunk in range(build.chunk_count):
            place = U(bucket * build.chunk_count + chunk)
            count = places[place]
            places[place] = at
            at += count
    check(at == build.total)
    bucket_starts[U(build.bucket_count)] = at


@kernel()
def _place(build, chunk, number, record):
    places = view_i64(build.places, build.bucket_count * build.chunk_count)
    bucket = view_i64(build.bucket_of, build.total)[U(number)]
    place = U(bucket * build.chunk_count + chunk)
    order_of(build)[U(places[place])] = record
    places[place] += 1


@kernel()
def place_chunk(build, chunk):
    """Put the records of a chunk of rows into their buckets; how many they are."""
    starts = view_i64(build.starts, build.size + 1)
    first, last = _rows_of(build, chunk)
    for i in range(first, last):
        row = LOG_ROW.item(build.rows, build.size, i)
        for j in range(row.count):
            _place(build, chunk, starts[U(i)] + j, row.records + j * _RECORD_BYTES)
    if last == build.size and build.extra != 0:
        _place(build, chunk, build.total - 1, build.extra)
    return starts[U(last)] - starts[U(first)]


@kernel()
def sort_bucket(build, bucket):
    """Sort a bucket; the passes over its records."""
    starts = view_i64(build.bucket_starts, build.bucket_count + 1)
    first, last = starts[U(bucket)], starts[U(bucket + 1)]
    return sort_records(order_of(build), view_i64(build.spare, build.total), first, last)
