"""File of pages: an immutable snapshot of a state, in a format of our own, of which kernels read a page at a time.

    page 0                     header, checked by itself: magic, version, counts, digests of state and of what follows
    buckets                    records (`node.store.page_reads`)
    directory of codes         of each code its hash, first page, size, checksum
    codes                      each from a page's beginning on

What a run writes stays in memory, so that nothing here is ever changed: a file is written once, to another name, synced
and renamed, and whoever finds it under its name finds it whole. Where it was damaged since, or is something else, is
found when it is opened: sizes and checksums are held against the header, and the state's digest against what is wanted.
Room for all of it is asked for before it is filled, so that a full disk is an error and no signal.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from contend.evm import State
from contend.evm.code.directory import EMPTY_HASH, CodeDirectory
from contend.evm.state import location_key
from contend.node.store.base import (
    ADDRESS_BYTES,
    HASH_BYTES,
    NO_CODE,
    Account,
    Opener,
    Store,
    StoreError,
    account_record,
)
from contend.node.store.layout import ACCOUNT, CODE_PLACE, PAGE_BYTES, PAGE_FILE, REQUEST, SLOT
from contend.node.store.page_filling import count_records, fill_pages
from contend.node.store.page_reads import PAGE_WORDS, check_of, read_record

MAGIC, VERSION = b"CONTENDP", 1
RECORDS_A_PAGE = 18  # on average: three fifths of those that fit
_SALT = 0x5851F42D4C957F2D
_CHUNK = 1 << 22
HEADER = np.dtype(
    [
        ("magic", "S8"),
        ("version", "<u8"),
        ("pages", "<u8"),
        ("buckets", "<u8"),
        ("salt", "<u8"),
        ("accounts", "<u8"),
        ("slots", "<u8"),
        ("codes", "<u8"),
        ("digest", "S32"),
        ("checksum", "<u8"),  # of all pages behind this one
        ("own", "<u8"),  # of what stands before it
    ]
)
# Of a code in the directory: hash, first page, size, checksum.
_CODE = np.dtype([("hash", "V32"), ("page", "<u8"), ("size", "<u8"), ("check", "<u8"), ("spare", "<u8")])
_CODES_OF_PAGE = PAGE_BYTES // _CODE.itemsize
_CALL = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


def write_page_file(path: Path, state: State, digest: str) -> None:
    """Write a snapshot of a state.

    Parameters
    ----------
    path : Path
        Of the file, which is replaced if it is there; its folder is made.
    state : State
    digest : str
        Of the state (`State.digest`).

    Raises
    ------
    StoreError
        If the disk is full, or the file cannot be written there.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "r+b") as file:
            _fill(file.fileno(), state, digest)
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise StoreError(
            f"state: {path} cannot be written: {error.strerror or error}; --state-path names another"
        ) from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def _codes_of(codes: CodeDirectory) -> dict[bytes, bytes]:
    """Codes by hash, each once."""
    found = {one.hash: bytes(one.code) for one in (codes[number] for number in range(len(codes)))}
    return {code_hash: code for code_hash, code in found.items() if code and code_hash not in (NO_CODE, EMPTY_HASH)}


def _pages_of(size: int) -> int:
    return -(-size // PAGE_BYTES)


def _fill(descriptor: int, state: State, digest: str) -> None:
    accounts, slots = (int(count) for count in count_records(state.address, state.count))
    codes = _codes_of(state.codes)
    buckets = max(1, -(-(accounts + slots) // RECORDS_A_PAGE))
    directory = -(-len(codes) // _CODES_OF_PAGE)
    pages = 1 + buckets + directory + sum(_pages_of(len(code)) for code in codes.values())
    os.posix_fallocate(descriptor, 0, pages * PAGE_BYTES)
    with os.fdopen(os.dup(descriptor), "r+b") as file:
        words = np.memmap(file, np.uint64, "r+", shape=(pages, PAGE_WORDS))
    at = int(words.ctypes.data)
    fill_pages(state.address, state.count, at + PAGE_BYTES, buckets, np.uint64(_SALT))
    rows = words[1 + buckets : 1 + buckets + directory].view(np.uint8).reshape(-1)
    places = rows[: len(codes) * _CODE.itemsize].view(_CODE)
    page = 1 + buckets + directory
    for place, (code_hash, code) in zip(places, codes.items(), strict=True):
        count = _pages_of(len(code))
        words[page : page + count].reshape(-1).view(np.uint8)[: len(code)] = np.frombuffer(code, np.uint8)
        place["hash"], place["page"], place["size"] = np.void(code_hash), page, len(code)
        place["check"] = _check_of_code(at + page * PAGE_BYTES, count)
        page += count
    header = np.zeros(1, HEADER)
    header["magic"], header["version"], header["pages"], header["buckets"] = MAGIC, VERSION, pages, buckets
    header["salt"], header["accounts"], header["slots"], header["codes"] = _SALT, accounts, slots, len(codes)
    header["digest"] = digest.encode()
    header["checksum"] = zlib.crc32(words[1:].data.cast("B"))
    header["own"] = _own_check(header)
    words[0].view(np.uint8)[: HEADER.itemsize] = header.view(np.uint8)
    words.flush()


def _check_of_code(at: int, pages: int) -> int:
    """Checksum of a code as kernels sum it up, by as many pages as they read at once."""
    from contend.node.store.page_reads import CODE_PAGES

    found = 0
    for first in range(0, pages, CODE_PAGES):
        found += int(check_of(at + first * PAGE_BYTES, 0, min(CODE_PAGES, pages - first) * PAGE_WORDS))
    return found & 0xFFFFFFFFFFFFFFFF


def _own_check(header: npt.NDArray[np.void]) -> int:
    return zlib.crc32(header.tobytes()[: HEADER.fields["own"][1]])  # type: ignore[index]  # it has fields


class PageFile(Store):
    """Records in a file of pages.

    Parameters
    ----------
    path : Path
    digest : str
        Of the state that it has to be a snapshot of.
    direct : bool
        Whether reads go past the system's cache, to the device.

    Raises
    ------
    StoreError
        If it is damaged, cut short, of another state or a newer version, or something else.
    """

    name: ClassVar[str] = "file"
    read = read_record

    def __init__(self, path: Path, digest: str, direct: bool = True) -> None:
        self.path, self.is_direct = path, direct
        self._descriptor = -1
        try:
            self._header, self._codes = _verified(path, digest)
            self._descriptor = opened(path, direct)
        except OSError as error:
            raise StoreError(f"state: {path} cannot be read: {error.strerror or error}") from None
        self._own = self.source(np.array([self._codes[one] for one in self._codes], CODE_PLACE.dtype))
        self._numbers = {code_hash: number for number, code_hash in enumerate(self._codes)}

    @property
    def facts(self) -> dict[str, Any]:
        """Records and size; see `Store.facts`."""
        header = self._header
        names = ("accounts", "slots", "codes")
        return {name: int(header[name]) for name in names} | {"bytes": int(header["pages"]) * PAGE_BYTES}

    @property
    def trouble(self) -> str:
        """See `Store.trouble`."""
        return f"{self.path} was damaged since it was opened, or its device gives nothing"

    @property
    def opener(self) -> Opener:
        """See `Store.opener`."""
        return PageFile, (self.path, self._header["digest"].decode(), self.is_direct)

    def source(self, places: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        """What `node.store.page_reads.read_record` takes, for codes at places that the caller numbers.

        Parameters
        ----------
        places : ndarray of `CODE_PLACE`, shape (n,)
            Kept alive by the caller, as is the file.
        """
        source: npt.NDArray[np.void] = PAGE_FILE.zeros()
        for field, value in {
            "descriptor": self._descriptor,
            "pread": ctypes.cast(ctypes.CDLL(None).pread, ctypes.c_void_p).value,
            "first": 1,
            "buckets": self._header["buckets"],
            "salt": self._header["salt"],
            "places": places.ctypes.data,
            "place_count": len(places),
        }.items():
            source[0][field] = value
        self._places = places
        return source

    def places_of(self, codes: CodeDirectory) -> npt.NDArray[np.void]:
        """Places of a directory's codes by their numbers, `CODE_PLACE`; of those that are not here size 0."""
        places: npt.NDArray[np.void] = CODE_PLACE.zeros(max(len(codes), 1))
        for number in range(len(codes)):
            found = self._codes.get(codes[number].hash)
            if found is not None:
                places[number] = found
        return places

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Records by key; see `Store.get_many`."""
        return [self._get(key) for key in keys]

    def _get(self, key: bytes) -> bytes | None:
        request: Any = REQUEST.zeros()
        row = request[0]
        if len(key) == HASH_BYTES:
            number = self._numbers.get(key)
            return None if number is None else self._code(number)
        address, slot = key[:ADDRESS_BYTES], int.from_bytes(key[ADDRESS_BYTES:], "big")
        row["kind"] = ACCOUNT if len(key) == ADDRESS_BYTES else SLOT
        row["key"] = location_key(address, ACCOUNT if len(key) == ADDRESS_BYTES else SLOT, slot)
        if _CALL(read_record.address)(int(self._own.ctypes.data), int(request.ctypes.data)) < 0:
            raise StoreError(f"state: {self.path} cannot be read, or was damaged since it was opened")
        word = row["word"].tobytes()[::-1]
        if row["kind"] == SLOT:
            return word if any(word) else None
        found = Account(int(row["nonce"]), int.from_bytes(row["balance"].tobytes(), "little"), word)
        return account_record(found) if found.nonce or found.balance or any(word) else None

    def _code(self, number: int) -> bytes:
        place = list(self._codes.values())[number]
        with self.path.open("rb") as file:
            file.seek(int(place["page"]) * PAGE_BYTES)
            return file.read(int(place["size"]))

    def drop_cache(self) -> None:
        """Ask the system to forget the file's pages; see `Store.drop_cache`."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        """Close the file; see `Store.close`."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()


def opened(path: Path, direct: bool) -> int:
    """Open a file for reading, past the system's cache or not; its descriptor."""
    if not direct:
        return os.open(path, os.O_RDONLY)
    if hasattr(os, "O_DIRECT"):
        return os.open(path, os.O_RDONLY | os.O_DIRECT)
    import fcntl

    descriptor = os.open(path, os.O_RDONLY)
    fcntl.fcntl(descriptor, fcntl.F_NOCACHE, 1)  # type: ignore[attr-defined]  # macOS, where O_DIRECT is not
    return descriptor


def _verified(path: Path, digest: str) -> tuple[Any, dict[bytes, Any]]:
    """Header and codes of a file that is whole and the one that is wanted."""
    advice = "delete it, and it is made again"
    with path.open("rb") as file:
        page = file.read(PAGE_BYTES)
        if page[: len(MAGIC)] != MAGIC:
            raise StoreError(f"state: {path} is no snapshot of a state; --state-path names another file")
        if len(page) < PAGE_BYTES:
            raise StoreError(f"state: {path} is cut short; {advice}")
        header: Any = np.frombuffer(page, HEADER, 1)
        row = header[0]
        if int(row["version"]) > VERSION:
            raise StoreError(f"state: {path} is of a newer version of Contend ({row['version']}); {advice}")
        if int(row["own"]) != _own_check(header):
            raise StoreError(f"state: {path} is damaged in its header; {advice}")
        if row["digest"].decode() != digest:
            raise StoreError(f"state: {path} is a snapshot of another state; --state-path names another file")
        size = os.fstat(file.fileno()).st_size
        if size != int(row["pages"]) * PAGE_BYTES:
            raise StoreError(f"state: {path} has {size:,} bytes of {int(row['pages']) * PAGE_BYTES:,}; {advice}")
        found = 0
        while chunk := file.read(_CHUNK):
            found = zlib.crc32(chunk, found)
        if found != int(row["checksum"]):
            raise StoreError(f"state: {path} is damaged; {advice}")
        file.seek((1 + int(row["buckets"])) * PAGE_BYTES)
        count = int(row["codes"])
        rows = np.frombuffer(file.read(count * _CODE.itemsize), _CODE)
    codes: dict[bytes, Any] = {}
    for one in rows:
        place = CODE_PLACE.zeros()[0]
        place["page"], place["size"], place["check"] = one["page"], one["size"], one["check"]
        codes[bytes(one["hash"])] = place
    return row, codes
