"""Fixed pieces of work, timed: what one core does again and again, and what all do at once.

The work is PBKDF2 over SHA-256, as OpenSSL computes it: a loop over registers and the first-level cache that touches
no memory, makes no system call and holds no GIL. So it takes as long as the core takes, and whatever else its times
show was done to it.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]

PIECE_SECONDS = 0.5e-3
LONG_SECONDS = 60e-3
MICROBENCH_SECONDS = 1.2
ROUNDS = 4


@dataclass(frozen=True)
class MicrobenchResult:
    """Times of the pieces of work.

    Attributes
    ----------
    pieces : ndarray of float64
        Seconds that each of equal small pieces took, one core at work.
    alone, together : ndarray of float64
        Seconds of equal long pieces: one core at work, and `cores` at once.
    cores : int
    """

    pieces: Seconds
    alone: Seconds
    together: Seconds
    cores: int

    def percentile(self, percent: float) -> float:
        """Of the pieces, seconds."""
        return float(np.percentile(self.pieces, percent))

    @property
    def drift(self) -> float:
        """By how much the median of the last third of the pieces differs from that of the first, as a share."""
        third = max(len(self.pieces) // 3, 1)
        first, last = np.median(self.pieces[:third]), np.median(self.pieces[-third:])
        return float(abs(last / first - 1))

    @property
    def slowdown(self) -> float:
        """Time of a piece when all cores are at work, divided by its time on one core."""
        return float(np.median(self.together) / np.median(self.alone))


def _work(iterations: int) -> float:
    began = perf_counter()
    hashlib.pbkdf2_hmac("sha256", b"contend", b"doctor", iterations)
    return perf_counter() - began


def measure(cores: int, seconds: float = MICROBENCH_SECONDS) -> MicrobenchResult:
    """Work for about `seconds` on one core, then for half a second more in turns of one and of `cores` threads."""
    probe = 2_000
    _work(probe)
    each = min(_work(probe) for _ in range(8)) / probe
    small, long = max(int(PIECE_SECONDS / each), 1), max(int(LONG_SECONDS / each), 1)
    pieces, end = [], perf_counter() + seconds
    while perf_counter() < end:
        pieces.append(_work(small))
    alone, together = [], []
    for _ in range(ROUNDS):
        alone.append(_work(long))
        together.append(max(_at_once(long, cores)))
    return MicrobenchResult(np.array(pieces), np.array(alone), np.array(together), cores)


def _at_once(iterations: int, cores: int) -> list[float]:
    took = [0.0] * cores
    ready = threading.Barrier(cores)

    def work(number: int) -> None:
        ready.wait()
        took[number] = _work(iterations)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(cores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took
