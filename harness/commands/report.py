"""``contend report``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from contend.harness.commands.common import bad_input, interruptible
from contend.harness.plan.request import Request

if TYPE_CHECKING:
    from contend.harness.present.timeline import Trace

_TIMELINE_BLOCK, _TIMELINE_WORKERS = 200, 8


@click.command("report", no_args_is_help=True)
@click.argument("places", metavar="RECORDS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("report"),
    show_default=True,
    help="Folder for index.html and the data of its charts.",
)
@click.option("--no-timeline", is_flag=True, help="Simulate no small block to show what each worker does when.")
@click.option("--quiet", "-q", is_flag=True, help="Do not say what is being done.")
def command(places: tuple[Path, ...], output: Path, no_timeline: bool, quiet: bool) -> None:
    """Make one HTML page of records: files, folders of them, or results folders.

    The page needs nothing beside it: it opens from disk, without a network. Exit codes: 0, or 2 for bad input.
    """
    from contend.harness.errors import BadInputError
    from contend.harness.present.formatting import count
    from contend.harness.present.report.page import check_output, write_report
    from contend.harness.record.load_all import read_all

    def say(what: str) -> None:
        if not quiet:
            click.echo(what, err=True)

    with bad_input(), interruptible():
        check_output(output)
        records = list(read_all(places, lambda text: click.echo(f"warning: {text}", err=True)))
        if not records:
            raise BadInputError(f"{shlex.join(map(str, places))}: no record that can be read; contend run writes them")
        say(f"drawing {count(len(records), 'record')}")
        words = [*(str(place) for place in places), *(["--no-timeline"] if no_timeline else [])]
        again = f"contend report {shlex.join(words)} -o {shlex.quote(str(output))}"
        traced = None if no_timeline else _traced(records, say)
        page = write_report(records, output, again, traced)
    click.echo(f"report: {page}")


def _traced(records: list[dict[str, Any]], say: Any) -> tuple[Trace, str] | None:
    """Trace the first parallel strategy of the newest record on its first workload; None where that cannot be done."""
    from contend.harness.errors import BadInputError
    from contend.harness.present.timeline import trace
    from contend.harness.record.statistics.block_spread import REPLAY, is_block

    cells = [cell for record in reversed(records) for cell in record["cells"] if cell["verified"]]
    parallel = [cell for cell in cells if cell["workers"] > 1]
    # The first workload of the newest record that has one with several workers.
    if not parallel:
        return None
    cell = parallel[0]
    # A block of a file is known by its file, and as large as it is.
    file = cell["dials"].get("file") if is_block(cell["workload"]) else None
    name = REPLAY if file else cell["workload"]
    options = ["--workload", name, *(["--block", file] if file else [])]
    options += ["--strategy", cell["strategy"], "--workers", str(_TIMELINE_WORKERS)]
    what = cell["workload"] if file else f"{_TIMELINE_BLOCK} transactions of {name}"
    say(f"simulating {what} with {cell['strategy']}")
    request = Request(
        workloads=(name,),
        blocks=(file,) if file else (),
        strategies=(cell["strategy"],),
        workers=(_TIMELINE_WORKERS,),
        block_size=_TIMELINE_BLOCK,
        clock="virtual",
    )
    try:
        return trace(request), shlex.join(["contend", "timeline", *options])
    except BadInputError as error:
        # A plug-in that is not here, a block file that is gone: the records still make a page.
        say(f"no timeline: {error}")
        return None
