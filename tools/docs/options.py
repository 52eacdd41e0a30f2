"""The page about options, ``docs/options.md``, made from the code: ``python -m tools.docs.options``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from contend.harness.cli import main as contend
from contend.harness.commands.options import RequestOption
from contend.harness.plan.options import Option, options, signature, type_text
from contend.harness.plan.request import Request

PAGE = Path(__file__).resolve().parents[2] / "docs" / "options.md"
INTRODUCTION = """\
# Options

Made by `python -m tools.docs.options` from the code; edit that. An option is declared once, as a field of `Request`
(`harness/plan/request.py`); the command line, settings files and variables, `contend.run`, the key `request` of a
record and this page come from it.

What to measure and how, for the commands that measure (`contend COMMAND --help` shows what else each of them takes, and
defaults of its own), as environment variables, and as parameters of `contend.run` in Python:

"""
SETTINGS = """\

## Defaults of your own

What every run of a project has in common need not be typed each time. It may stand in a settings file, under the
option's long name without its dashes, or in the environment variable of the table above:

```toml
# pyproject.toml; in a file contend.toml the same without the first line
[tool.contend]
strategy = ["default", "my_strategy"]       # or "default,my_strategy", as on the command line
workers = [1, 2, 8]                         # or "1,2,...,64"
block-size = 2_000
set = { pools = 10, pool_zipf = 0.9 }       # dials, where a chosen workload has them
costs = "costs.json"                        # beside this file, wherever contend is called
```

```sh
CONTEND_WORKERS=1,2 CONTEND_SET='pools=10 pool_zipf=0.9' contend run
```

- **Order.** Command line, environment, file, built-in: what comes first says it. Of dials (`set`) each is a setting of
  its own.
- **Which file.** The nearest one from the current folder upward: in each folder `contend.toml`, then `pyproject.toml`
  if it has the table. Only that one is read.
- **What is in force is said.** A line on standard error names every value and where it is from
  (`contend: settings: workers 1,2 (CONTEND_WORKERS)`), the record has it under `settings`, and the JSON of a comparison
  too. `compare` gives both sides the same values, whatever files their checkouts have.
- **A default gives way** where something stronger contradicts it (`--suite` fixes what makes a block, `--rate` is said
  instead of a `load`) or leaves no use for it (`network` and `costs` under the wall clock, `load` of a single block, a
  dial that no chosen workload has).
- **Nothing is guessed.** A key that is no option, a variable that is nearly one, and a value that is refused are one
  line that names the place, and exit code 2. An empty variable says nothing.
- **`--isolated`** ignores file and environment. `--resume` and `contend report` take everything from records,
  `contend.run` and `contend.compare` in Python take what they are given, the asv suite and `make goals` have values of
  their own: none of these reads settings.
- **Which commands.** Those of the table, for the options that mean there what they mean to `contend run`: `explain`
  takes `seed`, `block-size` and `set`, so that it shows the block that `run` measured, but not `workers`, of which it
  has a default of its own.

A package of strategies keeps in its `pyproject.toml` what it is always measured with, and `contend run` in that folder
needs no option. In CI the same file holds, and a variable of the job narrows it ([docs/ci.md](ci.md)).
`CONTEND_CACHE_DIR`, `CONTEND_DATA_DIR` and `CONTEND_SUITE_...` are no options, and mean what they have always meant.

## Names that stand for names

`all` is all that is built in (for strategies with variants), `default` what is measured where nothing is named. An
installed package joins no run that does not name it: `--strategy default,waves` adds its strategy to the default,
`--workload all,auction` its workload to all.

## Cores and time

`--affinity 0,2` pins measuring processes to these cores, before they import anything, so that their threads and shards
stay there, too. The record has the list under `request`, and counts these cores as those of the machine, so that such
figures are not taken for those of a whole one. macOS has no way to pin; there it is refused.

`--time-budget 5m` ends a run when its time, compiling included, is up. What was measured until then is a record and a
table like any other; the table says which workloads and how many runs are missing, and `contend run --resume` measures
them, without a limit unless it is given a new one. Exit code 0, unless a cell failed; 1 if nothing was measured in
time.

## A first look

`--quick` measures a tenth of the usual transactions a block and two fifths of the usual runs: blocks of 1,000, 4 runs
of a cell, 8 pairs of a comparison. A value that is said, at least as strongly as `--quick` itself, stays. Tables and
records call the figures quick, and a comparison of a quick record with another one says so.

## How much is said

`-q` leaves results and errors; every command takes it. `-v` logs on standard error which settings file was read, what
is in force and what gives way, which processes were started, what they built, compiled and measured, and when; `-vv`
adds every kernel and every timed run. In Python the same comes from `logging.getLogger("contend")`.

## Shell completion

A shell in which `contend` is found completes commands, options, strategies, workloads and other closed lists, after one
line in its own file:

```sh
eval "$(_CONTEND_COMPLETE=bash_source contend)"    # bash from 4.4: ~/.bashrc
eval "$(_CONTEND_COMPLETE=zsh_source contend)"     # zsh: ~/.zshrc
_CONTEND_COMPLETE=fish_source contend | source     # fish: ~/.config/fish/completions/contend.fish
```
"""


def page(request: type = Request) -> str:
    """The whole page, as Markdown."""
    rows = [
        "| option | variable | parameter | type in Python | default | meaning | commands |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(request, name, option) for name, option in options(request).items()),
    ]
    return INTRODUCTION + "\n".join(rows) + "\n" + SETTINGS


def _row(request: type, name: str, option: Option[Any, Any]) -> str:
    flags = ", ".join(f"`{flag}`" for flag in option.flags)
    kind = type_text(signature(request).parameters[name].annotation)
    commands = ", ".join(f"`{command}`" for command in commands_with(name))
    parts = (flags, f"`{option.variable}`", f"`{name}`", _cell(kind), option.default_text or "-", _cell(option.help))
    return f"| {' | '.join(parts)} | {commands} |"


def commands_with(name: str) -> list[str]:
    """Commands that take the option."""
    return [
        command
        for command, made in contend.commands.items()
        if any(isinstance(one, RequestOption) and one.name == name for one in made.params)
    ]


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main() -> int:
    """Write the page; the exit code."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
