"""The two integer types of kernels: every constant is wrapped in one of them."""

from __future__ import annotations

import numpy as np

U = np.uint64
I = np.int64  # noqa: E741  # stands for int64 as U stands for uint64, in every kernel module

U0, U1 = U(0), U(1)
