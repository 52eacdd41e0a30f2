"""Strategies over dependency graphs, given dry runs: hints that are wrong where a block is made to go wrong."""

from __future__ import annotations

from typing import ClassVar

from contend.strategies.dependency.groups import Groups
from contend.strategies.dependency.locks import Locks
from contend.strategies.given import DRY_RUN


class DryGroups(Groups):
    """Groups of a dry run."""

    name: ClassVar[str] = "dry_groups"
    given: ClassVar[str] = DRY_RUN


class DryLocks(Locks):
    """Locks by a dry run."""

    name: ClassVar[str] = "dry_locks"
    given: ClassVar[str] = DRY_RUN
