"""``contend warm-up``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from contend.harness.commands.common import EXIT_FAILED, bad_input, interruptible, tell
from contend.harness.errors import BadInputError

if TYPE_CHECKING:
    from contend.cache_places import Places

# As small as a block can be that leaves no kernel out.
_WORKERS, _BLOCK_SIZE, _RUNS = (1, 2), 64, 2
_MEGABYTE = 1_000_000


@click.command("warm-up")
@click.option(
    "--strategy",
    "-s",
    "names",
    metavar="NAME[,NAME...]",
    help="Strategies whose kernels are compiled.  [default: all that are installed, those of plug-ins included]",
)
@click.option(
    "--clock",
    "clocks",
    type=click.Choice(["wall", "virtual", "both"]),
    default="both",
    show_default=True,
    help="Compile what runs under this clock.",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def command(context: click.Context, names: str | None, clocks: str, quiet: bool) -> None:
    """Compile all kernels and keep them, so that what is run next begins at once.

    For an image or an installation that several use: name the folder by CONTEND_CACHE_DIR, here and wherever it is run.
    Kernels are for the type of processor that they were compiled on. Exit codes: 0, 1 if a strategy fails, 2 if nothing
    can be kept.
    """
    with bad_input(), interruptible():
        from contend.cache_places import places

        found = places()
        if found.written is None:
            raise BadInputError(found.notice())
        if found.refused:
            tell(found.notice())
        asked = None if names is None else tuple(name.strip() for name in names.split(",") if name.strip())
        failed = warm_up(asked, ("wall", "virtual") if clocks == "both" else (clocks,), quiet)
        click.echo(_summary(found))
        context.exit(EXIT_FAILED if failed else 0)


def warm_up(names: tuple[str, ...] | None, clocks: tuple[str, ...], quiet: bool) -> bool:
    """Run a small block by every strategy, and with all strategies compile what only some blocks and options need.

    Parameters
    ----------
    names : tuple of str or None
        Of strategies; None for all that are installed.
    clocks : tuple of str
    quiet : bool
        Whether to keep silent about progress.

    Returns
    -------
    bool
        Whether a strategy failed.

    Raises
    ------
    BadInputError
        If a strategy is not known.
    """
    from contend.harness.measure.run_request import Engine, has_failures
    from contend.harness.plan.request import Request
    from contend.harness.present.progress.progress_bar import display

    failed, chosen = False, _chosen(names)
    for clock in clocks:
        fitting = tuple(name for name, of_strategy in chosen.items() if clock in of_strategy)
        if fitting:
            request = Request(
                ("payments",), fitting, _WORKERS, block_size=_BLOCK_SIZE, repeat=_RUNS, clock=clock, processes=2
            )
            engine = Engine(request)
            with display(quiet) as engine.observer:
                failed |= has_failures(engine.run())
    if names is None:
        _compile_others(quiet)
    return failed


def _compile_others(quiet: bool) -> None:
    """Compile precompiled contracts, which no block of a workload calls, and what stages of a node are made of."""
    from contend.evm.runtime.jit import on_compile
    from contend.evm.vm.precompiles import compile_natives
    from contend.node.registry import compile_stages

    def note(kernel: str, begins: bool, _: float) -> None:
        if begins and not quiet:
            tell(f"compiling or loading {kernel}")

    with on_compile(note):
        compile_natives()
        compile_stages()


def _chosen(names: tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    """Clocks of the strategies that are asked for; of all that are installed and can be imported, where none is."""
    from contend.harness.plan.resolve import lookup
    from contend.strategies import registry

    found = {}
    for name in registry.names(variants=True) if names is None else names:
        try:
            found[name] = tuple(lookup(registry, name).clocks)
        except BadInputError as error:
            if names is not None:
                raise
            tell(f"left out: {error}")
    return found


def _summary(found: Places) -> str:
    assert found.written is not None
    sizes = [path.stat().st_size for path in found.written.rglob("*") if path.is_file()]
    return f"kernels: {found.written} ({sum(sizes) / _MEGABYTE:.0f} MB)"
