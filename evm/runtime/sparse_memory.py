"""Large rooms of memory of which little is used: the operating system backs only the pages that are touched.

numpy asks for huge pages in large arrays, so that the first byte touched costs two megabytes. For a few machines that
is nothing; for the thousand machines of as many simulated workers it is more than there is.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt


def sparse_zeros(count: int, dtype: npt.DTypeLike = np.uint64) -> npt.NDArray[Any]:
    """Zeros in a mapping of their own, in small pages.

    Parameters
    ----------
    count : int
        Elements, at least one.
    dtype : dtype-like

    Returns
    -------
    ndarray, shape (count,)
        It keeps the mapping alive.
    """
    size = max(count, 1) * np.dtype(dtype).itemsize
    room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        room.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(room, dtype)
