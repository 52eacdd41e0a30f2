"""Provenance of figures in a sentence or two: on what, with which versions, in which setting and when, as records say.

Nothing is made up: what a record does not have is called unknown, and where records differ each value is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas

from contend.harness.present.charts.contention import swept
from contend.harness.present.formatting import count, listed
from contend.harness.present.report.answer import warnings_of
from contend.harness.present.report.block_setting import common_words
from contend.harness.record.statistics import CONFIDENCE, MANY_PROCESSES

UNKNOWN = "unknown"
_SHORT = 12
Record = Mapping[str, Any]


def setting(cells: pandas.DataFrame) -> str:
    """Blocks, seed, suite and dials of cells, without a full stop."""
    groups = cells.groupby("common", sort=False)["workload"]
    parts = [common_words(str(common), workloads) or "real blocks" for common, workloads in groups]
    if not any("seed" in part for part in parts):
        parts.append(f"seed {listed([str(seed) for seed in dict.fromkeys(cells['seed'])])}")
    turned: dict[str, dict[str, None]] = {}
    for workload, words in zip(cells["workload"], cells["turned"], strict=True):
        if words:
            turned.setdefault(str(words), {})[str(workload)] = None
    if bool(cells["default"].all()) and not cells["swept"].any():
        return ", ".join([*parts, "default dials"])
    everywhere = cells["workload"].nunique()
    for words, workloads in turned.items():
        parts.append(words if len(workloads) == everywhere else f"{listed(list(workloads))} with {words}")
    if cells["swept"].any():
        for workload, dial in swept(cells).items():
            values = sorted({float(value) for value in cells[cells["workload"] == workload][dial]})
            name = dial.removeprefix("dial.")
            parts.append(f"{workload} with {name} turned from {values[0]:g} to {values[-1]:g} in {len(values)} values")
    return ", ".join(parts)


def clock(cells: pandas.DataFrame, records: Sequence[Record]) -> str:
    """Whether time was measured or simulated; simulated by which costs."""
    simulated = set(cells["simulated"])
    costs = [str(record["environment"].get("costs") or UNKNOWN)[:_SHORT] for record in records]
    table = f"cost table {_each(costs)}"
    if simulated == {True}:
        return f"SIMULATED workers under the virtual clock ({table}), not measured on real cores"
    if simulated == {False}:
        return "Measured by the wall clock"
    return f"Measured by the wall clock; where it says so, SIMULATED under the virtual clock ({table})"


def runs(cells: pandas.DataFrame) -> str:
    """How many runs there are, and what the statistic is."""
    if bool(cells["simulated"].all()):
        return "Simulated time is exact: one run of each cell, equal to serial execution"
    wall = cells[~cells["simulated"].astype(bool)]
    processes = [len({sample["process"] for sample in samples}) for samples in wall["samples"]]
    text = (
        f"Medians of {_span(wall['runs'], 'timed run')} of each cell in {_span(processes, 'process', 'processes')}, "
        f"each equal to serial execution; ratios are paired by round, brackets and bars their {100 * CONFIDENCE:.0f} % "
        "bootstrap intervals over processes and rounds"
    )
    if min(processes) < MANY_PROCESSES:
        text += ", of few processes widened to hold the median of each"
    return text


def warnings(cells: pandas.DataFrame) -> str:
    """What to doubt; empty where nothing is."""
    found = warnings_of(cells)
    return f"Warnings: {found}" if found else ""


def machine(records: Sequence[Record]) -> str:
    """Processor, cores, memory, operating system, and the versions under Contend."""
    return _each(_machine(record["environment"]) for record in records)


def versions(records: Sequence[Record], shown: Iterable[str]) -> str:
    """Version and commit of Contend, and of every plug-in that brings something of what is shown.

    Parameters
    ----------
    records : sequence of mapping
    shown : iterable of str
        Names of strategies and workloads.
    """
    names = set(shown)
    own = _each(_contend(record["environment"]) for record in records)
    told, noted = [], True
    for record in records:
        plugins = record["environment"].get("plugins")
        noted = noted and plugins is not None
        told += [_plugin(one) for one in plugins or () if _brings(one, names)]
    text = f"{own}; {listed(list(dict.fromkeys(told)))}" if told else own
    return text if noted else f"{text}; versions of plug-ins, if any: {UNKNOWN}"


def dates(records: Sequence[Record]) -> str:
    """When the records were begun: a day, or from one to another."""
    days = sorted(str(record["environment"].get("time") or UNKNOWN)[:10] for record in records)
    return days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def _machine(environment: Mapping[str, Any]) -> str:
    cores, memory = environment.get("cores"), environment.get("memory_bytes")
    facts = [
        _known(environment, "cpu", "processor"),
        count(cores, "core") if cores else f"{UNKNOWN} number of cores",
        f"{memory / 2**30:.0f} GiB" if memory else f"{UNKNOWN} memory",
        _known(environment, "platform", "operating system"),
        f"Python {environment.get('python') or UNKNOWN}",
        f"numba {environment.get('numba') or UNKNOWN}",
    ]
    governor = environment.get("governor")
    return ", ".join([*facts, *([f"frequency governor {governor}"] if governor else [])])


def _known(environment: Mapping[str, Any], name: str, what: str) -> str:
    value = environment.get(name)
    return str(value) if value else f"{UNKNOWN} {what}"


def _contend(environment: Mapping[str, Any]) -> str:
    return f"Contend {environment.get('contend') or UNKNOWN} ({_commit(environment.get('git'))})"


def _plugin(plugin: Mapping[str, Any]) -> str:
    sources = "" if plugin.get("git") else f", sources {str(plugin.get('sources') or UNKNOWN)[:_SHORT]}"
    return f"{plugin['name']} {plugin.get('version') or UNKNOWN} ({_commit(plugin.get('git'))}{sources})"


def _commit(git: Mapping[str, Any] | None) -> str:
    revision = (git or {}).get("revision")
    if not revision:
        return f"commit {UNKNOWN}"
    return f"commit {str(revision)[:_SHORT]}{', with uncommitted changes' if (git or {}).get('dirty') else ''}"


def _brings(plugin: Mapping[str, Any], names: set[str]) -> bool:
    return any(str(what).partition(" ")[2] in names for what in plugin.get("brings", ()))


def _each(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _span(values: Iterable[int], thing: str, several: str = "") -> str:
    low, high = min(values := [int(value) for value in values]), max(values)
    word = thing if high == 1 else several or f"{thing}s"
    return f"{low:,} {word}" if low == high else f"{low:,} to {high:,} {word}"


def sentences(cells: pandas.DataFrame, records: Iterable[Record]) -> Iterator[str]:
    """All of it about these cells, in sentences.

    Parameters
    ----------
    cells : DataFrame
        A part of what `frame_of` gives.
    records : iterable of mapping
        Those that the cells are of, among others.
    """
    named = set(cells["record"])
    own = sorted((record for record in records if record["id"] in named), key=lambda record: str(record["id"]))
    yield f"Setting: {setting(cells)}."
    yield f"{clock(cells, own)}."
    yield f"{runs(cells)}."
    if doubt := warnings(cells):
        yield f"{doubt}."
    yield f"Machine: {machine(own)}."
    yield f"{versions(own, [*cells['strategy'], *cells['workload']])}."
    yield f"Date: {dates(own)}."
