"""Option ``--metrics`` of commands that take long: publish what they are at to a monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from contend.harness.observer import Observer

metrics_option = click.option(
    "--metrics",
    metavar="[HOST:]PORT",
    help="Publish progress, throughput, aborts, waits and stalls as OpenMetrics text at http://HOST:PORT/metrics while "
    "the run lasts; without HOST for this machine alone.",
)


@contextmanager
def published(place: str | None) -> Iterator[Callable[[Observer], Observer]]:
    """Serve a monitor; gives what makes an observer one that the monitor sees, too.

    Raises
    ------
    BadInputError
        If it cannot be served there.
    """
    if place is None:
        yield lambda observer: observer
        return
    from contend.harness.present.metrics.both_observers import BothObservers
    from contend.harness.present.metrics.metrics_server import serving
    from contend.harness.present.metrics.run_metrics import RunMetrics

    metrics = RunMetrics()
    with serving(place, metrics):
        yield lambda observer: BothObservers(observer, metrics)
