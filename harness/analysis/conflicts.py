"""The conflict profile of a recorded block: who depends on whom, through what, and how far that reaches."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from contend.evm import Location
from contend.evm.drivers.recorder import Recording
from contend.evm.state import location_of
from contend.harness.analysis.dependencies import build_graph
from contend.harness.analysis.list_schedule import ListSchedule, longest_chain
from contend.harness.analysis.names import CLASSES, Namer
from contend.harness.analysis.profile import Schedules, bounds_of

WORKERS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
HOTTEST = 12
FEES = "sum of fees"

Integers = npt.NDArray[np.int64]


class Profile:
    """Conflict profile: what `contend explain` says about a block before any strategy has run.

    Parameters
    ----------
    recording : Recording
    namer : Namer
        Of the same block.

    Attributes
    ----------
    bounds : Bounds
    schedules : Schedules
        List schedules of the block.
    """

    def __init__(self, recording: Recording, namer: Namer) -> None:
        self._recording = recording
        self._namer = namer
        self._plain, self._commutative = build_graph(recording, False), build_graph(recording, True)
        self.bounds = bounds_of(recording)
        self.schedules = Schedules()
        self.schedules.add(recording)

    def as_json(self) -> dict[str, Any]:
        """Everything, as plain data: ``bounds``, ``speedups``, ``classes``, ``hottest`` and ``critical_path``."""
        return {
            "bounds": self.bounds.as_json(),
            "speedups": self.speedups(),
            "classes": self.classes(),
            "hottest": self.hottest(),
            "critical_path": self.critical_path(),
        }

    def speedups(self) -> list[dict[str, float]]:
        """For each of `WORKERS` the bound and what a list schedule reaches, under both views."""
        work = self.bounds.plain.work
        plain = ListSchedule(self._plain, self._recording.work, self._plain.lags)
        commutative = ListSchedule(self._commutative, self._recording.work, self._commutative.lags)
        return [
            {
                "workers": count,
                "bound": self.bounds.plain.speedup(count),
                "schedule": work / max(plain.length(count), 1),
                "bound_commutative": self.bounds.commutative.speedup(count),
                "schedule_commutative": work / max(commutative.length(count), 1),
            }
            for count in WORKERS
        ]

    def classes(self) -> list[dict[str, Any]]:
        """For each class of location that makes dependencies: who depends through it, and the chain it makes alone."""
        recording = self._recording
        numbers = np.unique(recording.locations)
        kept = {name: np.zeros(recording.location_count, np.bool_) for name in CLASSES}
        for number in numbers:
            kept[self._namer.class_of(self._location(int(number)))][number] = True
        each, found = np.ones(len(recording), np.int64), []
        for name, counted in kept.items():
            plain, commutative = build_graph(recording, False, counted), build_graph(recording, True, counted)
            dependent = int(plain.dependent.sum())
            if dependent:
                found.append(
                    {
                        "class": name,
                        "locations": int(counted.sum()),
                        "dependent": dependent,
                        "longest_chain": longest_chain(plain, each).length,
                        "dependent_commutative": int(commutative.dependent.sum()),
                        "longest_chain_commutative": longest_chain(commutative, each).length,
                    }
                )
        return sorted(found, key=lambda one: (-int(one["dependent"]), str(one["class"])))

    def hottest(self, count: int = HOTTEST) -> list[dict[str, Any]]:
        """Locations through which most transactions depend on an earlier one, balances as they are."""
        recording, graph = self._recording, self._plain
        size = recording.location_count + 1
        targets = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
        through = graph.through[graph.transaction_of[targets] >= 0]
        dependents = np.bincount(through, minlength=size)
        readers = np.bincount(recording.locations, minlength=size)
        writers = np.bincount(recording.locations[recording.writes], minlength=size)
        readers[-1], writers[-1] = dependents[-1], len(recording)
        order = np.argsort(-dependents, kind="stable")[:count]
        return [
            {
                **self.describe(int(number)),
                "dependent": int(dependents[number]),
                "readers": int(readers[number]),
                "writers": int(writers[number]),
            }
            for number in order
            if dependents[number]
        ]

    def critical_path(self) -> dict[str, Any]:
        """The chain that takes longest, balances as they are: its transactions, and what links them."""
        chain = longest_chain(self._plain, self._recording.work, self._plain.lags)
        links = [self.describe(int(number)) for number in chain.links]
        return {
            "picoseconds": chain.length,
            "transactions": chain.transactions.tolist(),
            "links": [link["name"] for link in links],
            "by_location": _tally(link["name"] for link in links),
            "by_class": _tally(link["class"] for link in links),
        }

    def describe(self, location_index: int) -> dict[str, Any]:
        """Name, class and place of a location by its number in the recording."""
        if location_index == self._recording.location_count:
            place = self._location(self._recording.coinbase)
            return {"name": FEES, "class": "balance", **_place(place)}
        return self.describe_location(self._location(location_index))

    def describe_location(self, location: Location) -> dict[str, Any]:
        """Name, class and place of a location, whether or not the serial run touched it."""
        return {"name": self._namer.name(location), "class": self._namer.class_of(location), **_place(location)}

    def _location(self, number: int) -> Location:
        return location_of(self._recording.keys[number])


def _place(location: Location) -> dict[str, Any]:
    place: dict[str, Any] = {"address": f"0x{location.address.hex()}", "kind": location.kind}
    return place | ({"slot": hex(location.slot)} if location.kind == "storage" else {})


def _tally(names: Any) -> dict[str, int]:
    """Number of times that each name occurs, the most frequent first."""
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))


def link_runs(transactions: list[int], links: list[str]) -> list[tuple[str, int, int, int]]:
    """Runs of links through one location: its name, how many links, the transactions at both ends."""
    found, at = [], 0
    for name, run in groupby(links):
        count = len(list(run))
        found.append((name, count, transactions[at], transactions[at + count]))
        at += count
    return found
