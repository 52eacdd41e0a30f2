"""``contend blocktest``."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, interruptible
from contend.harness.errors import BadInputError

if TYPE_CHECKING:
    from contend.harness.verify.whole_block.block_test import BlockTest

CLOCKS = ("wall", "virtual")


@click.command("blocktest")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--strategy", "-s", "strategies", multiple=True, help="Contender to run each valid block by; all by default."
)
@click.option("--clock", "clocks", multiple=True, type=click.Choice(CLOCKS), help="Real or simulated time; both.")
@click.option("--workers", "-n", multiple=True, type=click.IntRange(1, 64), help="Workers of each contender; 2 and 4.")
@click.option("--network", multiple=True, help="Run only tests of this fork or transition.")
@click.option("--serial-only", is_flag=True, help="Run blocks serially and by no contender.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Processes that run tests at once; as many as cores.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[Path, ...],
    strategies: tuple[str, ...],
    clocks: tuple[str, ...],
    workers: tuple[int, ...],
    network: tuple[str, ...],
    serial_only: bool,
    jobs: int | None,
    quiet: bool,
) -> None:
    """Run official tests of whole blocks: JSON files, folders of them, or tar archives.

    Each block is decoded from its RLP, held against its parent, executed with all that it does before and after its
    transactions, and held against its header; each valid one is executed by every contender, too. Prints what fails,
    and one closing line. Exit code 0 only if all pass.
    """
    from contend.harness.record.environment import usable_cores

    with bad_input(), interruptible():
        contenders = [] if serial_only else chosen_contenders(strategies, clocks or CLOCKS, workers or (2, 4))
        failed = run_tests(paths, contenders, network, jobs or len(usable_cores()), quiet)
        context.exit(EXIT_FAILED if failed else 0)


def chosen_contenders(
    strategies: tuple[str, ...], clocks: tuple[str, ...], workers: tuple[int, ...]
) -> list[tuple[str, str, int]]:
    """Names, clocks and workers of those that execute each block."""
    from contend.harness.plan.request import ALL
    from contend.harness.plan.resolve import chosen_strategies, lookup
    from contend.strategies import registry

    kinds = {name: lookup(registry, name) for name in chosen_strategies(strategies or (ALL,))}
    return [
        (name, clock, count)
        for name, kind in kinds.items()
        for clock in clocks
        if clock in kind.clocks
        for count in (workers if kind.parallel else workers[:1])
    ]


def run_tests(
    paths: tuple[Path, ...], contenders: list[tuple[str, str, int]], networks: tuple[str, ...], jobs: int, quiet: bool
) -> int:
    """Run all tests at the paths, print failures as they come, and close with one line; how many failed.

    Raises
    ------
    BadInputError
        If there is nothing to run.
    """
    from contend.harness.present.progress.tracked_loop import track
    from contend.harness.verify.whole_block.verdicts import verdicts
    from contend.outside_files import printable

    began = time.perf_counter()
    found, malformed = _read(paths, networks)
    able = [test for test in found if test.schedule is not None]
    absent = Counter(test.network for test in found if test.schedule is None)
    if not able and malformed:
        raise BadInputError(malformed[0])
    if not able:
        told = ", ".join(f"{name} ({count})" for name, count in sorted(absent.items()))
        at = ", ".join(map(str, paths))
        raise BadInputError(f"{at}: no test of blocks that can be run" + (f"; not there: {told}" if told else ""))
    for line in malformed:
        click.echo(printable(line))
    passed, failed, otherwise = 0, len(malformed), 0
    with closing(verdicts(able, contenders, min(jobs, len(able)))) as given:
        for test, verdict in zip(track(able, "block tests", quiet), given, strict=True):
            for line in verdict.otherwise:
                otherwise += 1
                click.echo(printable(f"{test.name}: refused for another reason: {line}"))
            if verdict.wrong is None:
                passed += 1
            else:
                failed += 1
                click.echo(printable(f"{test.name}: {verdict.wrong}"))
    if otherwise:
        click.echo(f"{otherwise} blocks refused for another reason than the tests give")
    if not quiet:
        click.echo(
            f"{len(able)} tests by {len(contenders)} contenders in {time.perf_counter() - began:.0f} s", err=True
        )
    click.echo(f"{passed} passed, {failed} failed, {sum(absent.values())} not run")
    return failed


def _read(paths: tuple[Path, ...], networks: tuple[str, ...]) -> tuple[list[BlockTest], list[str]]:
    """Tests at the paths, and a line for each file that is malformed."""
    from contend.harness.verify.whole_block.block_test_files import read_block_tests
    from contend.workloads.files.fields import FieldError

    found, malformed = [], []
    for path in paths:
        for one in read_block_tests(path):
            if isinstance(one, FieldError):
                malformed.append(f"malformed: {one}")
            elif not networks or one.network in networks:
                found.append(one)
    return found, malformed
