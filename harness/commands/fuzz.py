"""``contend fuzz``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, campaign_options, check_numbers, interruptible
from contend.harness.commands.options import Asked, request_options
from contend.harness.errors import BadInputError

MOST_FAILURES = 5


@click.command("fuzz")
@request_options(
    "strategies",
    "workloads",
    "workers",
    strategies={
        "help": "Strategies; NAME+SOURCE says what one is given.",
        "default_text": "all that are parallel",
    },
    workloads={
        "help": "Workloads, of which small blocks are taken, and adversarial_blocks.",
        "default_text": "those of contend run, and it",
    },
    workers={"help": "Worker counts.", "default_text": "2,3,4,8"},
)
@click.option("--schedules", type=int, default=5_000, show_default=True, help="Schedules to run.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of blocks and schedules.")
@click.option("--processes", type=click.IntRange(1, 256), help="Processes that share them.  [default: one a core]")
@campaign_options("Run one again, exactly.")
@click.pass_context
def command(
    context: click.Context,
    asked: Asked,
    schedules: int,
    seed: int,
    processes: int | None,
    replay_path: Path | None,
    results: Path,
    quiet: bool,
) -> None:
    """Drive strategies under random schedules and compare every result with the serial one.

    A schedule that fails is shrunk to the shortest block that still fails, and written to a file that --replay runs
    again exactly. Half of the schedules of a strategy that is given hints have them damaged. Exit codes: 0 none failed,
    1 some failed, 2 bad input.
    """
    with bad_input(), interruptible():
        if replay_path is not None:
            failed = replay(replay_path)
        else:
            failed = search(asked, schedules, seed, processes, results, quiet)
        context.exit(EXIT_FAILED if failed else 0)


def search(asked: Asked, schedules: int, seed: int, processes: int | None, results: Path, quiet: bool) -> bool:
    """Run a campaign, write each failing schedule to a file, print a closing table.

    Parameters
    ----------
    asked : Asked
        Strategies, workloads and worker counts, where any are named.
    schedules, seed : int
    processes : int, optional
        One a core by default.
    results : Path
        Results folder.
    quiet : bool
        Whether to keep silent about progress.

    Returns
    -------
    bool
        Whether anything failed.

    Raises
    ------
    BadInputError
        If a name or a number is refused, or nothing can be written.
    KeyboardInterrupt
        After what was found has been printed.
    """
    from rich.console import Console

    from contend.harness.present.progress.campaign_progress import CampaignProgress
    from contend.harness.record.atomic_write import check_folder
    from contend.harness.record.environment import usable_cores
    from contend.harness.verify.schedule_fuzzer import campaign
    from contend.harness.verify.schedule_fuzzer.printing import print_failure, print_tally

    check_folder(results)
    strategies = campaign.checked_strategies(asked.value("strategies") or ())
    sources = asked.value("workloads") or campaign.default_sources()
    campaign.check_sources(sources)
    workers = asked.value("workers") or campaign.WORKERS
    check_numbers(schedules=(1, schedules), seed=(0, seed))
    tally, began, console = campaign.Tally(), time.monotonic(), Console()
    try:
        with CampaignProgress("schedules", schedules, quiet) as shown:

            def progress(now: campaign.Tally) -> None:
                shown.show(sum(now.schedules.values()), len(now.failures))

            hinted = campaign.hinted_strategies(strategies)
            planned = campaign.batches(strategies, sources, workers, schedules, seed, hinted)
            campaign.campaign(planned, processes or len(usable_cores()), tally, progress, MOST_FAILURES)
    finally:
        for failure in tally.failures:
            print_failure(failure, results / "schedules", console)
        print_tally(tally, time.monotonic() - began, console)
    return bool(tally.failures)


def replay(path: Path) -> bool:
    """Run the schedule of a file again, exactly, and print block and differences.

    Returns
    -------
    bool
        Whether it failed.

    Raises
    ------
    BadInputError
        If the file is no schedule, or names what there is not.
    """
    from rich.console import Console

    from contend.harness.verify.schedule_fuzzer.campaign import check_sources, checked_strategies
    from contend.harness.verify.schedule_fuzzer.cases import ScheduleCase, scene_of
    from contend.harness.verify.schedule_fuzzer.checker import ScheduleChecker
    from contend.outside_files import json_of, reason, text_of
    from contend.strategies import registry

    try:
        content = json_of(text_of(path))
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: not a readable schedule ({reason(error)})") from error
    case = ScheduleCase.from_json(content, str(path))
    checked_strategies((case.strategy,))
    check_sources((case.source,))
    console, scene = Console(), scene_of(case)
    names = {address: name for name, address in scene.contracts.items()}
    for place, transaction in enumerate(scene.block):
        to = names.get(transaction.to or b"", (transaction.to or b"").hex())
        console.print(
            f"{place:4d}  from {transaction.sender.hex()[:8]}  nonce {transaction.nonce}  to {to}  value "
            f"{transaction.value}  gas {transaction.gas_limit}  data {transaction.data.hex()[:64]}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    checker = ScheduleChecker(registry.get)
    differences = checker.differences(case)
    checker.close()
    for difference in differences:
        console.print(difference, markup=False, highlight=False, soft_wrap=True)
    verdict = "FAILED" if differences else "equals the serial result"
    console.print(f"{case.strategy} with {case.workers} workers, schedule seed {case.schedule}: {verdict}")
    return bool(differences)
