"""Selection: the cells that a report is about.

Records repeat each other: the same cell was measured last week and today, with other dials, on another machine.
Sentences and charts of one clock are about one setting: the same blocks and the same machine for all workloads, and one
set of dials a workload. It is not the newest one, which may be of a single cell that somebody tried, but the one that
answers: with the most strategies, then with the most cells (workloads and worker counts), then with default dials, and
only then the newest. Of each of its cells the newest measurement is taken. Sweeps are shown by themselves, the newest
one of each workload. What is left out is listed; it is in the table and in the history.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas

from contend.harness.plan.request import command_words
from contend.harness.plan.resolve import BASELINE
from contend.harness.present.formatting import count, differing
from contend.harness.present.report.block_setting import (
    are_blocks,
    common_of,
    common_words,
    dial_words,
    has_defaults,
    setting_of,
)
from contend.harness.record.frame import to_frame

SETTING = ["workload", "setting"]
CELL = [*SETTING, "strategy", "workers"]
_FEW = 4


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
    setting : str
        What its plain cells have in common, in words.
    left_out : tuple of str
        Cells of other settings, in words.
    """

    clock: str
    plain: pandas.DataFrame
    sweeps: pandas.DataFrame
    commands: Mapping[str, str]
    setting: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether time is simulated."""
        return self.clock != "wall"


def frame_of(records: Iterable[Mapping[str, Any]]) -> pandas.DataFrame:
    """Cells of records, the oldest first, with what tells settings apart.

    Returns
    -------
    DataFrame
        As `harness.record.frame.to_frame`, with ``common`` (blocks, seed, network, as text), ``setting`` (the same with
        the dials), ``turned`` (dials that the run turned, in words), ``default`` (whether it turned none) and ``swept``
        (whether the record is of a sweep).
    """
    records = sorted(records, key=lambda record: str(record["id"]))
    frame = to_frame(records)
    pairs = [(cell, record["request"]) for record in records for cell in record["cells"]]
    return frame.assign(
        common=[common_of(cell, request) for cell, request in pairs],
        setting=[setting_of(cell, request) for cell, request in pairs],
        turned=[dial_words(request) for _, request in pairs],
        default=[has_defaults(request) for _, request in pairs],
        swept=[bool(request.get("sweep")) for _, request in pairs],
    )


def selections(frame: pandas.DataFrame, records: Iterable[Mapping[str, Any]]) -> list[Selection]:
    """Select what is drawn, clock by clock; clocks without a verified cell are left out."""
    commands = {str(record["id"]): command_of(record) for record in records}
    found = []
    for clock in ("wall", "virtual"):
        cells = frame[frame["verified"] & (frame["clock"] == clock)]
        if cells.empty:
            continue
        # Times of two machines in one chart would compare the machines; simulated ones are the same on all.
        cells = cells.assign(place=cells["machine"] if clock == "wall" else "")
        every = cells[~cells["swept"]]
        plain = _plain(every)
        setting = common_words(plain["common"].iloc[0], plain["workload"]) if len(plain) else ""
        dialled = len(plain) and not are_blocks(plain["workload"])
        setting += ", default dials" if dialled and plain["default"].all() else ""
        left_out = tuple(_left_out(every, plain))
        found.append(Selection(clock, plain, _sweeps(cells, plain), commands, setting, left_out))
    return found


def _plain(cells: pandas.DataFrame) -> pandas.DataFrame:
    """Cells of the setting that answers."""
    best = cells[:0]
    for _, group in cells.groupby(["place", "common"], sort=False):
        parts = [
            max((part for _, part in own.groupby("setting", sort=False)), key=_worth)
            for _, own in group.groupby("workload", sort=False)
        ]
        chosen = pandas.concat(parts)
        if best.empty or _worth(chosen) > _worth(best):
            best = chosen
    return _in_order(best.drop_duplicates(CELL, keep="last"), cells)


def _worth(cells: pandas.DataFrame) -> tuple[int, int, bool, str]:
    """How well cells answer which strategy is best: compares as a tuple does."""
    rivals = set(cells["strategy"]) - {BASELINE}
    different = len(cells.drop_duplicates(["workload", "strategy", "workers"]))
    return len(rivals), different, bool(cells["default"].all()), str(cells["record"].max())


def _left_out(cells: pandas.DataFrame, chosen: pandas.DataFrame) -> Iterator[str]:
    """What of the cells was not chosen, and why it is not the same."""
    if chosen.empty:
        return
    place, common = chosen["place"].iloc[0], chosen["common"].iloc[0]
    settings = dict(zip(chosen["workload"], chosen["setting"], strict=True))
    elsewhere = cells[cells["place"] != place]
    if len(elsewhere):
        yield f"{count(len(elsewhere), 'cell')} measured on another machine"
    here = cells[cells["place"] == place]
    for other, group in here[here["common"] != common].groupby("common", sort=False):
        what = " and ".join(dict.fromkeys(group["workload"])) if group["workload"].nunique() < _FEW else "workloads"
        words = common_words(str(other), group["workload"])
        yield f"{count(len(group), 'cell')} of {what}{f' in {words}' if words else ''}"
    same = here[here["common"] == common]
    for workload, group in same[same["setting"] != same["workload"].map(settings)].groupby("workload", sort=False):
        turned = " or ".join(dict.fromkeys(text or "default dials" for text in group["turned"]))
        yield f"{count(len(group), 'cell')} of {workload} with {turned}"
    older = len(same[same["setting"] == same["workload"].map(settings)]) - len(chosen)
    if older:
        yield f"{count(older, 'earlier measurement')} of the same cells"


def _sweeps(cells: pandas.DataFrame, plain: pandas.DataFrame) -> pandas.DataFrame:
    swept = cells[cells["swept"]]
    if len(plain) and (swept["place"] == plain["place"].iloc[0]).any():
        swept = swept[swept["place"] == plain["place"].iloc[0]]
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
            size = cell["transactions"] if are_blocks([str(cell["workload"])]) else cell["block_size"]
            words = [f"{blocks:,} x {size:,.0f} tx" if blocks > 1 else f"{size:,.0f} tx"]
            words += [f"{name.removeprefix('dial.')}={_text(cell[name])}" for name in varying]
            told[place] = ", ".join(words)
    return ordered.assign(told=pandas.Series(told, dtype=object))


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
