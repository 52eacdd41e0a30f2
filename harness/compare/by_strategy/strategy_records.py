"""Records in which strategies are held against each other, from all the places that were named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from contend.harness.compare.from_records import read_side
from contend.harness.compare.targets import Records, parse_target
from contend.harness.errors import BadInputError


def read_records(places: Sequence[str], tell: Callable[[str], object]) -> list[dict[str, Any]]:
    """Read records, each once.

    Parameters
    ----------
    places : sequence of str
        Records, folders of records, results folders.
    tell : callable
        Told which files of a folder are left out, and why.

    Raises
    ------
    BadInputError
        If one is a version of Contend and no record, cannot be read, or holds none.
    """
    found: dict[str, dict[str, Any]] = {}
    for place in places:
        target = parse_target(place, Path.cwd())
        if not isinstance(target, Records):
            raise BadInputError(
                f"{place}: strategies are compared within records, and this is a version of Contend; measure it with "
                "contend run, or leave out --strategies"
            )
        for record in read_side(target.path, tell):
            found[str(record["id"])] = record
    return list(found.values())
