"""What ``contend compare`` does with its two sides: measure or read, judge, print, write."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from rich.console import Console

from harness.archive.writing import check_file, write_json
from harness.compare.from_records import compare_records, read_side
from harness.compare.markdown import markdown
from harness.compare.result import Comparison
from harness.compare.targets import Records, Target
from harness.compare.terminal import print_comparison
from harness.compare.verdict import Rule
from harness.errors import BadInputError
from harness.progress import display
from harness.request import Request

STANDARD_OUTPUT = "-"


class CompareCommand:
    """One invocation of ``contend compare``.

    Parameters
    ----------
    a, b : Target
        Both records, or neither.
    request : Request
        What to measure, where they are no records.
    rule : Rule
    fail_on : frozenset of str
    markdown_path, json_path : str or None
        Where to write to; ``-`` is standard output, and the table then goes to standard error.
    quiet : bool
        Whether to keep silent about progress.

    Raises
    ------
    BadInputError
        If a place cannot be written, or both are to be standard output.
    """

    def __init__(
        self,
        a: Target,
        b: Target,
        request: Request,
        rule: Rule,
        fail_on: frozenset[str],
        markdown_path: str | None,
        json_path: str | None,
        quiet: bool,
    ) -> None:
        if markdown_path == json_path == STANDARD_OUTPUT:
            raise BadInputError("--markdown and --json: only one of them can be standard output")
        for option, path in (("--markdown", markdown_path), ("--json", json_path)):
            if path not in (None, STANDARD_OUTPUT):
                check_file(Path(str(path)), option)
        self._sides = a, b
        self._request = request
        self._rule = rule
        self._fail_on = fail_on
        self._markdown_path = markdown_path
        self._json_path = json_path
        self._quiet = quiet
        self._console = Console(stderr=STANDARD_OUTPUT in (markdown_path, json_path))

    def run(self) -> int:
        """Compare, print, write.

        Returns
        -------
        int
            The exit code.

        Raises
        ------
        BadInputError
            If a side cannot be read, or a version refuses the request.
        CrashError
            If nothing can be measured.
        KeyboardInterrupt
            If the user ended it; what had been compared has been printed and written.
        """
        a, b = self._sides
        if isinstance(a, Records) and isinstance(b, Records):
            comparison = compare_records(
                read_side(a.path, _warn), read_side(b.path, _warn), (a.label, b.label), self._rule, self._fail_on
            )
        elif isinstance(a, Records) or isinstance(b, Records):
            raise BadInputError(f"{a.label} and {b.label}: a record can only be compared with records")
        else:
            from harness.compare.runner import VersionComparison

            versions = VersionComparison(a, b, self._request, self._rule, self._fail_on)
            try:
                with display(self._quiet) as observer:
                    versions.run(observer)
            except KeyboardInterrupt:
                if versions.comparison.cells:
                    versions.comparison.interrupted = True
                    versions.comparison.notes.append("interrupted: the cells above are those compared until then")
                    self._report(versions.comparison)
                raise
            comparison = versions.comparison
        self._report(comparison)
        return comparison.exit_code

    def _report(self, comparison: Comparison) -> None:
        comparison.command = command_line(sys.argv[1:])
        if self._markdown_path == STANDARD_OUTPUT:
            sys.stdout.write(markdown(comparison))
        elif self._markdown_path is not None:
            Path(self._markdown_path).write_text(markdown(comparison), encoding="utf-8")
        if self._json_path == STANDARD_OUTPUT:
            sys.stdout.write(json.dumps(comparison.as_json(), indent=1, allow_nan=False) + "\n")
        elif self._json_path is not None:
            write_json(Path(self._json_path), comparison.as_json())
        sys.stdout.flush()
        print_comparison(self._console, comparison)


def command_line(arguments: list[str]) -> str:
    """Show the command as it was given, whatever started it."""
    return shlex.join(["contend", *arguments])


def _warn(text: str) -> None:
    Console(stderr=True).print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)
