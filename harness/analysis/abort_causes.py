"""Abort causes: what strategies aborted at, counted by class of location, as a record keeps it."""

from __future__ import annotations

from contend.evm import Changes, Location
from contend.evm.drivers.recorder import Recording
from contend.evm.state import location_of
from contend.harness.analysis.names import Namer
from contend.harness.record.sample import ABORTS_AT
from contend.strategies.base import Outcome
from contend.workloads.base import Scenario, Workload

_PATIENCE = 16
"""Transactions that are searched for a slot's name: one suffices where it can be found, and a run has many slots."""


class Causes:
    """Puts the aborts of a block's runs into classes.

    Locations are named when a run first aborts at them: there are few, and to name all that a block touches takes
    longer than to run it.

    Parameters
    ----------
    workload : Workload
    scenario : Scenario
        Of one block.
    recording : Recording
        Of that block.
    changes : Changes
        What the block changed.
    """

    def __init__(self, workload: Workload, scenario: Scenario, recording: Recording, changes: Changes) -> None:
        self._made_of = (workload, scenario, scenario.blocks[0], recording, changes)
        self._namer: Namer | None = None
        self._classes: dict[Location, str] = {}

    def counters(self, outcome: Outcome) -> dict[str, int]:
        """Aborts of a run by class; empty where there are none, or the strategy does not say where they were.

        The state must be as it was before the block.
        """
        if outcome.abort_locations is None:
            return {}
        keys, counts = outcome.abort_locations
        aborted = [location_of(key) for key in keys]
        unknown = {location for location in aborted if location not in self._classes}
        if unknown:
            namer = self._named()
            namer.look_for(unknown)
            self._classes |= {location: namer.class_of(location) for location in unknown}
        found: dict[str, int] = {}
        for location, count in zip(aborted, counts, strict=True):
            name = ABORTS_AT + self._classes[location].replace(" ", "_")
            found[name] = found.get(name, 0) + int(count)
        return dict(sorted(found.items()))

    def _named(self) -> Namer:
        if self._namer is None:
            self._namer = Namer(*self._made_of, patience=_PATIENCE)
        return self._namer
