"""The command line: the group, and what all its commands do about errors. Each command is a file of `harness.commands`.

Exit codes: 0 all cells measured and verified, 1 a cell failed, 2 bad input, or a place that cannot be written or is
full, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from contend.harness.commands import (
    access_list,
    blocktest,
    calibrate,
    compare,
    doctor,
    explain,
    export,
    fetch_block,
    fuzz,
    fuzz_blocks,
    fuzz_evm,
    learn,
    list_,
    make_state,
    new,
    paper,
    report,
    risk,
    run,
    soak,
    statetest,
    timeline,
    validate_clock,
    warm_up,
)
from contend.harness.commands.common import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED
from contend.harness.commands.verbosity import add_verbosity
from contend.harness.present.font_cache import name_font_cache
from contend.harness.record.atomic_write import why_not


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from contend.harness.record.environment import describe, version_lines

        for line in version_lines(describe()):
            click.echo(line)
        context.exit()


class _Group(click.Group):
    """A group whose complaints are one line each, like all of ours."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the whole first sentence of what each says it does."""
        rows = []
        for name in self.list_commands(context):
            command = self.get_command(context, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=_NO_LIMIT)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; in standalone mode, end the process with its exit code."""
        standalone = options.pop("standalone_mode", True)
        options["standalone_mode"] = False
        if not standalone:
            return super().main(*arguments, **options)
        try:
            code = super().main(*arguments, **options)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # The reader of our output has closed it. Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(EXIT_FAILED)
        except OSError as error:
            # A place that cannot be read or written, or has no room; no strategy is to blame.
            click.echo(f"contend: {why_not(error)}", err=True)
            sys.exit(EXIT_BAD_INPUT)
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            hint = f" (see {context.command_path} --help)" if context else ""
            click.echo(f"contend: {' '.join(error.format_message().split())}{hint}", err=True)
            sys.exit(error.exit_code)
        sys.exit(code if isinstance(code, int) else 0)


_NO_LIMIT = 10_000


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print versions, commit and machine.",
)
def main() -> None:
    """Make execution strategies for smart contracts contend on the same blocks."""
    name_font_cache()


for _module in (
    run,
    compare,
    explain,
    timeline,
    list_,
    new,
    doctor,
    report,
    paper,
    calibrate,
    validate_clock,
    statetest,
    fuzz,
    fuzz_blocks,
    fuzz_evm,
    soak,
    export,
    fetch_block,
    access_list,
    blocktest,
    risk,
    make_state,
    learn,
    warm_up,
):
    add_verbosity(_module.command)
    main.add_command(_module.command)
