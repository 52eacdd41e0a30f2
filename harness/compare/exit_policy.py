"""Exit policy: what a comparison may fail for, and its exit codes; without numpy, for the command line's start."""

from __future__ import annotations

EXIT_OK, EXIT_REGRESSION, EXIT_BAD_INPUT, EXIT_NOTHING = range(4)

SLOWER, WASTE, INCONCLUSIVE, NEVER = "slower", "waste", "inconclusive", "never"
FAIL_ON = (SLOWER, WASTE, INCONCLUSIVE, NEVER)
"""For what a comparison may fail: a cell that is slower or broken; one that wastes more work in simulated time, even
where that costs no time; one that cannot be told; nothing."""
