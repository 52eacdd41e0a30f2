"""What ``contend run`` does with a request: progress, record, table, charts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.archive.store import Store
from harness.archive.writing import check_file, check_folder, write_json
from harness.measure.engine import Engine, has_failures
from harness.progress import display
from harness.request import Request
from harness.tables import print_results

STANDARD_OUTPUT = "-"


class RunCommand:
    """One invocation of ``contend run``.

    Parameters
    ----------
    request : Request
    results : Path
        Results folder.
    json_path : str or None
        Where to write the record as well; ``-`` is standard output, and everything else then goes to standard error.
    charts : bool
        Whether to draw charts.
    quiet : bool
        Whether to keep silent about progress.
    command : sequence of str, optional
        Command line, for the record.
    resumed : Path, optional
        Record to go on with, whose request `request` is (`harness.archive.resume.choose`).

    Raises
    ------
    BadInputError
        If a place cannot be written.
    """

    def __init__(
        self,
        request: Request,
        results: Path,
        json_path: str | None,
        charts: bool,
        quiet: bool,
        command: Sequence[str] | None = None,
        resumed: Path | None = None,
    ) -> None:
        check_folder(results)
        if json_path not in (None, STANDARD_OUTPUT):
            check_file(Path(str(json_path)))
        self._request = request
        self._store = Store(results)
        self._json_path = json_path
        self._charts = charts
        self._quiet = quiet
        self._command = command
        self._resumed = resumed
        self._console = Console(stderr=json_path == STANDARD_OUTPUT)

    def run(self) -> bool:
        """Measure, write, print.

        Returns
        -------
        bool
            Whether a cell failed.

        Raises
        ------
        BadInputError
            If the request is refused, or cannot be gone on with; nothing was measured or written.
        KeyboardInterrupt
            If the user ended the run; what was measured has been written and printed.
        """
        try:
            return self._run()
        finally:
            self._store.close()

    def _run(self) -> bool:
        engine = Engine(self._request, accepted=self._store.open, save=self._store.write, command=self._command)
        if self._resumed is not None:
            from harness.archive.resume import read_incomplete

            # Claimed first: until then its run may still be going on.
            self._store.adopt(self._resumed)
            engine.resumed = read_incomplete(self._resumed)
        try:
            with display(self._quiet) as observer:
                engine.observer = observer
                engine.run()
        except KeyboardInterrupt:
            self._report(engine.record, interrupted=True)
            raise
        self._report(engine.record, interrupted=False)
        return has_failures(engine.record)

    def _report(self, record: dict[str, Any], interrupted: bool) -> None:
        if not record or (interrupted and not record["cells"]):
            Console(stderr=True).print("Interrupted before anything was measured.")
            return
        self._write_json(record)
        print_results(self._console, record)
        if interrupted:
            self._console.print("Interrupted: the cells above are those measured until then.", style="bold")
            self._console.print("`contend run --resume` measures the others.", highlight=False)
        self._console.print(f"record: {self._store.path}", soft_wrap=True, highlight=False)
        if self._charts and not interrupted:
            self._draw(record)

    def _write_json(self, record: dict[str, Any]) -> None:
        if self._json_path == STANDARD_OUTPUT:
            json.dump(record, sys.stdout, indent=1, allow_nan=False)
            sys.stdout.write("\n")
            sys.stdout.flush()
        elif self._json_path is not None:
            write_json(Path(self._json_path), record)

    def _draw(self, record: dict[str, Any]) -> None:
        from harness.charts import draw
        from harness.frame import to_frame

        for path in draw(to_frame([record]), self._store.charts, record["id"]):
            self._console.print(f"chart:  {path}", soft_wrap=True, highlight=False)
