"""Forks by the names that official tests have for them: their own, in any case, and older ones."""

from __future__ import annotations

from contend.evm.forks import FORKS, Fork

_OLDER_NAMES = {"merge": "paris"}
_BY_NAME = {name.lower(): fork for name, fork in FORKS.items()}


def official_fork(name: str) -> Fork | None:
    """The fork that official tests call so; None for one that has no rules here."""
    lower = name.lower()
    return _BY_NAME.get(_OLDER_NAMES.get(lower, lower))
