"""``contend learn``."""

from __future__ import annotations

from pathlib import Path

import click

from contend.harness.commands.common import bad_input, interruptible, tell


@click.command("learn")
@click.argument("records", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECORDS...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("model.json"),
    show_default=True,
    help="File for the model.",
)
def command(records: tuple[Path, ...], output: Path) -> None:
    """Learn from records who executes which block quickest, for the strategy adaptive.

    RECORDS are files, folders of them, or results folders, of runs of single blocks by several contenders, sizes,
    workloads and dials: simulated ones are exact, and the same on every machine. `contend run -s adaptive --model FILE`
    uses the model.
    """
    from contend.harness.analysis.learning.learner import learn
    from contend.harness.analysis.learning.lessons import lessons_of
    from contend.harness.analysis.learning.model_text import described, text_of_model
    from contend.harness.record.atomic_write import check_file, write_text
    from contend.harness.record.load_all import read_all

    with bad_input(), interruptible():
        check_file(output, "--output")
        model = learn(lessons_of(read_all(records, tell), tell))
        write_text(output, text_of_model(model))
        for line in described(model):
            click.echo(line)
        click.echo(f"model: {output}")
