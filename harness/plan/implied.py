"""Implied values: what the options that are given decide for options that are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contend.harness.plan.options import options
from contend.harness.plan.request import DURABLE, NO_STAGE, QUICK_SHARES
from contend.harness.plan.suites import fixed_by_suite


def implied(said: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Seed and block size of a suite, sizes of a quick look, stages of a whole node; what is said itself goes before.

    Parameters
    ----------
    said : mapping
        Options of a request, those that are given.
    kind : type
        `Request`, or a dataclass derived from it, whose defaults are the usual values.

    Raises
    ------
    BadInputError
        If the suite cannot be read.
    """
    usual = options(kind)
    quick = {name: round(share * usual[name].default) for name, share in QUICK_SHARES.items()}
    return (quick if said.get("quick") else {}) | _stages_of_node(said, usual["clock"].default) | fixed_by_suite(said)


def _stages_of_node(said: Mapping[str, Any], usual_clock: str) -> dict[str, str]:
    """Stages of a whole node; what a database takes, and how long validators agree, has each clock to itself."""
    if said.get("node", NO_STAGE) == NO_STAGE:
        return {}
    stages = {"signatures": "secp256k1", "root": "mpt"}
    if said.get("clock", usual_clock) == "virtual":
        return stages | {"state": "file", "consensus": "tendermint"}
    return stages | {"state": DURABLE}
