"""Cell facts: what a contender was given, and what came of it, found out by one run outside the samples.

Plain data: it travels from worker processes, and a record's cell has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BUILDER = "builder"
"""The role of whoever knows only the transactions, as `strategies.given` has it; of cells that say nothing, too."""
VALIDATOR, CEILING = "validator", "ceiling"
MEANING = {
    BUILDER: "knows the transactions and what it finds out itself, in the time",
    VALIDATOR: "has an access list that came with the block",
    CEILING: "has what was recorded when the block was executed before, which nobody has",
}
"""Roles in the order in which they stand, and who has them."""
FOUND_NOTHING = {"declared": "declared nothing", "template": "nothing learned"}
"""What is said of a source in which there was nothing."""


@dataclass(frozen=True)
class CellFacts:
    """What is known of a cell beside its samples.

    Attributes
    ----------
    given : mapping or None
        ``strategy``, ``source``, ``role``, ``list_kind`` (None where no list is given), ``values`` (whether it uses a
        list's values), ``bytes_per_transaction``, and, where the hints were told, ``recall`` and ``precision``, each of
        ``all`` entries, ``writes`` and ``conflicting`` ones; of several blocks, ``by_block``, both for each.
        ``learned`` is False where nothing was learned before any of the blocks. None in records of before.
    list_origin : str or None
        Where the access list is from.
    refused_list : str or None
        What the strategy found wrong with it.
    list_schedule : int or None
        Picoseconds of the list schedule with the cell's workers, of all blocks.
    """

    given: Mapping[str, Any] | None = None
    list_origin: str | None = None
    refused_list: str | None = None
    list_schedule: int | None = None

    def as_plain(self) -> dict[str, Any]:
        """Show what is known; nothing about what is not."""
        content = {
            "given": None if self.given is None else dict(self.given),
            "list_origin": self.list_origin,
            "refused_list": self.refused_list,
            "list_schedule": self.list_schedule,
        }
        return {name: value for name, value in content.items() if value is not None}

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> CellFacts:
        """Read what `as_plain` gave, or the cell of a record."""
        return cls(*(content.get(name) for name in ("given", "list_origin", "refused_list", "list_schedule")))


def role_in(cell: Mapping[str, Any]) -> str:
    """Role of a record's cell, or of a row of its frame."""
    given = cell.get("given")
    found = given.get("role") if isinstance(given, Mapping) else cell.get("role")
    return found if isinstance(found, str) else BUILDER


def strategy_in(cell: Mapping[str, Any]) -> str:
    """Name of a cell's strategy without what it is given."""
    given = cell.get("given")
    return str(given["strategy"] if isinstance(given, Mapping) else str(cell["strategy"]).partition("+")[0])


def given_in(cell: Mapping[str, Any]) -> str:
    """What a cell's strategy was given, in a word or two; empty where its record does not say."""
    given = cell.get("given")
    if not isinstance(given, Mapping):
        return given if isinstance(given, str) else ""
    source, kind = str(given["source"]), given.get("list_kind")
    if kind not in (None, "full"):
        return f"{source} {kind}"
    knew_nothing = given.get("entries") == 0 or given.get("learned") is False
    return FOUND_NOTHING[source] if source in FOUND_NOTHING and knew_nothing else source
