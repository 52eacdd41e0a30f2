"""``contend access-list``: a block's access list (EIP-7928), written, shown, or checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, interruptible
from contend.harness.commands.options import Asked, request_options, tell_settings
from contend.harness.errors import BadInputError

if TYPE_CHECKING:
    from contend.evm.access_list import AccessList
    from contend.harness.analysis.block_lists import ListedBlock

KINDS = ("full", "locations", "reads", "indexed")


@click.command("access-list")
@request_options(
    "workloads",
    "dials",
    "block_size",
    "blocks",
    "seed",
    workloads={"metavar": "NAME", "help": "Workload whose first block it is; not needed with --block."},
)
@click.option("--strategy", "-s", "maker", metavar="NAME", default="serial", show_default=True, help="Who makes it.")
@click.option("--workers", type=click.IntRange(1, 1024), default=2, show_default=True, help="Of that strategy.")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="full as EIP-7928 has it; without values (locations); what is touched (reads); with readers, an extension of "
    "this project (indexed).",
)
@click.option("--output", "-o", metavar="LIST", help="File to write: RLP, or JSON if its name ends in .json.")
@click.option("--check", metavar="LIST", help="Hold a list against the block: exit code 1 and the first difference.")
@click.option("--json", "as_json", is_flag=True, help="Print figures and list as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
@click.pass_context
def command(
    context: click.Context,
    asked: Asked,
    maker: str,
    workers: int,
    kind: str,
    output: str | None,
    check: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write, show or check the access list of a block: what every transaction touches, and what it leaves (EIP-7928).

    The list is made by a strategy while it executes, and is the same whoever makes it.
    """
    from contend.harness.analysis import block_lists
    from contend.harness.present.progress.compile_notice import compilations_told

    with bad_input(), interruptible(), compilations_told(quiet):
        alone = asked.value("blocks") and not asked.value("workloads")
        request = asked.request(**({"workloads": ("replay",)} if alone else {}))
        if not request.workloads:
            raise BadInputError("workload: none is named; give --workload NAME, or --block FILE")
        tell_settings(asked.settings, quiet)
        listed = None if check is None else _read(Path(check), kind)
        with asked.naming_sources():
            subject = block_lists.listed_block(request)
        if listed is not None:
            _tell_difference(context, subject, listed, kind, str(check), quiet)
            return
        data = block_lists.made_by(maker, subject, workers, kind)
        _show(subject, data, kind, maker, output, as_json, quiet)


def _read(path: Path, kind: str) -> bytes:
    """Encoded list of a file: RLP, RLP in hexadecimal, or JSON; in JSON as it stands, wrong order and all."""
    from contend.evm.access_list import AccessListError, decode, encode, from_json
    from contend.outside_files import content_of, json_of, reason

    try:
        content = content_of(path)
    except (OSError, EOFError) as error:
        raise BadInputError(f"{path}: {reason(error)}; give a list that `contend access-list -o` wrote") from None
    text = content.strip()
    try:
        if text[:2] == b"0x":
            content = bytes.fromhex(text[2:].decode())
        elif text[:1] == b"[":
            content = encode(from_json(json_of(text)), kind)
        decode(content, kind, checked=False)
    except (ValueError, OverflowError, AccessListError) as error:
        raise BadInputError(
            f"{path}: {reason(error)}; a list is RLP, or JSON as `contend access-list` writes it"
        ) from None
    return content


def _tell_difference(
    context: click.Context, subject: ListedBlock, data: bytes, kind: str, name: str, quiet: bool
) -> None:
    from contend.harness.analysis.block_lists import flaw_of

    flaw = flaw_of(data, subject, kind)
    if flaw is None:
        if not quiet:
            click.echo(f"{name}: right, {len(data)} bytes for {len(subject.block)} transactions")
        return
    click.echo(f"{name}: {flaw}")
    context.exit(EXIT_FAILED)


def _show(
    subject: ListedBlock, data: bytes, kind: str, maker: str, output: str | None, as_json: bool, quiet: bool
) -> None:
    from contend.evm.access_list import decode, to_json
    from contend.harness.analysis.block_lists import summary_of

    content = decode(data, kind, len(subject.block))
    found = summary_of(content, data, subject, kind) | {"made_by": maker}
    if output is not None:
        _write(Path(output), content, data, kind)
    if as_json:
        click.echo(json.dumps(found | ({"list": to_json(content)} if kind == KINDS[0] else {}), indent=1))
    elif not quiet:
        _print(found)
        if output is not None:
            click.echo(f"{output}: {len(data)} bytes")


def _write(path: Path, content: AccessList, data: bytes, kind: str) -> None:
    from contend.evm.access_list import to_json

    if path.suffix == ".json" and kind != KINDS[0]:
        raise BadInputError(f"{path}: the kind {kind} has no form in JSON; give a file of another name for RLP")
    try:
        path.write_bytes(json.dumps(to_json(content), indent=1).encode() + b"\n" if path.suffix == ".json" else data)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be written: {error.strerror}") from None


def _print(found: Mapping[str, Any]) -> None:
    from rich.console import Console

    from contend.harness.present.tables.fitted_table import Column, FittedTable, GivesWay

    console = Console()
    named = "EIP-7928" if found["kind"] == KINDS[0] else f"kind {found['kind']}"
    lines = [
        f"{found['workload']}: access list ({named}), made by {found['made_by']}",
        f"{found['bytes']:,} bytes, {found['bytes_per_transaction']:,.1f} a transaction; {found['accounts']:,} "
        f"accounts, {found['items']:,} accounts and slots",
        ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found["entries"].items()),
        *([f"hash {found['hash']}"] if found["hash"] else []),
        *([f"the list that came with the block: {found['came_with_block']}"] if found["came_with_block"] else []),
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)
    fields = [*found["entries"]]
    columns = [
        Column("account", lambda row: row["name"] or _short(row["address"]), is_text=True, folds=True),
        Column("bytes", lambda row: f"{row['bytes']:,}"),
        *(Column(name.replace("_", " "), _figure(name)) for name in fields),
    ]
    gives_way = [GivesWay(name.replace("_", " ")) for name in ("code_changes", "nonce_changes", "balance_changes")]
    FittedTable(console, columns, gives_way).print_all(found["top"])


def _short(address: str) -> str:
    return f"{address[:10]}…{address[-4:]}"


def _figure(name: str) -> Any:
    return lambda row: f"{row[name]:,}"
