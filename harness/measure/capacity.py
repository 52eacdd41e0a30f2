"""Capacity: how many processes that simulate cells this machine has cores and memory for.

What a process takes was measured under the virtual clock: 165 MB with blocks of 200 transactions and one worker, 490 MB
with 1,024 workers (0.3 MB each), 730 MB with 1,024 workers and blocks of 10,000 transactions. The figures below leave
room beyond that, since a strategy makes its room twice as large where a block does not fit.
"""

from __future__ import annotations

from math import ceil

from contend.harness.doctor.cgroup import quota_cores
from contend.harness.doctor.files import Files
from contend.harness.doctor.memory import available_bytes
from contend.harness.record.environment import usable_cores

_PROCESS_BYTES = 256 << 20
_WORKER_BYTES = 512 << 10
_TRANSACTION_BYTES = 32 << 10
_SHARE = 0.5
"""Of what is available."""


def most_processes(workers: int, transactions: int, files: Files | None = None) -> int:
    """Largest number of processes that may simulate cells at once.

    Parameters
    ----------
    workers : int
        Most simulated workers of a cell.
    transactions : int
        Of a block.
    files : Files, optional
        Where Linux tells about itself; this system's by default.

    Returns
    -------
    int
        At least 1; as many as there are cores, where the system tells neither of a quota nor of memory.
    """
    files = files or Files()
    cores = len(usable_cores())
    quota = quota_cores(files)
    if quota is not None:
        cores = min(cores, ceil(quota))
    available = available_bytes(files)
    if available is None:
        return max(1, cores)
    each = _PROCESS_BYTES + workers * _WORKER_BYTES + transactions * _TRANSACTION_BYTES
    return max(1, min(cores, int(_SHARE * available) // each))
