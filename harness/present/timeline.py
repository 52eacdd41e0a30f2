"""``contend timeline``: one block under the virtual clock, drawn worker by worker."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request
from contend.harness.present.formatting import count

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
    account : str
        What became of the executions.
    title : str
    name : str
        For files.
    """

    rows: npt.NDArray[np.int64]
    workers: int
    account: str
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
    from contend.harness.present.timeline_text import account
    from contend.strategies import registry as strategies
    from contend.strategies.clocks.virtual import VirtualClock
    from contend.workloads import registry as workloads

    plan = resolve(request)
    for what, named in (("workload", plan.workloads), ("strategy", request.strategies), ("workers", request.workers)):
        if len(named) != 1:
            one = "one, or one block file" if what == "workload" and request.blocks else "one"
            raise BadInputError(f"{what}: a timeline is of one cell; name {one}")
    (workload,) = plan.workloads
    name = request.strategies[0]
    workers = request.workers[0] if strategies.get(name).parallel else 1
    clock = VirtualClock(read_costs(request.costs), traced=True)
    bench = Bench(strategies.get, workloads.get, clock=lambda: clock)
    try:
        facts = bench.prepare(workload, request.seed, request.block_size)
        sample = bench.run(CellKey(name, workers))
    except (WorkloadError, RunError) as error:
        raise BadInputError(f"{workload.name}, {name}: {error}") from error
    finally:
        bench.close()
    rows = clock.timeline.rows
    if not len(rows):
        raise BadInputError(f"strategy {name!r} does not say what its workers do; there is nothing to draw")
    whose = f"{workload.title}, {count(facts.transactions, 'transaction')}, {name}"
    title = f"{whose} with {count(workers, 'SIMULATED worker')}: {1e6 * sample.seconds:,.0f} microseconds"
    told = account(sample.counters, facts.transactions)
    return Trace(rows, workers, told, title, f"timeline-{_identifier(workload.title)}-{name}-{workers}")


def _identifier(title: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_.-" else "-" for letter in title)


def tell(traced: Trace, width: int) -> Iterator[str]:
    """The timeline as lines of text, with what they mean."""
    from contend.harness.present.charts.timeline import shares
    from contend.harness.present.timeline_text import legend, lines

    yield traced.title
    yield from lines(traced.rows, traced.workers, width)
    yield from textwrap.wrap(legend(shares(traced.rows, traced.workers)), max(width, 40))
    if traced.account:
        yield traced.account


def draw(traced: Trace, folder: Path) -> list[Path]:
    """Draw a timeline into files in a folder, which is made."""
    from contend.harness.present.charts.timeline import draw_timeline
    from contend.strategies.clocks import ACTIVITIES

    return draw_timeline(traced.rows, traced.workers, ACTIVITIES, traced.title, folder, traced.name)
