"""Counters as older versions of Contend named them, in the names and with the meaning that they have now.

Before there were names for all that becomes of an execution (`strategies.accounting`), Block-STM counted
`dependency_waits`, sharded execution `lock_waits`, and a planned strategy `repaired`, which was every execution beyond
the first: its aborts once more, and its restarts. Which of those aborts were the plan's is not to be found out. So
such counts lack both `aborts` and `repairs`, unless there were none; what they add up to stays known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from contend.harness.record.content.execution_counts import ABORTS, REPAIRS, WAIT_RESTARTS, WAITS

N = TypeVar("N", int | float, float)

_RENAMED = {"dependency_waits": WAIT_RESTARTS, "lock_waits": WAITS}
_REPAIRED = "repaired"


def with_present_names(counters: Mapping[str, N]) -> dict[str, N]:
    """Counters under the names of this version; those of this version as they are."""
    found = {_RENAMED.get(name, name): value for name, value in counters.items()}
    if "dependency_waits" in counters and _REPAIRED in counters:
        del found[_REPAIRED]
        if found.get(ABORTS):
            del found[ABORTS]
        else:
            found[REPAIRS] = found.get(ABORTS, 0)
    return found
