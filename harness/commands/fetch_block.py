"""``contend fetch-block``: blocks of a chain, from a node to block files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, interruptible
from contend.harness.errors import BadInputError

if TYPE_CHECKING:
    from contend.workloads.node.block_fetcher import BlockFetcher
    from contend.workloads.node.node_address import NodeAddress

VARIABLE = "CONTEND_RPC"
MAINNET = 1
_MOST_SHOWN = 400


@click.command("fetch-block")
@click.argument("numbers", metavar="NUMBER...", nargs=-1, required=True)
@click.option(
    "--rpc",
    metavar="URL",
    help=f"Node to ask, http or https. A URL with a key is better put into the environment, as {VARIABLE}: command "
    "lines are kept by shells and seen by others. No part of it is shown or written.",
)
@click.option(
    "--output",
    "-o",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("blocks"),
    show_default=True,
    help="Folder for the block files; made if it is not there.",
)
@click.option(
    "--chain",
    metavar="CHAIN",
    default="mainnet",
    show_default=True,
    help="Chain that is meant: mainnet, sepolia, holesky, hoodi, or its number.",
)
@click.option("--fork", metavar="NAME", help="Rules to execute the blocks under.  [default: by chain and time]")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 3_600.0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds for each answer.",
)
@click.option(
    "--tries",
    type=click.IntRange(1, 20),
    default=6,
    show_default=True,
    help="How often something is asked of a node that is busy or late, after longer and longer pauses.",
)
@click.option("--no-check", is_flag=True, help="Write blocks without executing them first.")
@click.option("--again", is_flag=True, help="Fetch blocks whose files are there already.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
@click.pass_context
def command(
    context: click.Context,
    numbers: tuple[str, ...],
    rpc: str | None,
    folder: Path,
    chain: str,
    fork: str | None,
    timeout: float,
    tries: int,
    no_check: bool,
    again: bool,
    quiet: bool,
) -> None:
    """Fetch blocks from a node, with the state before them and their receipts, each into a file that can be replayed.

    NUMBER is a block's number, a range FIRST..LAST, or latest. The node has to offer debug_traceBlockByNumber, and to
    have the state of that time: of an archive node any, of another the newest blocks.

    Each block is executed before it is written; one that does not give the chain's receipts is not written, and the
    exit code is 1. All run by `contend run --workload replay --block DIR`.
    """
    from contend.workloads.node.block_fetcher import BlockFetcher, chain_named
    from contend.workloads.node.block_numbers import block_numbers
    from contend.workloads.node.json_rpc import JsonRpc
    from contend.workloads.node.node_address import NodeAddress
    from contend.workloads.node.node_error import NodeError

    def told(line: str) -> None:
        if not quiet:
            click.echo(f"  {line}", err=True)

    with bad_input(), interruptible():
        try:
            asked, meant, address = block_numbers(numbers), chain_named(chain), NodeAddress(_url(rpc))
        except NodeError as error:
            raise BadInputError(str(error)) from None
        _check_folder(folder)
        with closing(JsonRpc(address, timeout, tries, told)) as node:
            session = Session(BlockFetcher(node, meant, fork, timeout, told), address, folder, again, not no_check)
            with session.in_one_line():
                session.fetcher.check_chain()
            wrong = 0
            for place, number in enumerate(asked, 1):
                if not quiet:
                    click.echo(f"{place} of {len(asked)}: block {'latest' if number is None else number}", err=True)
                line, right = session.fetch(number)
                wrong += not right
                if not (quiet and right):
                    click.echo(line if right else f"contend: {line}", err=not right)
        context.exit(EXIT_FAILED if wrong else 0)


@dataclass(frozen=True)
class Session:
    """Blocks from one node into one folder.

    Attributes
    ----------
    fetcher : BlockFetcher
    address : NodeAddress
        Of the node; kept out of all that is said.
    folder : Path
    again : bool
        Whether blocks are fetched whose files are there.
    checked : bool
        Whether blocks are executed before they are written.
    """

    fetcher: BlockFetcher
    address: NodeAddress
    folder: Path
    again: bool
    checked: bool

    def fetch(self, number: int | None) -> tuple[str, bool]:
        """Fetch a block, and write it if it is right.

        Returns
        -------
        tuple of str and bool
            One line about what became of it, and whether it is right.

        Raises
        ------
        BadInputError
            If the node does not answer as it should; nothing is written.
        """
        from contend.workloads.files.block_export import write_document

        if number is not None and self.path_of(number).exists() and not self.again:
            return f"{self.path_of(number)}: is there already", True
        began = time.perf_counter()
        with self.in_one_line(f"block {'latest' if number is None else number}: "):
            block = self.fetcher.block(number)
            number = block["number"].integer(64)
            path = self.path_of(number)
            if path.exists() and not self.again:
                return f"{path}: is there already", True
            document = self.fetcher.document(block)
            flaws = self._flaws(document)
        if flaws:
            return (
                f"block {number}: executed here it differs from the chain, so it is not written (--no-check writes "
                f"it): {flaws[0]}"
            ), False
        self.folder.mkdir(parents=True, exist_ok=True)
        write_document(path, document)
        seconds = time.perf_counter() - began
        return f"{path}: {_content(document)}, {path.stat().st_size:,} bytes, in {seconds:.1f} s", True

    def path_of(self, number: int) -> Path:
        """Where a block is written: by its number, and its chain where that is not Ethereum's main one."""
        chain = self.fetcher.chain
        return self.folder / (f"{number}.json.gz" if chain == MAINNET else f"{chain}-{number}.json.gz")

    @contextmanager
    def in_one_line(self, about: str = "") -> Iterator[None]:
        """Turn what a node does into one line, without any part of its URL.

        Raises
        ------
        BadInputError
            In place of the exception raised within.
        """
        from contend.workloads.files.fields import FieldError
        from contend.workloads.node.node_error import NodeError

        try:
            yield
        except (NodeError, FieldError) as error:
            raise BadInputError(about + self.address.without_secrets(str(error), _MOST_SHOWN)) from None

    def _flaws(self, document: dict[str, Any]) -> list[str]:
        from contend.workloads.files.block_file import block_of_document
        from contend.workloads.files.fields import Field

        if not self.checked:
            block_of_document(Field("block file", document, strict=True))
            return []
        from contend.harness.verify.fetched_block import flaws_of

        return flaws_of(document)


def _content(document: dict[str, Any]) -> str:
    gas = sum(one["gas_used"] for one in document["expected"]["receipts"])
    return (
        f"{len(document['transactions'])} transactions, {len(document['pre'])} accounts, {gas:,} gas, "
        f"{document['fork']}"
    )


def _url(given: str | None) -> str:
    """URL of the node: the option's, or the environment's."""
    found = given or os.environ.get(VARIABLE, "")
    if not found:
        raise BadInputError(f"--rpc: say which node to ask, by --rpc URL, or by {VARIABLE} in the environment")
    return found


def _check_folder(folder: Path) -> None:
    """Make sure, before a node is asked, that there can be files in the folder."""
    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"--output {folder}: is a file; name a folder")
    place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        raise BadInputError(f"--output {folder}: {place} cannot be written")
