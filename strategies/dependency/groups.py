"""Groups: the dependency graph of the hints, chains of it as one task each, validated in order while executing.

After Grevm 2.1 (Galxe, 2025): a graph from hints instead of optimism; a chain of transactions in which each depends on
the one before is one task of one worker; and a transaction is final as soon as it and all before it are validated,
while those behind still execute. The memory is multi-version, so that only readers wait, for the last writer before
them. See `strategies.dependency.graph_engine`.

One thing is not Grevm's: workers that find nothing ready begin transactions that are not, and wait at the read for
which they are not (`strategies.dependency.early`). Without it a hot chain takes as long as its transactions from
beginning to end, with it as long as what they do behind that read.
"""

from __future__ import annotations

from typing import ClassVar

from contend.strategies.dependency.graph_engine import GraphStrategy


class Groups(GraphStrategy):
    """Transactions when those that they read from have finished, chains by one worker."""

    name: ClassVar[str] = "groups"
    summary: ClassVar[str] = "dependency graph of hints, a chain one task, ordered validation behind (Grevm 2.1)"
    marks_writes: ClassVar[bool] = True
    early_per_worker: ClassVar[int] = 8
