"""``contend timeline``: one block under the virtual clock, drawn worker by worker."""

from __future__ import annotations

from pathlib import Path

from harness.errors import BadInputError
from harness.request import Request


def draw_timeline(request: Request, folder: Path) -> list[Path]:
    """Run the one cell that is asked for, verify it, and draw its timeline.

    Parameters
    ----------
    request : Request
        One workload, one strategy, one worker count, under the virtual clock.
    folder : Path

    Returns
    -------
    list of Path
        Picture files.

    Raises
    ------
    BadInputError
        For a name or a dial that is refused, a workload that cannot be run, or a strategy without a timeline.
    """
    from harness.bench import Bench, RunError, WorkloadError
    from harness.charts.timeline import timeline
    from harness.clocks import read_costs
    from harness.plan import CellKey, resolve
    from strategies import registry as strategies
    from strategies.clocks import ACTIVITIES
    from strategies.virtual_clock import VirtualClock
    from workloads import registry as workloads

    plan = resolve(request)
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
    return timeline(rows, workers, ACTIVITIES, title, folder, f"timeline-{workload.name}-{name}-{workers}")
