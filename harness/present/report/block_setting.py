"""Setting: what cells have in common beside workload, strategy and workers, and how sentences name it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contend.harness.present.formatting import count

_COMMON = ("seed", "block_size", "block_count", "load", "rate")
_USUAL_SEED = 1


def common_of(cell: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """What a cell has in common with those of other workloads that may stand beside it, as text that compares."""
    return json.dumps([*(cell.get(name) for name in _COMMON), request.get("network"), request.get("suite")])


def setting_of(cell: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """The same with the workload's dials."""
    return json.dumps([common_of(cell, request), cell.get("dials")])


def has_defaults(request: Mapping[str, Any]) -> bool:
    """Whether a run turned no dial and chose no network."""
    return not (request.get("dials") or request.get("sweep") or request.get("network"))


def common_words(common: str) -> str:
    """Setting in words, without the workload's dials: blocks of 500 transactions, network datacenter."""
    seed, block_size, block_count, load, rate, network, suite = json.loads(common)
    size = count(block_size, "transaction")
    parts = [f"{count(block_count, 'block')} in a row of {size}" if (block_count or 1) > 1 else f"blocks of {size}"]
    if seed != _USUAL_SEED:
        parts.append(f"seed {seed}")
    for value, what in ((load, "load"), (rate, "arrival rate"), (network, "network"), (suite, "suite")):
        if value is not None:
            parts.append(f"{what} {value}")
    return ", ".join(parts)


def dial_words(request: Mapping[str, Any]) -> str:
    """The dials that a run turned, in words; empty where it turned none."""
    return ", ".join(f"{name}={value}" for name, value in (request.get("dials") or {}).items())
