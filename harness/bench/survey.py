"""Survey: what the serial run of a workload's blocks shows, and what a suite or a block sequence demands of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contend.evm.drivers.recorder import record
from contend.harness.analysis.abort_causes import Causes
from contend.harness.analysis.profile import Schedules, bounds_of
from contend.harness.bench.failures import WorkloadError
from contend.harness.plan.resolve import WorkloadPlan
from contend.harness.record.bound import Bounds
from contend.harness.record.latency import counted
from contend.harness.record.sample import BlockFacts
from contend.harness.verify.around_check import around_differences
from contend.harness.verify.oracle.oracle import Oracle
from contend.workloads.base import Scenario, Workload
from contend.workloads.building.arrivals import BLOCK_SECONDS


class Survey:
    """Looks at each block of a sequence as it is run serially, and sums up what it saw.

    Parameters
    ----------
    workload : Workload
    scenario : Scenario
    costs : ndarray of uint64
        Picoseconds by class of cost, for the bound.

    Attributes
    ----------
    violated : list of str
        What the receipts say against the workload's invariant.
    causes : Causes or None
        Explains aborts on the block; None for several blocks, of which all recordings would have to be kept.
    schedules : Schedules
        List schedules of all blocks.
    """

    def __init__(self, workload: Workload, scenario: Scenario, costs: npt.NDArray[np.uint64]) -> None:
        self._workload = workload
        self._scenario = scenario
        self._costs = costs
        self.violated: list[str] = []
        self.causes: Causes | None = None
        self.schedules = Schedules()
        self._bounds: list[Bounds] = []
        self._gas = self._failed = self._changed = 0

    def __call__(self, place: int, oracle: Oracle) -> None:
        """Look at a block; the state is left as the block leaves it."""
        reference, state, block = oracle.reference, self._scenario.genesis, self._scenario.blocks[place]
        if not place:
            self.violated += self._workload.check_receipts(self._scenario, reference.receipts)
            if self._scenario.around is not None:
                self.violated += around_differences(self._scenario.around, block, reference.receipts, state)
        self._gas += int(reference.receipts.gas_used.sum())
        self._failed += int((reference.receipts.status != 1).sum())
        self._changed += len(reference.changes)
        after = state.snapshot()
        state.restore(oracle.snapshot)
        recording = record(block, state, self._costs)
        self._bounds.append(bounds_of(recording))
        self.schedules.add(recording)
        if len(self._scenario.blocks) == 1:
            self.causes = Causes(self._workload, self._scenario, recording, reference.changes)
        state.restore(after)

    def facts(self, genesis: str, blocks: str) -> BlockFacts:
        """Facts about all blocks together."""
        sizes = [len(block) for block in self._scenario.blocks]
        arrivals: list[list[int]] = []
        if len(sizes) > 1:
            arrivals = counted(self._scenario.arrivals, sizes, BLOCK_SECONDS * 1_000)
        return BlockFacts(
            genesis_digest=genesis,
            block_digest=blocks,
            transactions=sum(sizes),
            gas=self._gas,
            failed_transactions=self._failed,
            changed_locations=self._changed,
            bounds=Bounds.of_chain(self._bounds),
            arrivals=tuple(tuple(parts) for parts in arrivals),
        )


def check_built(plan: WorkloadPlan, scenario: Scenario, genesis: str, blocks: str) -> None:
    """Refuse blocks that are not what was asked for, or bytes that are not those that a suite promises.

    Parameters
    ----------
    genesis, blocks : str
        Digests.

    Raises
    ------
    WorkloadError
        At the first difference.
    """
    found = len(scenario.blocks)
    if found != plan.block_count:
        raise WorkloadError(f"it was asked for {plan.block_count} blocks and built {found}; it cannot make a chain")
    if not all(len(block) for block in scenario.blocks):
        raise WorkloadError("it built a block without transactions")
    for what, digest, expected in zip(("genesis", "block"), (genesis, blocks), plan.expected, strict=True):
        if expected is not None and digest != expected:
            raise WorkloadError(
                f"its {what} is not the suite's: digest {digest}, not {expected}; this version of Contend makes other "
                "blocks, so its figures cannot be held against others of this suite"
            )
