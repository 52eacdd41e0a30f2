"""Report of the findings, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contend.harness.doctor.finding import BAD, DOUBTFUL, OK, UNKNOWN, Finding, worst

SCHEMA = "contend-doctor/1"
_TABLE_WIDTH = 72  # below that, columns of sentences are towers of syllables
_STYLES = {OK: "green", UNKNOWN: "dim", DOUBTFUL: "yellow", BAD: "bold red"}
_CLOSING = {
    OK: "Nothing found that makes timings unreliable.",
    UNKNOWN: "Nothing found that makes timings unreliable; the system does not tell everything.",
    DOUBTFUL: "Small differences between timings cannot be trusted here: use more --repeat and --processes.",
    BAD: "Timings taken here now mean little. Simulated figures do not depend on the machine: --clock virtual.",
}


def as_json(findings: list[Finding], workers: int, environment: dict[str, Any]) -> dict[str, Any]:
    """All findings, the worst verdict among them, and the machine that they are about."""
    rows = [{**asdict(finding), "figures": dict(finding.figures)} for finding in findings]
    return {
        "schema": SCHEMA,
        "verdict": worst(findings),
        "workers": workers,
        "environment": environment,
        "findings": rows,
    }


def print_findings(console: Console, findings: list[Finding]) -> None:
    """Print a row for each finding, and what follows from the worst."""
    if console.width < _TABLE_WIDTH:
        _print_list(console, findings)
    else:
        _print_table(console, findings)
    console.print(_CLOSING[worst(findings)])


def _print_list(console: Console, findings: list[Finding]) -> None:
    for finding in findings:
        console.print(f"[bold]{finding.check}[/]: [{_STYLES[finding.verdict]}]{finding.verdict}[/]")
        console.print(Padding(Text(finding.found), (0, 0, 0, 2)))
        if finding.advice:
            console.print(Padding(Text(finding.advice, style="dim"), (0, 0, 0, 2)))


def _print_table(console: Console, findings: list[Finding]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("check", "found", "verdict", "what to do"):
        table.add_column(name, no_wrap=name in ("check", "verdict"))
    for finding in findings:
        table.add_row(finding.check, finding.found, f"[{_STYLES[finding.verdict]}]{finding.verdict}[/]", finding.advice)
    console.print(table)
