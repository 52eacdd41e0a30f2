"""The paper's folder: tables say what the frame says, captions what the records say, and nobody's files are lost."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.harness.present.paper.contents import write_folder
from contend.harness.present.paper.latex import _ESCAPED, escaped
from contend.harness.present.paper.paper_table import paper_tables, table_data
from contend.harness.present.paper.provenance import sentences
from contend.harness.present.report.selection import frame_of, selections
from contend.harness.record.atomic_write import write_json

Record = dict[str, Any]
Maker = Callable[..., dict[str, Any]]


@pytest.fixture
def record(make_cell: Maker, make_record: Maker) -> Record:
    """Two workloads; block_stm is the best of one beyond doubt, of the other nothing is."""
    counters = {"executions": 1_100, "aborts": 100}
    cells = []
    for workload, ratio in (("swaps", 2.0), ("nft", 1.01)):
        cells.append(make_cell(workload=workload, strategy="serial", workers=1, ratio=1.0))
        cells.append(make_cell(workload=workload, strategy="block_stm", workers=2, ratio=ratio, counters=counters))
        cells.append(make_cell(workload=workload, strategy="sharded", workers=2, ratio=1.01))
    return make_record(cells)


def unescaped(text: str) -> str:
    """What LaTeX prints."""
    back = {written: letter for letter, written in _ESCAPED.items()}
    plain = re.sub("|".join(re.escape(one) for one in sorted(back, key=len, reverse=True)), lambda m: back[m[0]], text)
    return plain.replace("-{}-", "--").replace("-{}-", "--")


def rows_of(tabular: str) -> list[list[str]]:
    """Cells of a tabular's rows, names of groups left out; what is in bold begins with a star."""
    found = []
    for line in tabular.splitlines():
        if line.endswith(r" \\") and not line.startswith((r"\multicolumn", "strategy ")):
            cells = line.removesuffix(r" \\").split(" & ")
            found.append([unescaped(re.sub(r"^\\textbf\{(.*)\}$", r"*\1", cell)) for cell in cells])
    return found


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"))))
def test_escaped_text_has_no_command_and_no_dash(text: str) -> None:
    found = escaped(text)
    rest = found
    for written in sorted(_ESCAPED.values(), key=len, reverse=True):
        rest = rest.replace(written, "")
    assert not set(rest.replace("{}", "")) & set("\\&%$#_{}~^<>|")
    assert "--" not in found
    assert "\n" not in escaped("a\nb")


def test_latex_and_csv_say_what_the_frame_says(record: Record) -> None:
    frame = frame_of([record])
    (selected,) = selections(frame, [record])
    (table,) = paper_tables([selected], [record], frame, "block_stm")
    written = list(csv.DictReader(io.StringIO(table.data.to_csv(index=False))))
    rows = rows_of(table.tabulars[0])
    assert len(rows) == len(written) == len(selected.plain)
    for (_, cell), line, row in zip(selected.plain.iterrows(), written, rows, strict=True):
        for name in ("tx_per_second", "speedup", "speedup_low", "speedup_high"):
            assert float(line[name]) == cell[name]
        strategy, workers, rate, times, beside, bound, waste = row
        assert strategy.lstrip("*") == line["strategy"] == cell["strategy"]
        assert int(workers) == int(line["workers"]) == cell["workers"]
        assert int(rate.replace(",", "")) == round(cell["tx_per_second"])
        assert bound == "-"
        if cell["strategy"] == "serial":
            assert (times, waste) == ("1", "-")
            continue
        ends = [float(one) for one in re.findall(r"[\d.]+", times)]
        assert ends == pytest.approx([cell["speedup"], cell["speedup_low"], cell["speedup_high"]], abs=0.006)
        if cell["strategy"] == "sharded":
            ratio = float(line["over_block_stm"])
            assert ratio == pytest.approx(0.505 if cell["workload"] == "swaps" else 0.99, rel=0.1)
            assert float(beside.split()[0]) == pytest.approx(ratio, abs=0.006)
        else:
            assert beside == "1"


def test_the_best_is_marked_only_where_it_is_certain(record: Record) -> None:
    frame = frame_of([record])
    (selected,) = selections(frame, [record])
    data = table_data(selected.plain)
    assert list(data[data["best"]][["workload", "strategy"]].itertuples(index=False, name=None)) == [
        ("swaps", "block_stm")
    ]
    # A warning that it misleads, and it is not even considered.
    misleads: Any = [
        ["more workers than cores: 2 on 1"] if strategy == "block_stm" else []
        for strategy in selected.plain["strategy"]
    ]
    warned = selected.plain.assign(warnings=misleads)
    assert not table_data(warned)["best"].any()


def test_a_caption_says_what_the_record_says(record: Record) -> None:
    environment = record["environment"]
    environment["git"] = {"revision": "ab" * 20, "dirty": True}
    plugin = {"name": "waves", "version": "1.2", "git": {"revision": "cd" * 20, "dirty": False}, "sources": "ef"}
    environment["plugins"] = [
        {**plugin, "brings": ["strategy sharded"]},
        {**plugin, "name": "unshown", "brings": ["strategy another"]},
        {**plugin, "name": "loose", "git": None, "brings": ["workload nft"]},
    ]
    record["request"]["dials"] = {"pools": 100}
    (selected,) = selections(frame_of([record]), [record])
    text = " ".join(sentences(selected.plain, [record]))
    for said in (
        "blocks of 1,000 transactions, seed 1, pools=100",
        "Measured by the wall clock",
        "10 timed runs of each cell in 2 processes",
        "95 %",
        "a processor, 2 cores, 8 GiB, Linux, Python 3.11.0, numba 0.68.0",
        "Contend 0.1.0 (commit abababababab, with uncommitted changes)",
        "waves 1.2 (commit cdcdcdcdcdcd)",
        "loose 1.2 (commit unknown, sources ef)",
        "Date: 2026-01-02",
    ):
        assert said in text
    assert "SIMULATED" not in text
    assert "unshown" not in text


def test_what_is_not_known_is_called_unknown(record: Record) -> None:
    environment = record["environment"]
    environment |= {"git": None, "cpu": None, "memory_bytes": None, "numba": None}
    (selected,) = selections(frame_of([record]), [record])
    text = " ".join(sentences(selected.plain, [record]))
    for said in ("unknown processor", "unknown memory", "numba unknown", "commit unknown", "plug-ins, if any: unknown"):
        assert said in text


def paper(*words: Any) -> Any:
    return CliRunner().invoke(main, ["paper", *map(str, words)])


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_holds_figures_tables_and_captions_and_comes_out_the_same(record: Record, tmp_path: Path) -> None:
    write_json(tmp_path / "record.json", record)
    for name in ("one", "two"):
        words = ("--baseline", "block_stm", "--workload", "swaps")
        done = paper(tmp_path / "record.json", "-o", tmp_path / name, *words)
        assert done.exit_code == 0, done.output
        assert str(tmp_path / name / "paper.tex") in done.output
    files = files_of(tmp_path / "one")
    assert files == files_of(tmp_path / "two")
    shown = ("throughput-wall", "speedup-wall", "speedup-over-block_stm-wall", "wasted-wall")
    names = {f"figures/{one}.{kind}" for one in shown for kind in ("pdf", "svg")}
    names |= {f"captions/{one}.{kind}" for one in (*shown, "cells-wall") for kind in ("txt", "tex")}
    assert set(files) == names | {"tables/cells-wall.csv", "tables/cells-wall.tex", "paper.tex", "contents.json"}
    assert "nft" not in files["tables/cells-wall.csv"].decode()
    text = files["paper.tex"].decode()
    for one in shown:
        assert rf"\includegraphics{{figures/{one}.pdf}}" in text
        assert files[f"captions/{one}.tex"].decode().strip() in text
    assert r"\input{tables/cells-wall}" in text
    if (latex := shutil.which("pdflatex")) is not None:
        done = subprocess.run(
            [latex, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
            cwd=tmp_path / "two",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-2_000:]


def test_a_new_paper_replaces_an_old_one_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    old = {"figures/a.pdf": b"a", "figures/b.pdf": b"b", "captions/a.txt": b"A."}
    assert write_folder(folder, old, {}) == []
    (folder / "figures" / "mine.pdf").write_text("mine")
    new = {"figures/a.pdf": b"a, again", "captions/a.txt": b"A."}
    assert write_folder(folder, new, {"baseline": "serial"}) == ["figures/b.pdf"]
    found = files_of(folder)
    contents = json.loads(found.pop("contents.json"))
    assert found == {**new, "figures/mine.pdf": b"mine"}
    assert set(contents["files"]) == set(new)
    # Neither what was edited nor what is somebody else's is replaced; then nothing is.
    (folder / "captions" / "a.txt").write_text("Edited by hand.")
    before = files_of(folder)
    for files, said in (({**new, "figures/a.pdf": b"other"}, "was edited"), ({"figures/mine.pdf": b"x"}, "a.txt was")):
        with pytest.raises(BadInputError, match=said):
            write_folder(folder, files, {})
        assert files_of(folder) == before
    (folder / "captions" / "a.txt").unlink()
    with pytest.raises(BadInputError, match=r"mine\.pdf is there and not of a paper"):
        write_folder(folder, {"figures/mine.pdf": b"x"}, {})
    assert set(files_of(folder)) == set(before) - {"captions/a.txt"}


def test_a_command_that_was_interrupted_can_be_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, files = tmp_path / "out", {"figures/a.pdf": b"a", "figures/b.pdf": b"b"}
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if target.name == "b.pdf":
            raise KeyboardInterrupt
        return replace(self, target)

    write_folder(folder, {"figures/a.pdf": b"old"}, {})
    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_folder(folder, files, {})
    monkeypatch.undo()
    assert set(files_of(folder)) == {"contents.json", "figures/a.pdf"}
    write_folder(folder, files, {})
    assert {name: content for name, content in files_of(folder).items() if name != "contents.json"} == files


def test_a_folder_of_somebody_else_is_refused(record: Record, tmp_path: Path) -> None:
    source, folder = tmp_path / "record.json", tmp_path / "out"
    write_json(source, record)
    folder.mkdir()
    for name, content in (("main.tex", "mine"), ("contents.json", json.dumps({"files": {"../x": ""}}))):
        (folder / name).write_text(content)
        done = paper(source, "-o", folder)
        assert done.exit_code == 2
        assert "not of a paper; choose another folder with -o" in done.output
    assert set(files_of(folder)) == {"main.tex", "contents.json"}


def test_bad_input_is_one_line_and_writes_nothing(record: Record, tmp_path: Path) -> None:
    source = tmp_path / "record.json"
    write_json(source, record)
    for words, said in (
        (["--baseline", "block_stn"], "did you mean 'block_stm'?"),
        (["--workload", "swap"], "did you mean 'swaps'?"),
        (["--workload", ","], "names nothing"),
        (["--width", "wide"], "--width: 'wide' is no width"),
    ):
        done = paper(source, "-o", tmp_path / "out", *words, "-q")
        assert done.exit_code == 2
        assert said in done.output
        assert len(done.output.splitlines()) == 1
    for cell in record["cells"]:
        cell |= {"verified": False, "error": "differs", "samples": []}
    write_json(source, record)
    done = paper(source, "-o", tmp_path / "out", "-q")
    assert (done.exit_code, "FAILED" in done.output) == (2, True)
    assert paper(tmp_path / "missing", "-o", tmp_path / "out").exit_code == 2
    assert not (tmp_path / "out").exists()
