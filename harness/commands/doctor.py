"""``contend doctor``."""

from __future__ import annotations

import json

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, interruptible


@click.command("doctor")
@click.option("--workers", type=click.IntRange(1, 4096), default=2, show_default=True, help="That are to be measured.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--strict", is_flag=True, help="End with exit code 1 if something is bad.")
@click.pass_context
def command(context: click.Context, workers: int, as_json: bool, strict: bool) -> None:
    """Find out what on this machine makes timings unreliable, and what to do about it.

    Measures for about two seconds, in which nothing else should run. Exit codes: 0, 2 bad input; with --strict 1 if
    something is bad.
    """
    from contend.harness.doctor.finding import BAD, worst
    from contend.harness.doctor.run_checks import run_checks

    with bad_input(), interruptible():
        findings = run_checks(workers)
        if as_json:
            from contend.harness.doctor import report
            from contend.harness.record.environment import describe

            click.echo(json.dumps(report.as_json(findings, workers, describe()), indent=1))
        else:
            from rich.console import Console

            from contend.harness.doctor.report import print_findings

            print_findings(Console(), findings)
        context.exit(EXIT_FAILED if strict and worst(findings) == BAD else 0)
