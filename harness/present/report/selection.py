"""Selection: the cells that a report is about.

Records repeat each other: the same cell was measured last week and today, with other dials, on another machine. Charts
show one setting a workload and clock, that of its newest record without a sweep, and of each of its cells the newest
measurement on the newest record's machine. Sweeps are shown by themselves, the newest one of each workload. All others
are in the table and in the history.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas

from contend.harness.plan.request import command_words
from contend.harness.present.formatting import differing
from contend.harness.record.frame import to_frame

SETTING = ["workload", "setting"]
_SETTING = ("dials", "seed", "block_size", "block_count", "load", "rate")
CELL = [*SETTING, "strategy", "workers"]


@dataclass(frozen=True)
class Selection:
    """Cells from which the charts of one clock are drawn.

    Attributes
    ----------
    clock : str
    plain : DataFrame
        Verified cells, one setting a workload.
    sweeps : DataFrame
        Verified cells between which one dial of a workload was turned.
    commands : dict
        By record: the command that measured it.
    """

    clock: str
    plain: pandas.DataFrame
    sweeps: pandas.DataFrame
    commands: Mapping[str, str]

    @property
    def simulated(self) -> bool:
        """Whether time is simulated."""
        return self.clock != "wall"


def frame_of(records: Iterable[Mapping[str, Any]]) -> pandas.DataFrame:
    """Cells of records, the oldest first, with what tells settings apart.

    Returns
    -------
    DataFrame
        As `harness.record.frame.to_frame`, with ``setting`` (dials, seed, block size and network, as text) and
        ``swept`` (whether the record is of a sweep).
    """
    records = sorted(records, key=lambda record: str(record["id"]))
    frame = to_frame(records)
    of_record = {record["id"]: record["request"] for record in records}
    settings = [
        json.dumps([*(cell.get(name) for name in _SETTING), of_record[record["id"]].get("network")])
        for record in records
        for cell in record["cells"]
    ]
    swept = [bool(of_record[identity].get("sweep")) for identity in frame["record"]]
    return frame.assign(setting=settings, swept=swept)


def selections(frame: pandas.DataFrame, records: Iterable[Mapping[str, Any]]) -> list[Selection]:
    """Select what is drawn, clock by clock; clocks without a verified cell are left out."""
    commands = {str(record["id"]): command_of(record) for record in records}
    found = []
    for clock in ("wall", "virtual"):
        cells = frame[frame["verified"] & (frame["clock"] == clock)]
        if clock == "wall" and len(cells):
            # Times of two machines in one chart would compare the machines.
            cells = cells[cells["machine"] == cells["machine"].iloc[-1]]
        if len(cells):
            found.append(Selection(clock, _plain(cells), _sweeps(cells), commands))
    return found


def _plain(cells: pandas.DataFrame) -> pandas.DataFrame:
    plain = cells[~cells["swept"]]
    newest = plain.drop_duplicates("workload", keep="last").set_index("workload")["setting"]
    chosen = plain[plain["setting"] == plain["workload"].map(newest)]
    return _in_order(chosen.drop_duplicates(CELL, keep="last"), plain)


def _sweeps(cells: pandas.DataFrame) -> pandas.DataFrame:
    swept = cells[cells["swept"]]
    newest = swept.drop_duplicates("workload", keep="last").set_index("workload")["record"]
    return swept[swept["record"] == swept["workload"].map(newest)]


def _in_order(chosen: pandas.DataFrame, all_cells: pandas.DataFrame) -> pandas.DataFrame:
    """Workloads and strategies in the order in which they were first measured, workers ascending."""
    workloads = {name: place for place, name in enumerate(dict.fromkeys(all_cells["workload"]))}
    strategies = {name: place for place, name in enumerate(dict.fromkeys(all_cells["strategy"]))}
    keys = chosen.assign(
        by_workload=chosen["workload"].map(workloads), by_strategy=chosen["strategy"].map(strategies)
    ).sort_values(["by_workload", "by_strategy", "workers"], kind="stable")
    return keys.drop(columns=["by_workload", "by_strategy"])


def command_of(record: Mapping[str, Any]) -> str:
    """The command line that measures the record's cells again."""
    return shlex.join(["contend", "run", *command_words(record["request"])])


def told_apart(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Every cell, the newest first, with what its setting is.

    Returns
    -------
    DataFrame
        With ``told``: the size of the block, and the dials and the seed where cells of the workload differ in them.
    """
    ordered = frame.sort_values("record", ascending=False, kind="stable")
    told: dict[Any, str] = {}
    for _, part in ordered.groupby("workload", sort=False):
        names = [name for name in part if str(name).startswith("dial.") or name == "seed"]
        varying = differing({str(name): value for name, value in one.items()} for one in part[names].to_dict("records"))
        for place, cell in part.iterrows():
            blocks = 1 if pandas.isna(cell["block_count"]) else int(cell["block_count"])
            words = [f"{blocks:,} x {cell['block_size']:,} tx" if blocks > 1 else f"{cell['block_size']:,} tx"]
            words += [f"{name.removeprefix('dial.')}={_text(cell[name])}" for name in varying]
            told[place] = ", ".join(words)
    return ordered.assign(told=pandas.Series(told, dtype=object))


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
