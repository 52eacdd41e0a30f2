"""``contend soak``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, check_numbers, interruptible
from contend.harness.commands.metrics_option import metrics_option, published
from contend.harness.errors import BadInputError

if TYPE_CHECKING:
    from contend.harness.verify.soak.soak import Tally

_LINE_SECONDS = 30.0


@click.command("soak")
@click.option(
    "--for",
    "duration",
    default="30m",
    show_default=True,
    metavar="TIME",
    help="How long, such as 90s, 30m or 8h; the draw that is under way then is finished.",
)
@click.option("--draws", type=int, help="Most draws.  [default: as many as there is time for]")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the draws.")
@metrics_option
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context, duration: str, draws: int | None, seed: int, metrics: str | None, quiet: bool
) -> None:
    """Run all contenders over random workloads, for hours, every result compared with the serial one.

    One process runs draw after draw: a workload with random dials and sizes, under either clock, with random workers
    and knowledge. It ends when time is up, at the first result that differs, or when memory grows; the command that
    repeats it is printed then. Exit codes: 0 nothing found, 1 something found, 2 bad input, 130 interrupted.
    """
    with bad_input(), interruptible():
        from contend.harness.plan.option_types import DURATION

        seconds = DURATION.keep("for", duration)
        if not seconds:
            raise BadInputError(f"for: {duration!r} is no time; give one such as 90s, 30m or 8h")
        check_numbers(seed=(0, seed), draws=(1, 1 if draws is None else draws))
        found = soak(seconds, draws, seed, metrics, quiet)
        context.exit(EXIT_FAILED if found else 0)


def soak(seconds: float, draws: int | None, seed: int, metrics: str | None, quiet: bool) -> bool:
    """Run a soak, and say what it has found.

    Parameters
    ----------
    seconds : float
    draws : int, optional
        Most of them.
    seed : int
    metrics : str, optional
        Where a monitor is served.
    quiet : bool
        Whether to keep silent about progress.

    Returns
    -------
    bool
        Whether something was found.

    Raises
    ------
    BadInputError
        If a monitor cannot be served there.
    CrashError
        If the measuring process cannot work at all.
    KeyboardInterrupt
        After what was run has been told; the process is gone.
    """
    from rich.console import Console

    from contend.harness.observer import Observer
    from contend.harness.verify.soak.soak import Soak

    console, progress = Console(highlight=False), Console(stderr=True, quiet=quiet, highlight=False)
    began = last = time.monotonic()

    def show(tally: Tally) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_SECONDS:
            last = time.monotonic()
            progress.print(_told(tally, last - began), soft_wrap=True)

    class Telling(Observer):
        def note(self, text: str) -> None:
            """Print it."""
            progress.print(text, markup=False, soft_wrap=True)

    progress.print("kernels that are not compiled yet are compiled first, which may take minutes")
    with published(metrics) as watched, Soak(seed, watched(Telling())) as running:
        try:
            running.run(began + seconds, draws, show)
        except KeyboardInterrupt:
            console.print(f"Interrupted. {_told(running.tally, time.monotonic() - began)}", soft_wrap=True)
            raise
    _report(console, running.tally, time.monotonic() - began)
    return running.tally.difference is not None


def _report(console: Any, tally: Tally, seconds: float) -> None:
    console.print(_told(tally, seconds), soft_wrap=True)
    found = tally.difference
    if found is None:
        console.print("no result differs, and memory does not grow")
        return
    lines = [
        f"FOUND in draw {found.number}: {found.what}: {found.failure.error}",
        *found.failure.differences,
        "to repeat it:",
        f"  {found.command}",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _told(tally: Tally, seconds: float) -> str:
    """How far it is, in a line."""
    hours, rest = divmod(round(seconds), 3600)
    held = f", {tally.memory[-1] / 2**20:,.0f} MiB held" if tally.memory else ""
    refused = f", {tally.refused} refused" if tally.refused else ""
    return (
        f"{hours}:{rest // 60:02d}:{rest % 60:02d}: {tally.draws:,} draws, {tally.cells:,} cells verified"
        f"{refused}{held}"
    )
