"""``contend run``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from contend.harness.commands.common import EXIT_BAD_INPUT, EXIT_FAILED, STANDARD_OUTPUT, bad_input, interruptible, tell
from contend.harness.commands.metrics_option import metrics_option, published
from contend.harness.commands.options import ALL_OPTIONS, Asked, request_options, tell_settings
from contend.harness.errors import BadInputError
from contend.harness.plan.request import ALL, DEFAULT, Request
from contend.harness.plan.setting import Setting

if TYPE_CHECKING:
    from contend.harness.present.tables.result_table import ResultTable

# Stands for the newest record; no file can have this name.
NEWEST = "\0"
WITH_RESUME = ("resume", "results", "json_path", "no_charts", "quiet", "isolated", "time_budget", "metrics")


@click.command("run")
@request_options(*ALL_OPTIONS)
@click.option(
    "--contention",
    type=float,
    metavar="SHARE",
    help="Turn one workload's dials until this share of transactions depends on an earlier one, as recorded.",
)
@click.option("--chain", type=float, metavar="SHARE", help="The same for the longest chain, as a share of the block.")
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    help="Write the record to FILE as well; - is standard output, which then carries nothing else.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder for records and charts.",
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value=NEWEST,
    metavar="[RECORD]",
    help="Measure what is missing of a record whose run was interrupted or killed; of the newest one in the results "
    "folder unless a file is named. The request is the record's own.",
)
@metrics_option
@click.option("--no-charts", is_flag=True, help="Draw no charts.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    asked: Asked,
    contention: float | None,
    chain: float | None,
    json_path: str | None,
    results: Path,
    resume: str | None,
    metrics: str | None,
    no_charts: bool,
    quiet: bool,
) -> None:
    """Measure strategies on workloads, every timed run verified against the serial result.

    Without options: the default workloads and the default strategies of both roles (builders, who know the
    transactions, and validators, who have the block's access list), 1 and 2 workers.
    """
    output = Output(results, json_path, charts=not no_charts, metrics=metrics)
    with bad_input(), interruptible():
        if resume is not None:
            from contend.harness.record.resume import request_of

            record = _resumed(context, resume, results)
            request = replace(request_of(record), time_budget=asked.value("time_budget"))
            code = measure(request, output, quiet, record)
        else:
            request = asked.request()
            tell_settings(asked.settings, quiet)
            with asked.naming_sources():
                if contention is not None or chain is not None:
                    request = _aimed(request, contention, chain, quiet)
                code = measure(request, output, quiet, settings=asked.settings)
        context.exit(code)


@dataclass(frozen=True)
class Output:
    """Results that a run leaves, and the folder for them.

    Attributes
    ----------
    results : Path
        Results folder, for the record and charts.
    json_path : str or None
        Where to write the record as well; ``-`` is standard output, and everything else then goes to standard error.
    charts : bool
        Whether to draw charts.
    metrics : str, optional
        Where a monitor is served.
    """

    results: Path
    json_path: str | None
    charts: bool
    metrics: str | None = None


def measure(
    request: Request,
    output: Output,
    quiet: bool,
    resumed: Path | None = None,
    settings: Sequence[Setting] = (),
) -> int:
    """Measure a request; leave its record, a table on the terminal, and charts.

    Parameters
    ----------
    request : Request
    output : Output
    quiet : bool
        Whether to keep silent about progress.
    resumed : Path, optional
        Record to go on with, whose request `request` is (`harness.record.resume.choose`).
    settings : sequence of Setting, optional
        Those that the request takes values from.

    Returns
    -------
    int
        Exit code: whether a cell failed, or else whether something could not be written.

    Raises
    ------
    BadInputError
        If a place can never be written, or if the request is refused or cannot be gone on with; what was measured of
        other workloads until then has been written.
    KeyboardInterrupt
        If the user ended the run; what was measured has been written and printed.
    """
    from contend.harness.measure.cluster.choice import executor_for
    from contend.harness.measure.keeper import Keeper
    from contend.harness.measure.run_request import Engine, has_failures
    from contend.harness.present.progress.progress_bar import display
    from contend.harness.present.tables.result_table import ResultTable
    from contend.harness.record.atomic_write import check_file, check_folder
    from contend.harness.record.resume import read_incomplete
    from contend.harness.record.store import Store

    check_folder(output.results)
    if output.json_path not in (None, STANDARD_OUTPUT):
        check_file(Path(str(output.json_path)))
    store = Store(output.results)
    keeper = Keeper(store, tell)
    try:
        engine = Engine(request, accepted=keeper.open, save=keeper.save, command=["contend", *sys.argv[1:]])
        engine.settings, engine.executor = settings, executor_for
        if resumed is not None:
            # Claimed first: until then its run may still be going on.
            store.adopt(resumed)
            engine.resumed = read_incomplete(resumed)
        table = ResultTable(_console(output))
        try:
            with published(output.metrics) as monitor, display(quiet, table) as observer:
                engine.observer, keeper.tell = monitor(observer), observer.note
                engine.run()
        except KeyboardInterrupt:
            _report(engine.record, output, table, store.path, keeper.failure, interrupted=True)
            raise
        except BadInputError as error:
            if store.path is None or resumed is not None:
                raise
            raise BadInputError(f"{error}; what was measured before is in {store.path}") from error
        kept = _report(engine.record, output, table, store.path, keeper.failure, budget=request.time_budget)
        # Where the record finds no room, its charts find none either.
        if output.charts and keeper.failure is None:
            kept = _draw(engine.record, output, store.charts) and kept
        if has_failures(engine.record):
            return EXIT_FAILED
        return 0 if kept else EXIT_BAD_INPUT
    finally:
        store.close()


def _report(
    record: dict[str, Any],
    output: Output,
    table: ResultTable,
    path: Path | None,
    failure: str | None,
    interrupted: bool = False,
    budget: float | None = None,
) -> bool:
    """Print what of a record's table has not been printed on the way, and write the record where it was asked for.

    Returns
    -------
    bool
        Whether it is on record, and wherever else it was asked for.
    """
    from rich.console import Console

    from contend.harness.record.atomic_write import write_json

    if interrupted and not (record and record["cells"]):
        Console(stderr=True).print("Interrupted before anything was measured.")
        return True
    if output.json_path == STANDARD_OUTPUT:
        sys.stdout.write(json.dumps(record, indent=1, allow_nan=False) + "\n")
        sys.stdout.flush()
    console = _console(output)
    table.finish(record)
    kept = failure is None
    if interrupted:
        further = f"; `contend run --resume {path}` measures the others" if kept else ""
        console.print(
            f"Interrupted: the cells above are those measured until then{further}.",
            style="bold",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    elif not record["complete"]:
        _print_left_out(console, record, budget or 0.0, f"; `contend run --resume {path}` measures it" if kept else "")
    if memory := max((cell.get("peak_memory_bytes", 0) for cell in record["cells"]), default=0):
        console.print(
            f"memory: {memory / 2**20:,.0f} MiB at most in one measuring process, with interpreter, compiler and the "
            "oracle's copies; shards are processes of their own.",
            style="dim",
            highlight=False,
        )
    if kept:
        console.print(f"record: {path}", soft_wrap=True, highlight=False)
    else:
        tell(f"{failure}; the figures above are not on record{f', and {path} is of an earlier moment' if path else ''}")
    if output.json_path not in (None, STANDARD_OUTPUT):
        with _told() as written:
            write_json(Path(str(output.json_path)), record)
        kept = kept and written.well
    return kept


def _print_left_out(console: Any, record: dict[str, Any], budget: float, further: str) -> None:
    """Say what a time budget has left out."""
    from contend.harness.record.resume import left_out

    console.print(
        f"The time budget of {budget:g} s is spent. Left out: {', '.join(left_out(record))}{further}.",
        style="bold",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _draw(record: dict[str, Any], output: Output, folder: Path) -> bool:
    """Draw the record's charts; False if they cannot be written."""
    from contend.harness.plan.resolve import BASELINE
    from contend.harness.present.charts import draw
    from contend.harness.record.frame import to_frame

    with _told() as written:
        for path in draw(
            to_frame([record]), folder, record["id"], baseline=record["request"].get("baseline", BASELINE)
        ):
            _console(output).print(f"chart:  {path}", soft_wrap=True, highlight=False)
    return written.well


@dataclass
class _Written:
    well: bool = True


@contextmanager
def _told() -> Iterator[_Written]:
    """Tell of what cannot be written, and go on."""
    from contend.harness.record.atomic_write import why_not

    written = _Written()
    try:
        yield written
    except OSError as error:
        written.well = False
        tell(why_not(error))


def _console(output: Output) -> Any:
    from rich.console import Console

    return Console(stderr=output.json_path == STANDARD_OUTPUT)


def _resumed(context: click.Context, place: str, results: Path) -> Path:
    """The record to go on with; options that say what to measure are refused, since the record has said it."""
    from click.core import ParameterSource

    from contend.harness.record.resume import choose

    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if given and option.name not in WITH_RESUME:
            raise BadInputError(f"--resume: the request is the record's own; leave out {option.opts[0]}")
    return choose(None if place == NEWEST else Path(place), results, tell)


def _aimed(request: Request, contention: float | None, chain: float | None, quiet: bool) -> Request:
    """The request with the dials that give what was asked for."""
    from contend.harness.analysis.contention_search import find_dials

    one = len(request.workloads) == 1 and request.workloads[0] not in (ALL, DEFAULT)
    if not one or request.sweep or request.suite or (contention is not None and chain is not None):
        raise BadInputError("--contention, --chain: give one of them, one --workload, and neither --sweep nor --suite")
    (workload,) = request.workloads
    kind, wanted = ("contention", contention) if contention is not None else ("chain", chain)

    def report(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    found = find_dials(workload, kind, float(wanted or 0.0), request.seed, request.block_size, request.dials, report)
    settings = " ".join(f"--set {name}={value}" for name, value in found.dials.items())
    report(f"{kind} {found.share:.3f} is what was found for {wanted:g}: {settings}")
    return replace(request, dials={**request.dials, **found.dials})
