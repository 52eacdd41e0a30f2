"""Setting: what cells have in common beside workload, strategy and workers, and how sentences name it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from contend.harness.plan.request import stages_text
from contend.harness.present.formatting import count
from contend.harness.record.statistics.block_spread import is_block

_COMMON = ("seed", "block_size", "block_count", "load", "rate")
_USUAL_SEED = 1


def common_of(cell: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """What a cell has in common with those of other workloads that may stand beside it, as text that compares."""
    of_run, stages = (request.get("network"), request.get("suite")), stages_text(request)
    return json.dumps([*(cell.get(name) for name in _COMMON), *of_run, *([stages] if stages else [])])


def setting_of(cell: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """The same with the workload's dials."""
    return json.dumps([common_of(cell, request), cell.get("dials")])


def has_defaults(request: Mapping[str, Any]) -> bool:
    """Whether a run turned no dial, chose no network and asked for no stage."""
    asked = (request.get("dials"), request.get("sweep"), request.get("network"), stages_text(request))
    return not any(asked)


def are_blocks(workloads: Iterable[str]) -> bool:
    """Whether all of them are blocks of files."""
    return all(map(is_block, workloads))


def common_words(common: str, workloads: Iterable[str] = ("",)) -> str:
    """Setting in words, without the workload's dials: blocks of 500 transactions, network datacenter.

    Parameters
    ----------
    common : str
        As `common_of` gives it.
    workloads : iterable of str, optional
        Whose it is: nobody chose the size of a block that is in a file, nor what is drawn by a seed.
    """
    seed, block_size, block_count, load, rate, network, suite, *stages = json.loads(common)
    size = count(block_size, "transaction")
    parts = [f"{count(block_count, 'block')} in a row of {size}" if (block_count or 1) > 1 else f"blocks of {size}"]
    if are_blocks(workloads):
        parts = []
    elif seed != _USUAL_SEED:
        parts.append(f"seed {seed}")
    for value, what in ((load, "load"), (rate, "arrival rate"), (network, "network"), (suite, "suite")):
        if value is not None:
            parts.append(f"{what} {value}")
    parts += stages
    return ", ".join(parts)


def dial_words(request: Mapping[str, Any]) -> str:
    """The dials that a run turned, in words; empty where it turned none."""
    return ", ".join(f"{name}={value}" for name, value in (request.get("dials") or {}).items())
