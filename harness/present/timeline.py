"""``contend timeline``: one block under the virtual clock, drawn worker by worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Trace:
    """Trace of simulated workers.

    Attributes
    ----------
    rows : ndarray of int64, shape (k, 4)
        Worker, activity, begin and end in picoseconds.
    workers : int
    title : str
    name : str
        For files.
    """

    rows: npt.NDArray[np.int64]
    workers: int
    title: str
    name: str


def trace(request: Request) -> Trace:
    """Run the one cell that is asked for, verify it, and note what each worker did.

    Parameters
    ----------
    request : Request
        One workload, one strategy, one worker count, under the virtual clock.

    Raises
    ------
    BadInputError
        For a name or a dial that is refused, a workload that cannot be run, or a strategy without a timeline.
    """
    from contend.harness.bench.bench import Bench
    from contend.harness.bench.failures import RunError, WorkloadError
    from contend.harness.plan.clock_options import read_costs
    from contend.harness.plan.resolve import CellKey, resolve
    from contend.strategies import registry as strategies
    from contend.strategies.clocks.virtual import VirtualClock
    from contend.workloads import registry as workloads

    plan = resolve(request)
    for what, named in (("workload", plan.workloads), ("strategy", request.strategies), ("workers", request.workers)):
        if len(named) != 1:
            raise BadInputError(f"{what}: a timeline is of one cell; name one")
    (workload,) = plan.workloads
    name = request.strategies[0]
    workers = request.workers[0] if strategies.get(name).parallel else 1
    clock = VirtualClock(read_costs(request.costs), traced=True)
    bench = Bench(strategies.get, workloads.get, clock=lambda: clock)
    try:
        bench.prepare(workload, request.seed, request.block_size)
        sample = bench.run(CellKey(name, workers))
    except (WorkloadError, RunError) as error:
        raise BadInputError(f"{workload.name}, {name}: {error}") from error
    finally:
        bench.close()
    rows = clock.timeline.rows
    if not len(rows):
        raise BadInputError(f"strategy {name!r} does not say what its workers do; there is nothing to draw")
    title = (
        f"{workload.name}, {request.block_size:,} transactions, {name} with {workers:,} SIMULATED workers: "
        f"{1e6 * sample.seconds:,.0f} microseconds"
    )
    return Trace(rows, workers, title, f"timeline-{workload.name}-{name}-{workers}")


def draw(request: Request, folder: Path) -> list[Path]:
    """Trace a cell and draw it into files in a folder, which is made; raises what `trace` does."""
    from contend.harness.present.charts.timeline import draw_timeline
    from contend.strategies.clocks import ACTIVITIES

    traced = trace(request)
    return draw_timeline(traced.rows, traced.workers, ACTIVITIES, traced.title, folder, traced.name)
