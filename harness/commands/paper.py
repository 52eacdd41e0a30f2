"""``contend paper``."""

from __future__ import annotations

from pathlib import Path

import click

from contend.harness.commands.common import bad_input, interruptible, tell
from contend.harness.plan.option_types import parse_names


@click.command("paper", no_args_is_help=True)
@click.argument("places", metavar="RECORDS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("paper"),
    show_default=True,
    help="Folder for figures, tables and captions.",
)
@click.option(
    "--width",
    default="column",
    show_default=True,
    metavar="column|text|MM",
    help="Of figures: a column (85 mm), the text of two (178 mm), or so many millimetres. What has no room in a column "
    "is as wide as the text.",
)
@click.option(
    "--baseline",
    default="serial",
    show_default=True,
    metavar="NAME",
    help="Strategy that the others are held against, with as many workers, beside their speed-up over serial.",
)
@click.option(
    "--workload", "-w", "workloads", metavar="NAMES", help="Workloads to show, separated by commas.  [default: all]"
)
@click.option("--quiet", "-q", is_flag=True, help="Do not say what is being done.")
def command(
    places: tuple[Path, ...], output: Path, width: str, baseline: str, workloads: str | None, quiet: bool
) -> None:
    """Make figures, tables and captions for a paper of records: files, folders of them, or results folders.

    Figures are PDF and SVG, tables LaTeX and CSV with intervals; each has a caption as text and as LaTeX, with setting,
    machine, versions and statistic. Of several settings that one is shown which a report would answer from. The same
    records give the same files. Exit codes: 0, or 2 for bad input.
    """
    with bad_input(), interruptible():
        from contend.harness.present.paper.contents import check_output
        from contend.harness.present.paper.paper_figures import parse_width
        from contend.harness.present.paper.paper_folder import PaperRequest, write_paper
        from contend.harness.record.load_all import read_all

        request = PaperRequest(parse_width(width), baseline, parse_names(workloads) if workloads is not None else ())
        check_output(output)
        records = list(read_all(places, lambda text: click.echo(f"warning: {text}", err=True)))
        if not quiet:
            tell(f"drawing {len(records)} record{'' if len(records) == 1 else 's'}")
        written = write_paper(records, output, request)
    if not quiet:
        for text in written.left_out:
            tell(f"left out, {text}")
        for name in written.removed:
            tell(f"removed {output / name}, of an earlier paper")
    figures, tables = (
        f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((written.figures, "figure"), (written.tables, "table"))
    )
    click.echo(f"paper: {written.document} ({figures}, {tables})")
