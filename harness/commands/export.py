"""``contend export``: a workload's block, written to a file."""

from __future__ import annotations

from pathlib import Path

import click

from contend.harness.commands.common import bad_input, interruptible
from contend.harness.commands.options import Asked, request_options, tell_settings
from contend.harness.errors import BadInputError
from contend.harness.plan.request import Request


@click.command("export")
@request_options(
    "workloads",
    "dials",
    "block_size",
    "blocks",
    "seed",
    workloads={"metavar": "NAME", "required": True, "help": "Workload whose first block is written."},
)
@click.option("--output", "-o", required=True, metavar="FILE", help="File to write; gzip if its name ends in .gz.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
def command(asked: Asked, output: str, quiet: bool) -> None:
    """Write a workload's block to a file, with the state before it, its access list, and what a serial run gave.

    The file runs here by `contend run --workload replay --block FILE`, and elsewhere by any program that reads the
    format.
    """
    from contend.harness.present.progress.compile_notice import compilations_told

    with bad_input(), interruptible(), compilations_told(quiet):
        request = asked.request()
        tell_settings(asked.settings, quiet)
        with asked.naming_sources():
            written = export(request, Path(output))
        if not quiet:
            click.echo(written)


def export(request: Request, path: Path) -> str:
    """Build the request's one workload, run its block serially, and write all of it.

    Returns
    -------
    str
        One line about what was written.

    Raises
    ------
    BadInputError
        If the request names no single workload, or the file cannot be written.
    """
    from contend.harness.plan.resolve import plan_workloads

    plans = plan_workloads(request)
    if len(plans) != 1:
        what = "block file" if request.blocks else "workload"
        raise BadInputError(f"{what}: a file holds one block; name one {what}, not {len(plans)}")
    if not path.parent.is_dir():
        raise BadInputError(f"{path}: the folder {path.parent} does not exist; make it first")
    from contend.evm import CapacityError
    from contend.evm.access_list import access_list_of, decode, encode, list_operations
    from contend.evm.accounts import accounts_of
    from contend.evm.drivers.block_operations import BlockOperationError
    from contend.strategies.serial import Serial
    from contend.workloads import registry
    from contend.workloads.files.block_export import document_of, write_document

    plan = plans[0]
    scenario = registry.get(plan.name)().build(plan.dials, request.seed, request.block_size)
    block, state, around = scenario.blocks[0], scenario.genesis, scenario.around
    first = state if around is None or around.before is None else around.before
    before, snapshot = accounts_of(first), state.snapshot()
    try:
        listed = access_list_of(block, state)
        if around is not None and around.before is not None:
            operations = list_operations(block, around.before, around.operations)
            listed = encode(operations.joined(decode(listed)))
        receipts = Serial().execute(block, state, 1).receipts
        after = accounts_of(state)
        state.restore(snapshot)
    except (CapacityError, BlockOperationError) as error:
        raise BadInputError(f"{plan.title}: {error}") from None
    dials = ", ".join(f"{name}={value}" for name, value in plan.dials.items())
    source = f"contend export, workload {plan.name}, seed {request.seed}, {dials}"
    document = document_of(block, before, after, receipts, source, listed, around)
    try:
        write_document(path, document)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be written: {error.strerror}") from None
    return f"{path}: {len(block)} transactions, {len(before)} accounts, {int(receipts.gas_used.sum())} gas"
