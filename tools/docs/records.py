"""The page about records, ``docs/records.md``, made from schema and code: ``python -m tools.docs.records``.

Tables in documents are generated, never typed; a test compares the page with what this module gives. The same goes for
the part of the schema that says what a request is, which is made from its options and written into the schema's file.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contend.harness.plan.options import record_schema
from contend.harness.plan.request import Request
from contend.harness.record.frame import COLUMNS
from contend.harness.record.load import SCHEMA_FILE
from contend.harness.record.migrate import SCHEMA, VERSIONS
from contend.harness.records import schema

# Of the schema's file.
WIDTH = 116
PAGE = Path(__file__).resolve().parents[2] / "docs" / "records.md"
INTRODUCTION = """\
# Records

Made by `python -m tools.docs.records` from `harness/record/record.schema.json` and the code; edit those. The schema's
part about `request` is itself made from the fields of `Request` (`harness/plan/request.py`).

Every `contend run` leaves one JSON file, `results/records/ID.json`: raw samples, and all that is needed to judge them.
The samples are the truth. Derived figures stand in the file for readers without Contend; Contend computes them anew
from the samples whenever it reads a record, and ignores what the file says.

```python
import contend

cells = contend.load("results")  # a results folder, a folder of records, files, or several of these
cells.groupby(["workload", "strategy", "workers"])["tx_per_second"].median()
```

`contend.load` gives a pandas DataFrame, one row a cell. A file in a folder that is damaged, or that a newer Contend
wrote, is named in a `RecordWarning` and left out; commands say the same in one line on standard error. A file that is
named itself must be readable, or `BadInputError` says why it is not. `contend.read` gives one record as a dictionary.

## What is safe when

- **Nothing is overwritten.** The id of a record is its time and a random part; the first writer holds a lock on
  the name, and a run that finds its name taken draws another. Runs at the same time in one folder do not meet.
- **A reader never sees half a record.** It is written to a hidden file, flushed to disk, and put in place by a rename.
- **A run may be killed at any moment, `kill -9` included.** The record is written as soon as a workload's cells are
  finished, and about once a second between rounds before that. It is never written between the runs of a round, which
  belong together. Measuring processes notice that the command is gone and end, with all that they have started.
- **`contend run --resume [RECORD]` goes on.** Without a name it takes the newest incomplete record of the results
  folder that nobody is measuring. It measures what is missing: finished cells and earlier samples stay as they are, to
  the last digit; cells that failed have failed. New processes are numbered on, so that intervals still span processes,
  and `sessions` says what was measured in which sitting. It refuses in one line, and changes nothing, if kernels,
  costs, machine, plan or blocks are no longer those of the record. Simulated times are the same everywhere, so there
  the machine may differ.
- **Two wall-clock runs on one machine take time from each other, and say so.** None waits. Each tells of the other when
  it meets it, notes it in `sessions[].other_runs`, and cells with samples of that time have `other_runs` and a warning.
  They know of each other by files in a folder that all users share (`harness/doctor/run_mark.py`); a file counts as
  long as its process lives, `kill -9` included. `CONTEND_MARKS_DIR` names another folder, where containers or private
  temporary folders hide it.

## Which machine

`machine` is a digest of what makes wall-clock times comparable: the processor's model, the cores that the run could
use, memory in whole GiB, operating system with its version, and the versions of Python, numba and llvmlite
(`harness/record/environment.py`). Load and governor are recorded, and are not part of it: they change from hour to
hour, and statistics have to deal with them.
"""
COLUMNS_TEXT = """\
## Columns

One row a cell. Names are those of the record's keys, after a plain rule: a figure ends in its unit (`_seconds`,
`_per_second`) or is a pure number (`speedup`, `share_of_bound`); `_low` and `_high` are the ends of its interval; a
median of a phase is `<phase>_seconds`; a digest ends in `_digest` or is named after what it is of (`kernels`, `costs`,
`machine`). After the columns below come one `dial.<name>` for every dial and one `count.<name>` for every counter that
any cell has. New columns may come; none changes its meaning without a new version of the schema. A cell that failed has
its row too, with `error` and without figures.
"""
COUNTERS_TEXT = """\
## Counters

A strategy counts what it can tell (`counters` of a sample, columns `count.<name>`). Of its executions these, which have
nothing in common; a run in which they do not add up has failed, as one with a wrong result has:

    executions = transactions + aborts + wait_restarts + repairs

| counter | what it counts |
| --- | --- |
| `executions` | transactions begun at their first instruction, for the block's result |
| `aborts` | of them, those that were thrown away because they had run on something stale, or had lost their locks |
| `wait_restarts` | those that were given up where they had to wait, and begun again after the wait |
| `repairs` | those that a plan ordered and that were stale: at most one a transaction |
| `waits` | waits for another transaction after which an execution went on where it was |
| `dry_runs` | executions on the state before the block, for hints; no part of the sum |
| `aborts_<kind>`, `aborts_at_<class>` | aborts and repairs by what they were due to |
| `wasted_gas` | gas of executions that were thrown away |
| `agreement_messages`, `agreement_checks` | messages between validators, and signatures that they checked |
| `agreement_rounds`, `agreement_delays` | rounds or views, and latencies of the network, until agreement |
| `cold_records`, `cold_reads` | records read from a store behind the state, and reads of its device for them |
| `store_records`, `store_warm` | records committed to a database; whether pages of it were in memory before |

What is *per transaction* is a rate and may be more than 1. Records of before these names had `dependency_waits`
(now `wait_restarts`), `lock_waits` (now `waits`), and of plans `repaired`, which was `aborts` and `dependency_waits`
together: how many of those aborts were the plan's is not known, so both are missing then, and `wasted_per_transaction`
tells the sum.
"""
FORMAT_TEXT = """\
## Format

JSON in UTF-8; times in seconds, work in picoseconds. `harness/record/record.schema.json` is its JSON Schema (draft
2020-12), against which the tests hold every record that they write. At run time Contend checks what readers rely on
(types, required keys, ranges) and leaves keys alone that it does not know. *opt.* marks keys that may be absent.
"""
# In the order of the page: what of the schema, and its heading.
PARTS = {
    "": "The record",
    "environment": "`environment`",
    "plugin": "`environment.plugins[]`",
    "request": "`request`",
    "setting": "`settings[]`",
    "planned": "`planned`",
    "session": "`sessions[]`",
    "otherRun": "`sessions[].other_runs[]`",
    "node": "`sessions[].nodes[]`",
    "load": "`sessions[].load`",
    "cell": "`cells[]`",
    "sample": "`cells[].samples[]`",
    "phases": "`phases`",
    "speedup": "`cells[].speedup`",
    "over_baseline": "`cells[].over_baseline`",
    "stages": "`cells[].stages`",
    "consensus": "`cells[].stages.consensus`",
    "signatures": "`cells[].stages.signatures`",
    "state": "`cells[].stages.state`",
    "root": "`cells[].stages.root`",
    "given": "`cells[].given`",
    "hintShares": "`cells[].given.recall`, `.precision`",
    "passage": "`cells[].samples[].pipeline`",
    "pipeline": "`cells[].pipeline`",
    "latency": "`cells[].latency`",
    "bounds": "`cells[].bounds`",
    "bound": "`cells[].bounds.plain`, `.commutative`, `.independent`",
}


def page() -> str:
    """The whole page, as Markdown."""
    parts = [INTRODUCTION, _versions(), _columns(), COUNTERS_TEXT, FORMAT_TEXT, *map(_part, PARTS)]
    return "\n".join(parts)


def _versions() -> str:
    lines = [
        "## Versions",
        "",
        f"This Contend writes `{SCHEMA}` and reads every older version as if it had been written so: what an old",
        "record does not say is null, and the file stays as it is. A version is raised when a key changes its meaning",
        "or a new one is required.",
        "",
        "| version | what it is |",
        "| ---: | --- |",
    ]
    return "\n".join([*lines, *(f"| {version} | {text} |" for version, text in VERSIONS.items()), ""])


def _columns() -> str:
    rows = [f"| `{name}` | {text} |" for name, text in COLUMNS.items()]
    return "\n".join([COLUMNS_TEXT, "| column | meaning |", "| --- | --- |", *rows, ""])


def _part(name: str) -> str:
    whole = schema()
    part = whole["$defs"][name] if name else whole
    required = part.get("required", ())
    lines = [f"### {PARTS[name]}", "", "| key | type | meaning |", "| --- | --- | --- |"]
    for key, field in part["properties"].items():
        optional = "" if key in required else " *opt.*"
        lines.append(f"| `{key}`{optional} | {kind_of(field)} | {meaning_of(field)} |")
    return "\n".join([*lines, ""])


def kind_of(field: Mapping[str, Any]) -> str:
    """The type of a key, in words: ``array of string``, ``number or null``."""
    if "enum" in field:
        return " or ".join(f"`{word}`" for word in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "anyOf" in field:
        return kind_of(field["anyOf"][0])
    if "$ref" in field:
        return kind_of(schema()["$defs"][field["$ref"].rpartition("/")[2]])
    kinds = field["type"]
    text = kinds if isinstance(kinds, str) else " or ".join(kinds)
    items = field.get("items")
    return text if items is None else text.replace("array", f"array of {kind_of(items)}")


def meaning_of(field: Mapping[str, Any]) -> str:
    """Meaning of a key: as it says itself, or else its definition."""
    if "description" in field or "$ref" not in field:
        return str(field.get("description", ""))
    return meaning_of(schema()["$defs"][field["$ref"].rpartition("/")[2]])


def schema_text(text: str, request: type = Request) -> str:
    """The text of the schema's file with its definition of a request made anew; all else stays as it is."""
    definition = f'    "request": {_json(record_schema(request), 4)},\n'
    return re.sub(r'^    "request": \{\n.*?^    \},\n', lambda _: definition, text, count=1, flags=re.M | re.S)


def _json(value: Any, margin: int) -> str:
    """JSON as the schema's file has it: in one line where that fits, else an entry a line."""
    if isinstance(value, dict):
        entries, ends = [f"{json.dumps(key)}: {_json(one, margin + 2)}" for key, one in value.items()], "{}"
    elif isinstance(value, list):
        entries, ends = [_json(one, margin + 2) for one in value], "[]"
    else:
        return json.dumps(value)
    space = " " if ends == "{}" else ""
    line = f"{ends[0]}{space}{', '.join(entries)}{space}{ends[1]}"
    if "\n" not in line and margin + len(line) < WIDTH:
        return line
    indented = ",\n".join(f"{' ' * (margin + 2)}{entry}" for entry in entries)
    return f"{ends[0]}\n{indented}\n{' ' * margin}{ends[1]}"


def main() -> int:
    """Write the schema's part about requests, and the page; the exit code."""
    SCHEMA_FILE.write_text(schema_text(SCHEMA_FILE.read_text(encoding="utf-8")), encoding="utf-8")
    schema.cache_clear()
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
