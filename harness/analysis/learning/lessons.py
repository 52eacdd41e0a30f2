"""Lessons: what records tell of a block, by how many workers, and what could have been seen of it before.

A record says how long each contender took, and how the block was made. The block is made again, its digest compared,
and its features are taken from it as `adaptive` would. What the block before would have told is not recorded; blocks of
one workload are alike, so what a contender counted at this block stands for what it would have counted at the one
before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.harness.errors import BadInputError
from contend.harness.plan.resolve import BASELINE, one_line
from contend.harness.record.content.execution_counts import WAITS, WASTED
from contend.strategies.adaptive.block_features import UNKNOWN, all_features, with_past

Integers = npt.NDArray[np.int64]
Skip = Callable[[str], object]
_PER = 1_000


@dataclass(frozen=True)
class Lesson:
    """One block and one number of workers.

    Attributes
    ----------
    workload : str
    block : str
        Digest.
    workers : int
    features : ndarray of int64
        In the order of `FEATURES`, nothing being known of a block before.
    serial : float
        Seconds of serial execution.
    past : mapping of str to tuple of int
        By contender, what it would have told if it had executed the block before (`OF_PAST`).
    of_block : mapping
        Seconds by contender and number of workers, whatever the number.
    """

    workload: str
    block: str
    workers: int
    features: Integers
    serial: float
    past: Mapping[str, tuple[int, ...]]
    of_block: Mapping[tuple[str, int], float]

    @property
    def transactions(self) -> int:
        """Transactions of the block."""
        return int(self.features[1])

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by contender."""
        return {name: value for (name, workers), value in self.of_block.items() if workers == self.workers}

    def behind(self, contender: str) -> Integers | None:
        """The features where a contender has executed a block like this one before; None where it tells nothing."""
        return with_past(self.features, self.past[contender]) if contender in self.past else None


@dataclass(frozen=True)
class Lessons:
    """Lessons of records, and what these were made with.

    Attributes
    ----------
    lessons : tuple of Lesson
    kernels, costs : tuple of str
        Digests.
    records : int
    """

    lessons: tuple[Lesson, ...]
    kernels: tuple[str, ...]
    costs: tuple[str, ...]
    records: int


def lessons_of(records: Iterable[Mapping[str, Any]], skip: Skip) -> Lessons:
    """Take lessons from records.

    Parameters
    ----------
    records : iterable of record
    skip : callable
        Given one line about each block that cannot be made again.

    Raises
    ------
    BadInputError
        If there are none, or records that cannot be held against each other.
    """
    found: list[Lesson] = []
    kernels, costs, clocks, count = set(), set(), set(), 0
    for record in records:
        count += 1
        groups = _groups(record)
        if not groups:
            continue
        kernels.add(str(record["environment"]["kernels"]))
        costs.add(str(record["environment"]["costs"] or "real time"))
        clocks.add(str(record["request"]["clock"]))
        for cells in groups:
            found += _of_cells(cells, skip)
    if len(clocks) > 1:
        raise BadInputError("records: some of real time, others of simulated; learn from one kind")
    if not found:
        raise BadInputError("records: nothing to learn from: no verified cell of a single block beside its serial run")
    return Lessons(tuple(found), tuple(sorted(kernels)), tuple(sorted(costs)), count)


def _groups(record: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """Verified cells of one block, with no stage around it, by blocks."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for cell in record["cells"]:
        if cell["verified"] and not cell.get("stages") and "block_count" not in cell and cell["block_digest"]:
            groups.setdefault(f"{cell['workload']} {cell['block_digest']}", []).append(cell)
    return [cells for cells in groups.values() if any(cell["strategy"] == BASELINE for cell in cells)]


def _of_cells(cells: list[Mapping[str, Any]], skip: Skip) -> list[Lesson]:
    one = cells[0]
    try:
        block = _block_of(one)
    except Exception as error:  # a workload, its dials or its file may be gone, or another one
        skip(f"skipped a block of {one['workload']}: {one_line(error)}")
        return []
    from contend.evm.block_image import BlockImage

    image = BlockImage(block)
    times = {(cell["strategy"], cell["workers"]): median(cell["samples_seconds"]) for cell in cells}
    serial = next(value for (name, _), value in times.items() if name == BASELINE)
    parallel = {key: value for key, value in times.items() if key[0] != BASELINE}
    past = {(cell["strategy"], cell["workers"]): _past(cell) for cell in cells}
    return [
        Lesson(
            str(one["workload"]),
            str(one["block_digest"]),
            workers,
            all_features(image, workers),
            serial,
            {name: told for (name, count), told in past.items() if count == workers or name == BASELINE},
            parallel,
        )
        for workers in sorted({workers for _, workers in parallel} - {1})
    ]


def _block_of(cell: Mapping[str, Any]) -> Any:
    """Make the block of a cell again.

    Raises
    ------
    ValueError
        If another one is made.
    """
    from contend.workloads import registry

    name = str(cell["workload"]).partition(":")[0]
    workload = registry.get(name)()
    (block,) = workload.build(dict(cell["dials"]), int(cell["seed"]), int(cell["block_size"])).blocks
    if block.digest != cell["block_digest"]:
        raise ValueError(f"its digest is {block.digest} now, where the record has {cell['block_digest']}")
    return block


def _past(cell: Mapping[str, Any]) -> tuple[int, ...]:
    """What `adaptive` would have kept of the block (`strategies.adaptive.strategy`)."""
    counters, count = cell["counters"], max(int(cell["transactions"]), 1)
    gas = int(cell["gas"]) // count
    if "aborts" not in counters:
        return gas, UNKNOWN, UNKNOWN
    wasted = sum(counters.get(name, 0) for name in WASTED)
    return gas, int(wasted) * _PER // count, int(counters.get(WAITS, 0)) * _PER // count
