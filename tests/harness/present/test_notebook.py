"""What a notebook shows, by a stand-in for IPython: whether it is installed does not matter."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import contend
from contend.harness.compare.from_records import compare_records
from contend.harness.compare.result_frame import result_of
from contend.harness.compare.verdict import Rule
from contend.harness.measure import interleaved_runner
from contend.harness.present.notebook.cells_frame import Cells
from contend.harness.present.notebook.notebook_display import in_notebook
from contend.harness.record.frame import COLUMNS, to_frame

Make = Callable[..., dict[str, Any]]


class Handle:
    """An output of a notebook's cell, and all that it has shown."""

    def __init__(self, first: Any) -> None:
        self.shown = [first._repr_html_()]

    def update(self, content: Any) -> None:
        self.shown.append(content._repr_html_())


@pytest.fixture
def handles(monkeypatch: pytest.MonkeyPatch) -> list[Handle]:
    """This process is a notebook's; its outputs."""
    made: list[Handle] = []

    def display(content: Any, display_id: bool) -> Handle:
        assert display_id
        made.append(Handle(content))
        return made[-1]

    ipython, inner = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    vars(ipython).update(get_ipython=lambda: types.SimpleNamespace(kernel=object()), display=inner)
    vars(inner).update(display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    return made


def test_a_shell_without_a_kernel_is_no_notebook(monkeypatch: pytest.MonkeyPatch, handles: list[Handle]) -> None:
    assert in_notebook()
    vars(sys.modules["IPython"]).update(get_ipython=lambda: object())
    assert not in_notebook()
    vars(sys.modules["IPython"]).update(get_ipython=lambda: None)
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


@pytest.mark.usefixtures("plugins")
def test_a_run_shows_its_progress_in_one_output_and_leaves_a_line(handles: list[Handle]) -> None:
    cells = contend.run(["ledger", "restless"], "serial", block_size=20, repeat=2, processes=1)
    (handle,) = handles
    assert any("<progress" in shown and "of 4 runs" in shown for shown in handle.shown)
    # The first workload's figures are there while the second is measured.
    assert any("ledger</td>" in shown and "restless</td>" not in shown for shown in handle.shown)
    # The result shows itself.
    assert handle.shown[-1].startswith("<p>4 runs in ")
    assert "<table>" not in handle.shown[-1]
    assert isinstance(cells, Cells)


@pytest.mark.usefixtures("plugins")
def test_an_interrupted_run_leaves_the_finished_workloads_and_says_where_they_are(
    handles: list[Handle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = interleaved_runner.InterleavedRunner.measure

    def interrupted(runner: Any, batch: Any) -> None:
        if batch.log.title == "restless":
            raise KeyboardInterrupt
        measure(runner, batch)

    monkeypatch.setattr(interleaved_runner.InterleavedRunner, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        contend.run(["ledger", "restless"], "serial", block_size=20, repeat=2, processes=1, results=tmp_path)
    (path,) = tmp_path.glob("records/*.json")
    last = handles[0].shown[-1]
    assert "ledger</td>" in last
    assert f"1 cell measured, in {path}; contend.resume(" in last
    assert len(contend.load(path)) == 1
    # Outside a notebook the exception says it.
    monkeypatch.delitem(sys.modules, "IPython")
    with pytest.raises(KeyboardInterrupt) as caught:
        contend.run(["ledger", "restless"], "serial", block_size=20, repeat=2, processes=1)
    (note,) = caught.value.__notes__
    assert "1 cell measured and not written" in note


@pytest.mark.usefixtures("plugins")
def test_bad_input_is_one_line_in_a_notebook(handles: list[Handle]) -> None:
    with pytest.raises(contend.BadInputError) as caught:
        contend.run("ledgr", "serial")
    # IPython prints what this gives in place of a traceback.
    (line,) = caught.value._render_traceback_()
    assert line.startswith("BadInputError: unknown workload 'ledgr'")
    assert "ledger" in line
    assert not any("<table" in shown for handle in handles for shown in handle.shown)


@pytest.fixture
def cells(make_cell: Make, make_record: Make) -> Cells:
    rows = [
        make_cell("swaps", "serial", 1, 1.0),
        make_cell("swaps", "block_stm", 2, 1.5),
        make_cell("swaps", "<b>", 2, error="a < b"),
        make_cell("vault", "block_stm", 2, 3.0) | {"failed_transactions": 900},
    ]
    return Cells(to_frame([make_record(rows)]))


def headings(html: str) -> list[str]:
    return [part.partition("</th>")[0].rpartition(">")[2] for part in html.split("<th ")[1:]]


def test_speed_up_and_interval_come_first(cells: Cells) -> None:
    html = str(cells._repr_html_())
    assert headings(html)[:5] == ["workload", "strategy", "workers", "x serial", "interval"]
    ratio, low, high = (float(cells[name].iloc[1]) for name in ("speedup", "speedup_low", "speedup_high"))
    assert f">{ratio:.2f}</td>" in html
    assert f">[{low:.2f}, {high:.2f}]</td>" in html
    assert "FAILED: a &lt; b" in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert f"{float(cells['speedup'].iloc[3]):.2f}!" in html
    assert "!: most transactions fail" in html


def test_rows_that_are_chosen_are_shown_alike_and_a_reader_s_own_column_too(cells: Cells) -> None:
    chosen = cells[cells["strategy"] == "serial"].assign(mine=3.5)
    html = str(chosen._repr_html_())
    assert headings(html)[-1] == "mine"
    assert ">3.5</td>" in html
    assert "block_stm" not in html


def test_other_columns_are_shown_as_pandas_does(cells: Cells) -> None:
    few = Cells(cells[["strategy", "speedup"]])
    shown = str(Cells._repr_html_(few))
    assert '<table border="1" class="dataframe">' in shown
    assert set(COLUMNS) <= set(cells.columns)


def test_a_comparison_is_shown_as_its_outcome_and_a_table(make_cell: Make, make_record: Make) -> None:
    sides = [make_record([make_cell("swaps", name, 2, 1.5) for name in ("serial", "<b>")]) for _ in range(2)]
    html = result_of(compare_records(sides[:1], sides[1:], ("A", "B"), Rule(), frozenset()))._repr_html_()
    assert headings(html)[:3] == ["cell", "B / A", "verdict"]
    assert "swaps, &lt;b&gt; x2" in html
