"""Path over versions: what no strategy over multi-version memory can beat, if every access is looked at on its own.

The bound and the list schedule take a transaction's work from a serial run, and let its writes be read when it has
ended. Contenders that wait at a read beat the list schedule, and this is why, in the order of what it comes to
(``docs/decisions.md`` has the figures):

- what a version, or a location that was asked for ahead, is read for is less than what a location of the state is read
  for in a serial run, and a read that waits is answered at the very version that it waited for;
- writes are seen when the code has ended: what a serial run does then, write by write, and the receipt come later;
- a worker that waits in the middle of one transaction has others in the meantime, where a list schedule begins
  whole transactions, each so late that it need not wait.

So here a transaction's later part begins at the read that needs an earlier one's writes, costs what it costs over
versions, and ends when its code ends. The longest sum of such parts is a lower bound of any such strategy's time, and
so is their whole work divided by the workers. What a strategy takes beyond the larger of the two, for each hop of the
path, is what handing a word on costs it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contend.evm.block import Words
from contend.evm.code.cost_model import RECEIPT, STATE_READ, STATE_READ_AHEAD, STATE_WRITE
from contend.evm.drivers.recorder import Recording
from contend.harness.analysis.dependencies import build_graph
from contend.harness.analysis.list_schedule import longest_chain
from contend.strategies.clocks.cost_table import READ, SWITCH

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class VersionPath:
    """The path over versions of one block.

    Attributes
    ----------
    picoseconds : int
        Its length.
    hops : int
        How often one transaction waits for another along it.
    work : int
        Picoseconds of all transactions over versions, without any bookkeeping.
    """

    picoseconds: int
    hops: int
    work: int

    def floor(self, workers: int) -> float:
        """Picoseconds that so many workers take at least."""
        return max(float(self.picoseconds), self.work / workers)

    def per_hop(self, picoseconds: float, workers: int) -> float | None:
        """What a time is above the floor, in picoseconds a hop; None where there is no hop."""
        return (picoseconds - self.floor(workers)) / self.hops if self.hops else None


def version_path(recording: Recording, costs: Words) -> VersionPath:
    """Find the path over versions of a recorded block.

    Parameters
    ----------
    recording : Recording
        Made with the same costs.
    costs : ndarray of uint64
        Picoseconds by class of work (`strategies.clocks.cost_table.CostTable.table`).
    """
    count, priced = len(recording), costs.astype(np.int64)
    reads = np.diff(recording.offsets)
    owners = np.repeat(np.arange(count), reads)
    earlier = _earlier_reads(recording, owners)
    # Those that a transaction begins with are asked for ahead in a serial run, too.
    later = np.maximum(earlier - recording.ahead[owners], 0)
    cheapest = min(priced[READ], priced[STATE_READ_AHEAD])
    begun = recording.before - (priced[STATE_READ] - cheapest) * later
    begun -= (priced[STATE_READ_AHEAD] - cheapest) * (earlier - later)
    # The read that waits is answered as one that has waited, if that is less.
    begun += max(cheapest - priced[SWITCH], 0)
    work = recording.work - (priced[STATE_READ] - cheapest) * (reads - recording.ahead)
    work -= (priced[STATE_READ_AHEAD] - cheapest) * recording.ahead
    graph = build_graph(replace(recording, work=work, before=begun))
    writes = np.bincount(owners, weights=recording.writes, minlength=count).astype(np.int64)
    unseen = np.append(writes * priced[STATE_WRITE] + priced[RECEIPT], 0)
    targets = np.repeat(graph.transaction_of, np.diff(graph.starts))
    # A join has no part after its code; and into one nothing is read.
    lags = graph.lags + np.where(targets >= 0, unseen[graph.transaction_of[graph.sources]], 0)
    chain = longest_chain(graph, work, lags)
    return VersionPath(chain.length, max(len(chain.transactions) - 1, 0), int(work.sum()))


def _earlier_reads(recording: Recording, owners: Integers) -> Integers:
    """For each entry how many of its transaction's were needed before it."""
    order = np.lexsort((np.arange(len(owners)), recording.before, owners))
    found = np.empty(len(owners), np.int64)
    found[order] = np.arange(len(owners)) - recording.offsets[owners]
    return found
