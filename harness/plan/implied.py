"""Implied values: what the options that are given decide for options that are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contend.harness.plan.options import options
from contend.harness.plan.request import QUICK_SHARES
from contend.harness.plan.suites import fixed_by_suite


def implied(said: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Seed and block size of a suite that is asked for, sizes of a quick look; what is said itself goes before.

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
    return (quick if said.get("quick") else {}) | fixed_by_suite(said)
