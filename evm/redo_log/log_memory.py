"""Memory of a machine's redo log."""

from __future__ import annotations

from contend.evm.redo_log.log_layout import LOG_ENTRY, REDO_LOG
from contend.evm.runtime.sparse_memory import sparse_zeros
from contend.evm.vm.machine import Machine

ENTRIES = 1024
_BYTES_A_NUMBER = 32


class LogMemory:
    """The redo log of what a machine executes by `evm.redo_log.logged_run.resume_logged`.

    The array of numbers is large, and only the pages are backed whose words are touched.

    Parameters
    ----------
    machine : Machine
        Which it is attached to; it must outlive the machine's use.
    entries : int
        Room of the log: what a transaction has more of breaks it.
    """

    def __init__(self, machine: Machine, entries: int = ENTRIES) -> None:
        header = machine.header
        first, end = int(header["stack"]), int(header["output"]) + int(header["output_bytes"])
        self._numbers = sparse_zeros((end - first) // 8 + 64)
        self._entries = LOG_ENTRY.zeros(entries)
        self._log = REDO_LOG.zeros()
        row = self._log[0]
        row["entries"], row["room"], row["count"] = self._entries.ctypes.data, entries, 1
        row["numbers"] = self._numbers.ctypes.data + 32 - first // _BYTES_A_NUMBER * 4
        header["redo_log"] = self._log.ctypes.data

    @property
    def count(self) -> int:
        """Entries that the log of the transaction that ended last has."""
        return int(self._log[0]["count"]) - 1

    @property
    def is_broken(self) -> bool:
        """Whether that transaction did what the log does not know."""
        return bool(self._log[0]["broken"])
