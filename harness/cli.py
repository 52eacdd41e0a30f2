"""The command line: ``contend run`` and ``contend list``.

A thin layer: options become a `harness.request.Request`, and `harness.engine` does the rest.

Exit codes: 0 all cells measured and verified, 1 a cell failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import click

from harness.errors import BadInputError, CrashError
from harness.request import (
    DEFAULT_BLOCK_SIZE,
    DEFAULT_REPEAT,
    DEFAULT_WORKERS,
    Request,
    parse_dials,
    parse_names,
    parse_sweep,
    parse_workers,
)

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from harness.environment import contend_version

        click.echo(f"contend {contend_version()}")
        context.exit()


class _Group(click.Group):
    """A group whose complaints are one line each, like all of ours."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; in standalone mode, end the process with its exit code."""
        standalone = options.pop("standalone_mode", True)
        options["standalone_mode"] = False
        if not standalone:
            return super().main(*arguments, **options)
        try:
            code = super().main(*arguments, **options)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # Whoever read our output has read enough. Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(EXIT_FAILED)
        except OSError as error:
            click.echo(f"contend: {error}", err=True)
            sys.exit(EXIT_FAILED)
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            hint = f" (see {context.command_path} --help)" if context else ""
            click.echo(f"contend: {' '.join(error.format_message().split())}{hint}", err=True)
            sys.exit(error.exit_code)
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def main() -> None:
    """Make execution strategies for smart contracts contend on the same blocks."""


@main.command("run")
@click.option(
    "--workload",
    "-w",
    "workloads",
    metavar="NAMES",
    help="Workloads, separated by commas, or all.  [default: payments,swaps,nft,dao]",
)
@click.option(
    "--suite", metavar="NAME", help="Measure the fixed blocks of a suite, for instance standard-1, or of a file."
)
@click.option(
    "--strategy", "-s", "strategies", metavar="NAMES", help="Strategies, separated by commas.  [default: all]"
)
@click.option(
    "--workers",
    metavar="COUNTS",
    help="Worker counts, separated by commas; 1,2,...,1024 for powers of two.  [default: 1,2; virtual: 1,2,...,32]",
)
@click.option(
    "--clock",
    type=click.Choice(["wall", "virtual"]),
    default="wall",
    show_default=True,
    help="Real threads and real time, or simulated workers, whose figures are the same everywhere.",
)
@click.option("--costs", metavar="FILE", help="Table of costs for the virtual clock.  [default: the project's]")
@click.option(
    "--network",
    metavar="NAME",
    help="Simulated network between shards: same_machine, rack, datacenter, region, wide_area, or latency:overhead in "
    "nanoseconds.  [default: same_machine]",
)
@click.option(
    "--set",
    "settings",
    metavar="DIAL=VALUE",
    multiple=True,
    help="Turn a dial, for instance pools=1 or swaps.pools=1; preset=NAME turns several. Repeatable.",
)
@click.option(
    "--contention",
    type=float,
    metavar="SHARE",
    help="Turn one workload's dials until this share of transactions depends on an earlier one, as recorded.",
)
@click.option("--chain", type=float, metavar="SHARE", help="The same for the longest chain, as a share of the block.")
@click.option(
    "--sweep",
    metavar="DIAL=VALUES",
    help="Measure every workload that has this dial with each of these values, for instance pools=1,10,100.",
)
@click.option(
    "--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in the block."
)
@click.option("--block", "blocks", metavar="FILE", multiple=True, help="Block for the workload replay. Repeatable.")
@click.option("--repeat", type=int, default=DEFAULT_REPEAT, show_default=True, help="Timed runs of each cell.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workloads.")
@click.option(
    "--processes", type=int, default=2, show_default=True, help="Independent measuring processes; they take turns."
)
@click.option(
    "--timeout",
    type=float,
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="End a run that gives no sign of life for so long.",
)
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
@click.option("--no-charts", is_flag=True, help="Draw no charts.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def run_command(
    context: click.Context,
    workloads: str | None,
    suite: str | None,
    strategies: str | None,
    workers: str | None,
    clock: str,
    costs: str | None,
    network: str | None,
    settings: tuple[str, ...],
    sweep: str | None,
    contention: float | None,
    chain: float | None,
    block_size: int,
    blocks: tuple[str, ...],
    repeat: int,
    seed: int,
    processes: int,
    timeout: float,
    json_path: str | None,
    results: Path,
    no_charts: bool,
    quiet: bool,
) -> None:
    """Measure strategies on workloads, every timed run verified against the serial result.

    Without options: the four default workloads, all strategies, 1 and 2 workers.
    """
    from harness.command import RunCommand

    with _bad_input(), _interruptible():
        if suite is not None:
            seed, block_size = _fixed_by(suite, context, seed=seed, block_size=block_size)
        request = Request(
            workloads=parse_names(workloads),
            strategies=parse_names(strategies),
            workers=DEFAULT_WORKERS[clock] if workers is None else parse_workers(workers),
            dials=parse_dials(settings),
            block_size=block_size,
            blocks=blocks,
            repeat=repeat,
            seed=seed,
            processes=processes,
            timeout=timeout,
            clock=clock,
            costs=costs,
            network=network,
            sweep=parse_sweep(sweep),
            suite=suite,
        )
        if contention is not None or chain is not None:
            request = _aimed(request, contention, chain, quiet)
        command = RunCommand(request, results, json_path, charts=not no_charts, quiet=quiet)
        context.exit(EXIT_FAILED if command.run() else 0)


@main.command("explain")
@click.option("--workload", "-w", metavar="NAME", required=True, help="One workload.")
@click.option(
    "--strategy", "-s", "strategies", metavar="NAMES", help="Strategies, separated by commas.  [default: all]"
)
@click.option("--workers", type=int, default=32, show_default=True, help="Workers of each strategy.")
@click.option("--set", "settings", metavar="DIAL=VALUE", multiple=True, help="Turn a dial. Repeatable.")
@click.option(
    "--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in the block."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workload.")
@click.option(
    "--clock",
    type=click.Choice(["virtual", "wall"]),
    default="virtual",
    show_default=True,
    help="Simulated workers, the same on every machine; or threads.",
)
@click.option("--costs", metavar="FILE", help="Table of costs for simulated time.  [default: the project's]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def explain_command(
    context: click.Context,
    workload: str,
    strategies: str | None,
    workers: int,
    settings: tuple[str, ...],
    block_size: int,
    seed: int,
    clock: str,
    costs: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what conflicts in a workload's block, how fast it could be at best, and what made strategies abort."""
    from rich.console import Console

    from harness.explain import Explainer
    from harness.explain_tables import print_explanation
    from harness.progress import display

    with _bad_input(), _interruptible():
        request = Request(
            workloads=parse_names(workload),
            strategies=parse_names(strategies),
            workers=(workers,),
            dials=parse_dials(settings),
            block_size=block_size,
            repeat=1,
            seed=seed,
            clock=clock,
            costs=costs,
        )
        with display(quiet) as observer:
            found = Explainer(request, observer).run()
        if as_json:
            click.echo(json.dumps(found, indent=1))
        else:
            print_explanation(Console(), found)
        failed = any(one["error"] for one in found["strategies"])
        context.exit(EXIT_FAILED if failed else 0)


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """Show strategies, and workloads with their dials, defaults, ranges and presets; and suites."""
    from harness.catalogue import catalogue

    with _bad_input():
        content: dict[str, Any] = catalogue()
    if as_json:
        click.echo(json.dumps(content, indent=1))
        return
    from rich.console import Console

    from harness.tables import print_presets, print_strategies, print_suites, print_workloads

    console = Console()
    print_strategies(console, content["strategies"])
    print_workloads(console, content["workloads"])
    print_presets(console, content["workloads"])
    print_suites(console, content["suites"])


@main.command("statetest")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--fork", default="Cancun", show_default=True, help="Rules to run under, and results to compare with.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def statetest_command(context: click.Context, paths: tuple[Path, ...], fork: str, quiet: bool) -> None:
    """Run official state tests: JSON files, folders of them, or tar archives.

    Prints what fails, and one closing line. Exit code 0 only if all pass.
    """
    from harness.statetest import run_command

    with _bad_input(), _interruptible():
        context.exit(EXIT_FAILED if run_command(paths, fork, click.echo, quiet) else 0)


@main.command("fuzz")
@click.option("--strategy", "-s", "strategies", metavar="NAMES", help="Strategies.  [default: all that are parallel]")
@click.option(
    "--workload",
    "-w",
    "workloads",
    metavar="NAMES",
    help="Workloads, of which small blocks are taken, and adversarial_blocks.  [default: those of contend run, and it]",
)
@click.option("--workers", metavar="COUNTS", help="Worker counts.  [default: 2,3,4,8]")
@click.option("--schedules", type=int, default=5_000, show_default=True, help="Schedules to run.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of blocks and schedules.")
@click.option("--processes", type=click.IntRange(1, 256), help="Processes that share them.  [default: one a core]")
@click.option(
    "--replay", "replay_path", type=click.Path(path_type=Path), metavar="FILE", help="Run one again, exactly."
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True, help="Results folder."
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def fuzz_schedules_command(
    context: click.Context,
    strategies: str | None,
    workloads: str | None,
    workers: str | None,
    schedules: int,
    seed: int,
    processes: int | None,
    replay_path: Path | None,
    results: Path,
    quiet: bool,
) -> None:
    """Drive strategies under random schedules and compare every result with the serial one.

    A schedule that fails is shrunk to the shortest block that still fails, and written to a file that --replay runs
    again exactly. Exit codes: 0 none failed, 1 some failed, 2 bad input.
    """
    from rich.console import Console

    from harness.schedules import command

    with _bad_input(), _interruptible():
        if replay_path is not None:
            context.exit(EXIT_FAILED if command.replay(replay_path, Console()) else 0)
        from harness.calibration.validate import cores
        from harness.store import check_folder

        check_folder(results)
        failed = command.run_campaign(
            parse_names(strategies),
            parse_names(workloads),
            () if workers is None else parse_workers(workers),
            schedules,
            seed,
            processes or cores(),
            results / "schedules",
            Console(),
            quiet,
        )
        context.exit(EXIT_FAILED if failed else 0)


@main.command("fuzz-evm")
@click.option("--programs", type=int, default=1_000, show_default=True, help="Programs to compare.")
@click.option("--seed", type=int, default=0, show_default=True, help="Number of the first program.")
@click.option("--fork", default="Cancun", show_default=True, help="Rules to run under.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def fuzz_command(context: click.Context, programs: int, seed: int, fork: str, quiet: bool) -> None:
    """Run random programs here and on revm, and compare what they do.

    A difference is made small and printed as assembly. Exit code 0 only if there is none.
    """
    from harness.fuzz.command import run_command

    with _bad_input(), _interruptible():
        context.exit(EXIT_FAILED if run_command(programs, seed, fork, click.echo, quiet) else 0)


@main.command("export")
@click.option("--workload", "-w", required=True, metavar="NAME", help="Workload whose first block is written.")
@click.option("--output", "-o", required=True, metavar="FILE", help="File to write; gzip if its name ends in .gz.")
@click.option("--set", "settings", metavar="DIAL=VALUE", multiple=True, help="Turn a dial. Repeatable.")
@click.option(
    "--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in the block."
)
@click.option("--block", "block", metavar="FILE", help="Block for the workload replay.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workload.")
def export_command(
    workload: str, output: str, settings: tuple[str, ...], block_size: int, block: str | None, seed: int
) -> None:
    """Write a workload's block to a file, with the state before it and what a serial run gave.

    The file runs here by `contend run --workload replay --block FILE`, and elsewhere by whoever reads the form.
    """
    from harness.export import export

    with _bad_input(), _interruptible():
        request = Request(
            workloads=parse_names(workload),
            dials=parse_dials(settings),
            block_size=block_size,
            seed=seed,
            blocks=() if block is None else (block,),
        )
        click.echo(export(request, Path(output)))


@main.command("goals")
@click.option("--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in a block.")
@click.option("--repeat", type=int, default=DEFAULT_REPEAT, show_default=True, help="Timed runs of each cell.")
def goals_command(block_size: int, repeat: int) -> None:
    """Measure what Contend itself has to reach, and print it beside the goals."""
    from rich.console import Console

    from harness.goals import findings, print_findings
    from harness.progress import display

    with _bad_input(), _interruptible():
        with display(quiet=False) as observer:
            found = list(findings(observer, block_size, repeat))
        print_findings(Console(), found)


@main.command("timeline")
@click.option("--workload", "-w", required=True, metavar="NAME", help="Workload.")
@click.option("--strategy", "-s", required=True, metavar="NAME", help="Strategy.")
@click.option("--workers", type=int, default=8, show_default=True, help="Simulated workers.")
@click.option("--set", "settings", metavar="DIAL=VALUE", multiple=True, help="Turn a dial. Repeatable.")
@click.option("--block-size", type=int, default=200, show_default=True, help="Transactions in the block.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the workload.")
@click.option("--costs", metavar="FILE", help="Table of costs.  [default: the project's]")
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True, help="Results folder."
)
def timeline_command(
    workload: str,
    strategy: str,
    workers: int,
    settings: tuple[str, ...],
    block_size: int,
    seed: int,
    costs: str | None,
    results: Path,
) -> None:
    """Draw what each simulated worker did when: execute, validate, wait, commit, or nothing."""
    from harness.store import check_folder
    from harness.timeline import draw_timeline

    with _bad_input(), _interruptible():
        request = Request(
            workloads=(workload,),
            strategies=(strategy,),
            workers=(workers,),
            dials=parse_dials(settings),
            block_size=block_size,
            seed=seed,
            clock="virtual",
            costs=costs,
        )
        check_folder(results)
        for path in draw_timeline(request, results / "charts"):
            click.echo(f"chart: {path}")


@main.command("calibrate")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("costs.json"),
    show_default=True,
    help="File for the table.",
)
def calibrate_command(output: Path) -> None:
    """Fit a table of costs for the virtual clock to this machine.

    Takes a few minutes, in which nothing else should run. `contend run --clock virtual --costs FILE` uses the table.
    """
    from rich.console import Console

    from harness.calibration.calibrate import calibrate, print_calibration, write
    from harness.progress import display
    from harness.store import check_file

    with _bad_input(), _interruptible():
        check_file(output)
        with display(quiet=False) as observer:
            found = calibrate(observer)
        write(found.costs, output)
        print_calibration(Console(), found)
        click.echo(f"table: {output}")


@main.command("validate-clock")
@click.option("--workload", "-w", "workloads", metavar="NAMES", help="Workloads.  [default: all]")
@click.option("--strategy", "-s", "strategies", metavar="NAMES", help="Strategies.  [default: all]")
@click.option("--workers", metavar="COUNTS", help="Worker counts.  [default: all that this machine has cores for]")
@click.option("--block-size", type=int, default=DEFAULT_BLOCK_SIZE, show_default=True, help="Transactions in a block.")
@click.option("--repeat", type=int, default=DEFAULT_REPEAT, show_default=True, help="Timed runs by the wall clock.")
@click.option("--costs", metavar="FILE", help="Table of costs for the virtual clock.  [default: the project's]")
@click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="FILE", help="Write what was found here.")
def validate_clock_command(
    workloads: str | None,
    strategies: str | None,
    workers: str | None,
    block_size: int,
    repeat: int,
    costs: str | None,
    json_path: Path | None,
) -> None:
    """Measure cells under both clocks and report the virtual clock's error, cell by cell.

    How much the cores of this machine slow each other down is measured first and given to the virtual clock.
    """
    from rich.console import Console

    from harness.calibration.validate import cores, print_validation, validate
    from harness.clocks import read_costs
    from harness.progress import display
    from harness.records import write_json
    from harness.store import check_file

    with _bad_input(), _interruptible():
        request = Request(
            workloads=parse_names(workloads),
            strategies=parse_names(strategies),
            workers=tuple(range(1, cores() + 1)) if workers is None else parse_workers(workers),
            block_size=block_size,
            repeat=repeat,
        )
        table = read_costs(costs)
        if json_path is not None:
            check_file(json_path)
        with display(quiet=False) as observer:
            found = validate(request, table, observer)
        print_validation(Console(), found)
        if json_path is not None:
            write_json(json_path, found.as_json())


def _aimed(request: Request, contention: float | None, chain: float | None, quiet: bool) -> Request:
    """The request with the dials that give what was asked for."""
    from harness.target import aim

    one = len(request.workloads) == 1 and request.workloads[0] != "all"
    if not one or request.sweep or request.suite or (contention is not None and chain is not None):
        raise BadInputError("--contention, --chain: give one of them, one --workload, and neither --sweep nor --suite")
    (workload,) = request.workloads
    kind, wanted = ("contention", contention) if contention is not None else ("chain", chain)

    def tell(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    found = aim(workload, kind, float(wanted or 0.0), request.seed, request.block_size, request.dials, tell)
    settings = " ".join(f"--set {name}={value}" for name, value in found.dials.items())
    tell(f"{kind} {found.share:.3f} is what was found for {wanted:g}: {settings}")
    return replace(request, dials={**request.dials, **found.dials})


def _fixed_by(suite: str, context: click.Context, seed: int, block_size: int) -> tuple[int, int]:
    """Seed and block size of a suite; what was given on the command line stands, and is refused if it differs."""
    from click.core import ParameterSource

    from harness.suite_file import read

    fixed = read(suite)
    given = {name: context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("seed", "block_size")}
    return seed if given["seed"] else fixed.seed, block_size if given["block_size"] else fixed.block_size


@contextmanager
def _bad_input() -> Iterator[None]:
    # Not imported before it is needed: the command line must be quick.
    from workloads.fields import FieldError

    try:
        yield
    except (BadInputError, FieldError) as error:
        click.echo(f"contend: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except CrashError as error:
        click.echo(f"contend: {error}", err=True)
        sys.exit(EXIT_FAILED)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into KeyboardInterrupt and exit code 130; ignore those that follow.

    What is measured is written while the exception passes, and a second Ctrl-C must not prevent it.
    """
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in signals}
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
