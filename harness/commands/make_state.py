"""``contend make-state``."""

from __future__ import annotations

import importlib.util
import time
from collections import deque
from pathlib import Path

import click

from contend.harness.commands.common import bad_input, interruptible
from contend.harness.errors import BadInputError

_LEAST_RECORDS = 1
_MEGABYTE = 1_000_000


@click.command("make-state")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--records", default="10^7", show_default=True, metavar="COUNT", help="Accounts and slots, such as 10^7 or 250000."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of what is drawn.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(path: Path, records: str, seed: int, quiet: bool) -> None:
    """Make a durable store with as many records as a chain has.

    `contend run --state mdbx --state-path PATH` lays a workload's accounts among them, and what its blocks change is
    committed there. Ten million records take a gigabyte and about a minute. Exit codes: 0, 2 bad input, or a place
    where no store can be.
    """
    with bad_input(), interruptible():
        click.echo(make(path, records, seed, quiet))


def _number(text: str) -> int:
    """The whole number that is written as ``250000``, ``250_000`` or ``10^7``.

    Raises
    ------
    BadInputError
        If it is none, or out of range.
    """
    from contend.node.store.durable.made_state import MOST_RECORDS

    base, power, exponent = text.replace("_", "").partition("^")
    digits = [base, *([exponent] if power else [])]
    if all(part.isascii() and part.isdigit() and len(part) <= 12 for part in digits):
        number = int(base) if not power else int(base) ** min(int(exponent), 100) if int(base) <= 1000 else 0
        if _LEAST_RECORDS <= number <= MOST_RECORDS:
            return number
    raise BadInputError(f"records: {text} is no whole number from {_LEAST_RECORDS} to {MOST_RECORDS:,}, such as 10^7")


def make(path: Path, records_text: str, seed: int, quiet: bool) -> str:
    """Make a store, and say in one line what was made.

    Parameters
    ----------
    path : Path
    records_text : str
        How many, as a number or a power.
    seed : int
    quiet : bool
        Whether to show no progress.

    Raises
    ------
    BadInputError
        If the package is not installed, a number is out of range, or no store can be made there.
    """
    if seed < 0:
        raise BadInputError(f"seed: {seed} is out of range; give a whole number from 0")
    if importlib.util.find_spec("clibmdbx") is None:
        raise BadInputError("make-state needs the package clibmdbx; pip install 'clibmdbx>=1.0.4'")
    records = _number(records_text)
    from contend.harness.present.progress.tracked_loop import track
    from contend.node.base import StageError
    from contend.node.store.durable.made_state import make_state, piece_count
    from contend.node.store.durable.mdbx_opening import DATA_FILE

    began = time.perf_counter()
    try:
        heads = make_state(path, records, seed)
        for _ in track(range(piece_count(records)), "records", quiet):
            head = next(heads)
        # What comes behind the last piece: it is put in its place.
        deque(heads, maxlen=0)
    except StageError as error:
        raise BadInputError(str(error)) from error
    size = (path / DATA_FILE).stat().st_size / _MEGABYTE
    seconds = time.perf_counter() - began
    return (
        f"{path}: {records:,} records ({head.accounts:,} accounts, {head.slots:,} slots) and {head.codes} codes, "
        f"{size:,.0f} MB, made in {seconds:.1f} s"
    )
