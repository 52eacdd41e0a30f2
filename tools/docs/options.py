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
(`harness/plan/request.py`); the command line, `contend.run`, the key `request` of a record and this page come from it.

What to measure and how, for the commands that measure (`contend COMMAND --help` shows what else each of them takes, and
defaults of its own), and as parameters of `contend.run` in Python:

"""


def page(request: type = Request) -> str:
    """The whole page, as Markdown."""
    rows = [
        "| option | parameter | type in Python | default | meaning | commands |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(request, name, option) for name, option in options(request).items()),
    ]
    return INTRODUCTION + "\n".join(rows) + "\n"


def _row(request: type, name: str, option: Option[Any, Any]) -> str:
    flags = ", ".join(f"`{flag}`" for flag in option.flags)
    kind = type_text(signature(request).parameters[name].annotation)
    commands = ", ".join(f"`{command}`" for command in commands_with(name))
    return f"| {flags} | `{name}` | {_cell(kind)} | {option.default_text or '-'} | {_cell(option.help)} | {commands} |"


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
