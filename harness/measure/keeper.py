"""Keeper of a record: writes it as often as it is asked to, and lets no full disk end a measurement.

What has been measured is in memory, and its table is worth printing. A write that fails is told at once, the next one
is tried like any other, and whoever asked for the record is told at the end whether it is there.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.record.store import Store

# A device that is full now may have room when the run ends; a folder that is closed stays so.
_PASSING = (errno.ENOSPC, errno.EDQUOT)


class Keeper:
    """Writes a record to a store.

    Parameters
    ----------
    store : Store
    tell : callable
        Told in one line of the first write that fails.

    Attributes
    ----------
    store : Store
    failure : str or None
        Why the record as it is now has not been kept, with its place; None where it has.
    """

    def __init__(self, store: Store, tell: Callable[[str], object]) -> None:
        self.store = store
        self.tell = tell
        self.failure: str | None = None

    def open(self) -> None:
        """Make the folder of the records.

        Raises
        ------
        BadInputError
            If it can never be written. Of a full device the user is told, and the run begins.
        """
        try:
            self.store.open()
        except BadInputError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in _PASSING:
                raise
            self._fail(f"{self.store.records}: {cause.strerror}")

    def save(self, record: dict[str, Any]) -> None:
        """Write the record."""
        try:
            if self.store.path is None:
                # Again, because there may have been no room for it when the run began.
                self.store.records.mkdir(parents=True, exist_ok=True)
            self.store.write(record)
        except OSError as error:
            self._fail(f"{self.store.path or self.store.records}: {error.strerror or error}")
        else:
            self.failure = None

    def _fail(self, failure: str) -> None:
        if self.failure is None:
            self.tell(f"{failure}; the record cannot be kept for now, and measuring goes on")
        self.failure = failure
