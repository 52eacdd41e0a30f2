"""What a step returns when it has done no work; moved, removed when branches join (`strategies.clocks`)."""

from __future__ import annotations

IDLE, FINISHED, FAILED = 0, -1, -2
# What the parts of a step return instead of a cost, which they add to the worker's.
WORKED = 1
