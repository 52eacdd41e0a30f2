"""``contend fuzz-blocks``."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, campaign_options, check_numbers, interruptible
from contend.harness.errors import BadInputError

CLOCKS = ("wall", "virtual")
FORKS = ("Cancun", "Prague", "Osaka")
WORKERS = (3,)
MOST_FAILURES = 5


@click.command("fuzz-blocks")
@click.option("--blocks", type=int, default=500, show_default=True, help="Blocks to compare.")
@click.option("--seed", type=int, default=0, show_default=True, help="Number of the first block.")
@click.option("--fork", "forks", multiple=True, help="Rules to run under, in turn; Cancun, Prague and Osaka.")
@click.option("--strategy", "-s", "strategies", multiple=True, help="Contender to run each block by; all by default.")
@click.option("--clock", "clocks", multiple=True, type=click.Choice(CLOCKS), help="Real or simulated time; both.")
@click.option("--workers", "-n", multiple=True, type=click.IntRange(1, 64), help="Workers of each contender; 3.")
@click.option("--serial-only", is_flag=True, help="Run blocks serially and by no contender.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Processes that share them; as many as cores.")
@campaign_options("Run one block again, of a file.")
@click.pass_context
def command(
    context: click.Context,
    blocks: int,
    seed: int,
    forks: tuple[str, ...],
    strategies: tuple[str, ...],
    clocks: tuple[str, ...],
    workers: tuple[int, ...],
    serial_only: bool,
    jobs: int | None,
    replay_path: Path | None,
    results: Path,
    quiet: bool,
) -> None:
    """Run random blocks here and by the Python specification of Ethereum, and compare what they come to.

    Each block is executed serially with all that it does before and after its transactions, and its transactions by
    every contender. A block that differs is made small and written to a file that --replay runs again. Exit codes: 0 no
    difference, 1 some, 2 bad input.
    """
    with bad_input(), interruptible():
        from contend.harness.commands.blocktest import chosen_contenders

        chosen = [] if serial_only else chosen_contenders(strategies, clocks or CLOCKS, workers or WORKERS)
        if replay_path is not None:
            failed = replay(replay_path, chosen)
        else:
            _check_package()
            failed = search(blocks, seed, forks or FORKS, chosen, jobs, results, quiet)
        context.exit(EXIT_FAILED if failed else 0)


def _check_package() -> None:
    if importlib.util.find_spec("ethereum") is None or importlib.util.find_spec("ethereum.forks") is None:
        raise BadInputError(
            "fuzz-blocks compares with the Python specification: install the package ethereum-execution "
            "(make specification)"
        )


def search(
    blocks: int,
    seed: int,
    forks: tuple[str, ...],
    contenders: list[tuple[str, str, int]],
    jobs: int | None,
    results: Path,
    quiet: bool,
) -> bool:
    """Run a campaign, print each block that differs and what was in all of them, and close with one line.

    Returns and raises as `contend.harness.commands.fuzz.search`.
    """
    from contend.harness.present.progress.campaign_progress import CampaignProgress
    from contend.harness.record.atomic_write import check_folder
    from contend.harness.record.environment import usable_cores
    from contend.harness.verify.block_fuzzer.block_campaign import BlockTally, batches_of, run_campaign
    from contend.harness.verify.block_fuzzer.block_printing import closing_line, failure_lines, tally_lines

    check_folder(results)
    check_numbers(blocks=(1, blocks), seed=(0, seed))
    named = tuple(map(_fork, forks))
    tally = BlockTally()
    try:
        with CampaignProgress("blocks", blocks, quiet) as shown:
            run_campaign(
                batches_of(blocks, seed, named),
                contenders,
                jobs or len(usable_cores()),
                tally,
                lambda now: shown.show(now.blocks, len(now.failures)),
                MOST_FAILURES,
            )
    finally:
        for failure in tally.failures:
            for line in failure_lines(failure, results / "blocks"):
                click.echo(line)
        for line in tally_lines(tally) if tally.blocks and not quiet else ():
            click.echo(line)
        click.echo(closing_line(tally))
    return bool(tally.failures)


def _fork(name: str) -> str:
    from contend.harness.verify.block_fuzzer.specification import MODULES
    from contend.harness.verify.statetest import fork_of

    fork = fork_of(name).name
    if fork not in MODULES:
        raise BadInputError(f"fork: blocks are generated of {', '.join(MODULES)}, not of {fork}")
    return fork


def replay(path: Path, contenders: list[tuple[str, str, int]]) -> bool:
    """Run the block of a file again, and print it with what differs.

    Returns
    -------
    bool
        Whether anything differs.

    Raises
    ------
    BadInputError, FieldError
        If the file is no such block, or no key is known of one that signed.
    """
    from contend.harness.verify.block_fuzzer.actors import has_key
    from contend.harness.verify.block_fuzzer.block_case import BlockCase
    from contend.harness.verify.block_fuzzer.block_checker import BlockChecker
    from contend.harness.verify.block_fuzzer.block_printing import case_lines
    from contend.workloads.files.fields import read

    case = BlockCase.from_json(read(path).strictly())
    _fork(case.fork)
    signers = {one.sender for one in case.transactions}
    signers |= {each.authority for one in case.transactions for each in one.authorizations or () if each.authority}
    for signer in signers:
        if not has_key(signer):
            raise BadInputError(f"{path}: nobody here has the key of 0x{signer.hex()}")
    _check_package()
    for line in case_lines(case):
        click.echo(line)
    with BlockChecker(contenders) as checker:
        found = checker.differences(case)
    for line in found:
        click.echo(line)
    click.echo("DIFFERS" if found else "no difference")
    return bool(found)
