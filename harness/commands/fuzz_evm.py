"""``contend fuzz-evm``."""

from __future__ import annotations

import importlib.util

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, check_numbers, interruptible
from contend.harness.errors import BadInputError


@click.command("fuzz-evm")
@click.option("--programs", type=int, default=1_000, show_default=True, help="Programs to compare.")
@click.option("--seed", type=int, default=0, show_default=True, help="Number of the first program.")
@click.option("--fork", default="Cancun", show_default=True, help="Rules to run under.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(context: click.Context, programs: int, seed: int, fork: str, quiet: bool) -> None:
    """Run random programs here and on revm, and compare what they do.

    A difference is made small and printed as assembly. Exit code 0 only if there is none.
    """
    with bad_input(), interruptible():
        context.exit(EXIT_FAILED if compare_programs(programs, seed, fork, quiet) else 0)


def compare_programs(programs: int, seed: int, fork_name: str, quiet: bool) -> int:
    """Compare programs, print each difference with its program as assembly, and close with one line.

    Returns
    -------
    int
        How many programs differ.

    Raises
    ------
    BadInputError
        If revm is not installed or lacks the fork, or a number is out of range.
    """
    if importlib.util.find_spec("pyrevm") is None:
        raise BadInputError("fuzz-evm compares with revm: install the package pyrevm (extra 'test')")
    check_numbers(programs=(1, programs), seed=(0, seed))
    from contend.harness.verify.evm_fuzzer.differential import fuzz
    from contend.harness.verify.evm_fuzzer.revm import SPECIFICATIONS
    from contend.harness.verify.evm_fuzzer.shrink import describe
    from contend.harness.verify.statetest import fork_of

    failed, fork = 0, fork_of(fork_name).name
    if fork not in SPECIFICATIONS:
        raise BadInputError(f"fork: pyrevm has no rules of {fork}; it has those of {', '.join(SPECIFICATIONS)}")
    for program, case, wrong in fuzz(range(seed, seed + programs), fork, quiet):
        failed += 1
        click.echo(f"program {program} differs (contend fuzz-evm --programs 1 --seed {program} --fork {fork}):")
        for line in (*wrong, *describe(case)):
            click.echo(f"  {line}")
    click.echo(f"{programs} programs, {failed} differ from revm")
    return failed
