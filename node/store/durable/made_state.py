"""Made state: records around those of a workload, as many as a chain has, so that a store is as deep as a node's.

Addresses are spread evenly, as hashes are. Most records are slots, and most slots are those of few contracts: the
contracts' shares of them are drawn from a Pareto distribution. Everything is made in the order of keys, a range of
addresses at a time, so that it is appended to the trees and never held in memory as a whole. What a range holds depends
on the seed, its place and how many there are.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contend.evm.crypto.keccak import keccak256
from contend.node.store.base import ADDRESS_BYTES, WORD_BYTES, StoreError
from contend.node.store.durable.changed_records import ACCOUNTS, CODES, SLOTS
from contend.node.store.durable.head import Head
from contend.node.store.durable.mdbx_store import MdbxStore
from contend.node.store.file_systems import check_place

RECORDS_AT_ONCE = 50_000
MOST_RECORDS = 10**9
_ACCOUNT_SHARE = 0.3
_CONTRACT_SHARE = 1 / 16  # of the accounts
_PARETO = 1.1  # of the numbers of slots; smaller is more unequal
_CODE_COUNT, _CODE_BYTES = 64, (400, 24_000)
_LARGEST_BALANCE, _LARGEST_NONCE = 10**18, 1000
# On the disk, with the pages' own share.
_BYTES_PER_RECORD = 110
_FORMAT = 1
Bytes = npt.NDArray[np.uint8]


class Piece(NamedTuple):
    """Records of a range of addresses, in the order of their keys."""

    accounts: list[tuple[bytes, bytes]]
    slots: list[tuple[bytes, bytes]]


def made_codes(seed: int) -> list[tuple[bytes, bytes]]:
    """Codes that contracts of a made state have, by hash: bytes that nobody executes."""
    draw = np.random.default_rng((seed, _FORMAT))
    codes = [draw.bytes(int(size)) for size in draw.integers(*_CODE_BYTES, _CODE_COUNT)]
    return sorted((keccak256(code), code) for code in codes)


def piece_count(records: int) -> int:
    """How many ranges of addresses that many records are made in."""
    return -(-records // RECORDS_AT_ONCE)


def made_piece(records: int, seed: int, place: int, code_hashes: list[bytes]) -> Piece:
    """Records of one range of addresses.

    Parameters
    ----------
    records : int
        Of all ranges.
    seed : int
    place : int
        Of the range, below `piece_count`.
    code_hashes : list of bytes
        Of `made_codes`.
    """
    pieces = piece_count(records)
    own = records * (place + 1) // pieces - records * place // pieces
    draw = np.random.default_rng((seed, _FORMAT, pieces, place))
    # Where there are slots there is an account that has them.
    account_count = max(1, int(own * _ACCOUNT_SHARE))
    low, high = (place << 64) // pieces, ((place + 1) << 64) // pieces - 1
    heads = np.sort(draw.integers(low, high, account_count, dtype=np.uint64, endpoint=True))
    tails = draw.integers(0, 256, (account_count, ADDRESS_BYTES - 8), dtype=np.uint8)
    # Of two with the same beginning the ends would have to be in order, too; they are drawn apart.
    heads = _apart(heads, low)
    addresses = np.concatenate((_big_endian(heads), tails), axis=1)
    contracts = np.flatnonzero(draw.random(account_count) < _CONTRACT_SHARE)
    if not len(contracts):
        contracts = np.array([account_count // 2])
    codes = np.zeros((account_count, WORD_BYTES), np.uint8)
    hashes = np.frombuffer(b"".join(code_hashes), np.uint8).reshape(-1, WORD_BYTES)
    codes[contracts] = hashes[draw.integers(0, len(hashes), len(contracts))]
    nonces = _big_endian(draw.integers(1, _LARGEST_NONCE, account_count, dtype=np.uint64))
    balances = np.zeros((account_count, WORD_BYTES), np.uint8)
    balances[:, -8:] = _big_endian(draw.integers(0, _LARGEST_BALANCE, account_count, dtype=np.uint64))
    accounts = _rows(addresses, np.concatenate((nonces, balances, codes), axis=1))
    return Piece(accounts, _made_slots(draw, addresses[contracts], own - account_count))


def _made_slots(draw: np.random.Generator, contracts: Bytes, count: int) -> list[tuple[bytes, bytes]]:
    weights = draw.pareto(_PARETO, len(contracts)) + 1
    owners = np.repeat(np.arange(len(contracts)), draw.multinomial(count, weights / weights.sum()))
    heads = draw.integers(0, 1 << 64, count, dtype=np.uint64)
    order = np.lexsort((heads, owners))
    tails = draw.integers(0, 256, (count, WORD_BYTES - 8), dtype=np.uint8)
    # Two of a contract with the same beginning are as likely as two of 2^64; appending would tell.
    keys = np.concatenate((contracts[owners[order]], _big_endian(heads[order]), tails), axis=1)
    words = np.zeros((count, WORD_BYTES), np.uint8)
    words[:, -8:] = _big_endian(draw.integers(1, _LARGEST_BALANCE, count, dtype=np.uint64))
    return _rows(keys, words)


def _apart(heads: npt.NDArray[np.uint64], low: int) -> npt.NDArray[np.uint64]:
    """The same ascending numbers with those that repeat another replaced by unused ones from the low end."""
    found = np.unique(heads)
    spare = np.uint64(low)
    while len(found) < len(heads):
        found = np.unique(np.append(found, spare))
        spare += np.uint64(1)
    return found


def _big_endian(numbers: npt.NDArray[np.uint64]) -> Bytes:
    return numbers.astype(">u8").view(np.uint8).reshape(len(numbers), 8)


def _rows(keys: Bytes, values: Bytes) -> list[tuple[bytes, bytes]]:
    key_data, value_data = keys.tobytes(), values.tobytes()
    k, v = keys.shape[1], values.shape[1]
    return [(key_data[i * k : i * k + k], value_data[i * v : i * v + v]) for i in range(len(keys))]


def make_state(path: Path, records: int, seed: int) -> Generator[Head]:
    """Make a store with that many accounts and slots, at block 0.

    It lies beside under another name until it is whole.

    Parameters
    ----------
    path : Path
    records : int
        From 1 to `MOST_RECORDS`.
    seed : int

    Yields
    ------
    Head
        After each of `piece_count` pieces; the last one is the store's.

    Raises
    ------
    StoreError
        If there is something of that name, the place will not do, or the disk is full.
    """
    if path.exists() or path.is_symlink():
        raise StoreError(f"{path}: is there already; name another path, or delete it")
    check_place(path)
    part = path.with_name(path.name + ".part")
    with suppress(StoreError):
        # What was left when an earlier one was killed; one that is at work is in use, and left alone.
        MdbxStore(part).close()
        shutil.rmtree(part)
    digest = hashlib.blake2b(f"{_FORMAT} {records} {seed}".encode(), digest_size=16).digest()
    head = Head(made_of=digest)
    MdbxStore.make(part, head)
    try:
        _check_room(path, records)
        codes = made_codes(seed)
        with MdbxStore(part, syncs=False) as store:
            head = replace(head, codes=len(codes))
            store.append({CODES: codes}, head)
            hashes = [code_hash for code_hash, _ in codes]
            for place in range(piece_count(records)):
                accounts, slots = made_piece(records, seed, place, hashes)
                head = replace(head, accounts=head.accounts + len(accounts), slots=head.slots + len(slots))
                store.append({ACCOUNTS: accounts, SLOTS: slots}, head)
                yield head
            store.sync()
        part.rename(path)
    finally:
        if part.exists():
            shutil.rmtree(part)


def _check_room(path: Path, records: int) -> None:
    needed, free = records * _BYTES_PER_RECORD, shutil.disk_usage(path.absolute().parent).free
    if needed > free:
        raise StoreError(
            f"{path}: {records:,} records take some {needed / 1e9:.1f} GB, and the disk has {free / 1e9:.1f} GB free"
        )
