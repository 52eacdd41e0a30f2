"""Reads from any store through Python: kernels call by an address that `ctypes` makes, and the GIL is taken for it.

A store that has functions for kernels, such as a file of pages, needs none of this. What it costs is in the time.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from contend.evm.block import limbs
from contend.evm.state import location_of
from contend.node.store.base import HASH_BYTES, Store, account_of
from contend.node.store.layout import ACCOUNT, CODE, REQUEST

_CALL = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class PythonReads:
    """What kernels call to read from a store.

    Attributes
    ----------
    address : int
        Of ``int64 read(int64 source, int64 request)`` (`node.store.layout.COLD`).
    failure : BaseException or None
        What went wrong in the last read that failed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failure: BaseException | None = None
        self._entry = _CALL(self._read)
        found = ctypes.cast(self._entry, ctypes.c_void_p).value
        assert found is not None
        self.address = found

    def _read(self, _: int, address: int) -> int:
        try:
            fill(REQUEST.array_at(address)[0], self._store)
        # Nothing may pass through the native code that calls this, Ctrl-C included.
        except BaseException as error:
            self.failure = error
            return -1
        return 0


def fill(request: Any, store: Store) -> None:
    """Fill a request (`node.store.layout.REQUEST`) from a store.

    Raises
    ------
    StoreError
        If it cannot be read.
    """
    request["nonce"], request["balance"], request["word"] = 0, 0, 0
    kind, key = int(request["kind"]), request["key"]
    request["device_reads"] = 1
    if kind == CODE:
        store.get_many([key[3:].tobytes()[::-1]])
        return
    where = location_of(np.array([*key[:2], key[2] & np.uint64(0xFFFFFFFF), *key[3:]], np.uint64))
    is_account = kind == ACCOUNT
    (found,) = store.get_many([where.address if is_account else where.address + where.slot.to_bytes(HASH_BYTES, "big")])
    if found is None:
        return
    if is_account:
        account = account_of(found)
        request["nonce"], request["balance"] = account.nonce, limbs(account.balance)
        request["word"] = limbs(int.from_bytes(account.code_hash, "big"))
    else:
        request["word"] = limbs(int.from_bytes(found, "big"))
