"""Serial runs at once: what a machine's cores can do at all for executions that have nothing to do with each other.

Cores share caches, memory and the power that they may draw, so that W of them do less than W times the work of one. So
much less no strategy can be blamed for: beside every speed-up on real cores stands what W serial runs reach, each in a
thread and on a state of its own, that execute the same block at once, in turns with everything else that is measured.

All begin together, and none leaves its timed part for Python's bookkeeping before all have ended it: a thread that
holds the interpreter's lock would hold the others up.

If run i takes t_i seconds, all together execute a block every 1 / sum(1 / t_i) seconds. That is the time of the sample.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Sequence

from contend.evm import Block, State
from contend.harness.bench.cpu_time import cpu_seconds
from contend.harness.bench.failures import RunError
from contend.harness.doctor.files import Files
from contend.harness.doctor.memory import available_bytes
from contend.harness.record.sample import Sample, phase_names
from contend.node.whole_node import BARE, Node
from contend.strategies.clocks import WALL
from contend.strategies.clocks.wall import WallClock
from contend.strategies.serial import Serial

_READINGS = 4
"""How often a strategy looks at its clock in a block: at both ends of three phases."""
_STAGE_READINGS = 2
"""And how often each stage around it does."""
_PATIENCE_SECONDS = 60.0
_LOCATION_BYTES = 300
"""Of a state and its snapshot, for each location that there is room for: key, word and two places in the table."""
_SHARE = 0.5
"""Of the memory that is available."""


class _TogetherClock(WallClock):
    """Real time, of blocks that begin and end together with those of other threads."""

    def __init__(self, together: threading.Barrier, readings: int) -> None:
        self._together = together
        self._of_block = readings
        self._readings = 0

    def now(self) -> float:
        """Seconds of the machine's clock; the first and the last reading of a block wait for all threads."""
        place = self._readings % self._of_block
        self._readings += 1
        if place == 0:
            self._together.wait(_PATIENCE_SECONDS)
        time = super().now()
        if place == self._of_block - 1:
            self._together.wait(_PATIENCE_SECONDS)
        return time


class SerialRunsAtOnce:
    """Serial runs of the same blocks in a row, each on a copy of the state.

    Parameters
    ----------
    blocks : sequence of Block
    state : State
        Before the first block; left as it is.
    workers : int
        So many runs.
    node : Node, optional
        With the stages that are measured; each run has another of the same.

    Raises
    ------
    RunError
        If there is no memory for so many states.
    """

    def __init__(self, blocks: Sequence[Block], state: State, workers: int, node: Node = BARE) -> None:
        _check_memory(state, workers)
        self.workers = workers
        self._blocks = blocks
        self._states = [state.copy() for _ in range(workers)]
        self._before = [one.snapshot() for one in self._states]
        self._serial = [Serial() for _ in range(workers)]
        self._nodes = [node.again() for _ in range(workers)]
        self._expected = self._alone(0)
        for number in range(1, workers):
            self._alone(number)

    def _alone(self, number: int) -> str:
        """Execute once, so that memory is there, and give the digest of what was changed."""
        self._states[number].restore(self._before[number])
        self._execute(number)
        return self._states[number].changes_since(self._before[number]).digest

    def _execute(self, number: int) -> dict[str, float]:
        phases: dict[str, float] = {}
        for place, block in enumerate(self._blocks):
            outcome = self._nodes[number].execute(self._serial[number], block, self._states[number], 1, place)
            for name, seconds in outcome.phases.items():
                phases[name] = phases.get(name, 0.0) + seconds
        return phases

    def run(self) -> Sample:
        """Time all runs at once.

        Raises
        ------
        RunError
            If one of them fails or gives another result than it gave alone.
        """
        for state, before in zip(self._states, self._before, strict=True):
            state.restore(before)
        gc.collect()
        gc.disable()
        cpu = cpu_seconds()
        try:
            began = time.perf_counter()
            phases = self._run_threads()
            wall = time.perf_counter() - began
        finally:
            gc.enable()
        cpu = cpu_seconds() - cpu
        digests = {state.changes_since(before).digest for state, before in zip(self._states, self._before, strict=True)}
        if digests != {self._expected}:
            raise RunError("serial runs at once gave another result than one alone")
        rate = sum(1.0 / sum(one.values()) for one in phases)
        # Each phase has its share of the time.
        whole = sum(sum(one.values()) for one in phases)
        shared = {name: sum(one[name] for one in phases) / whole / rate for name in phase_names(phases[0])}
        return Sample(sum(shared.values()), wall, cpu, shared, {})

    def _run_threads(self) -> list[dict[str, float]]:
        found: list[dict[str, float]] = [{} for _ in range(self.workers)]
        errors: list[Exception] = []
        together = threading.Barrier(self.workers)

        def work(number: int) -> None:
            stages = len(self._nodes[number].stages)
            self._serial[number].clock = _TogetherClock(together, _READINGS + _STAGE_READINGS * stages)
            try:
                found[number] = self._execute(number)
            except Exception as error:
                errors.append(error)
                # The others are not to wait for it: what they raise comes behind.
                together.abort()
            finally:
                self._serial[number].clock = WALL

        threads = [threading.Thread(target=work, args=(number,)) for number in range(self.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise RunError(f"a serial run at once with others failed: {errors[0]}") from errors[0]
        return found


def _check_memory(state: State, workers: int) -> None:
    """Refuse more states than half of the memory has room for."""
    available, needed = available_bytes(Files()), workers * state.capacity * _LOCATION_BYTES
    if available is not None and needed > _SHARE * available:
        raise RunError(f"{workers} states at once take {needed >> 20:,} MiB, of {available >> 20:,} MiB available")
