"""`bal` with a block's access list in which one value is another one: what it gets wrong has to be repaired."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from contend.evm import Block, State
from contend.evm.access_list import AccessList, decode, encode
from contend.strategies.bal.strategy import Bal
from contend.strategies.base import Outcome


class LyingList(Bal):
    """The first change of a slot, or of a balance where no slot changes, has a value that is one off."""

    name: ClassVar[str] = "lying_list"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        """Execute with another list than the one that came, and see to it that it is refused."""
        came = self.knowledge
        self.knowledge = replace(came, access_list=with_a_lie(came.access_list or b""))
        try:
            outcome = super().execute(block, state, workers)
            lied = self.knowledge.access_list != came.access_list
        finally:
            self.knowledge = came
        if lied:
            if outcome.refused_list is None:
                raise AssertionError("a lie is confirmed")
            # Of the list that came there is no verdict.
            outcome.refused_list = None
        return outcome


def with_a_lie(data: bytes) -> bytes:
    """The list with one value one off."""
    accounts = list(decode(data))
    for place, account in enumerate(accounts):
        if account.storage_changes:
            (slot, ((index, word), *later)), *others = account.storage_changes
            changes = ((slot, ((index, word ^ 1), *later)), *others)
            accounts[place] = replace(account, storage_changes=changes)
            return encode(AccessList(tuple(accounts)))
    for place, account in enumerate(accounts):
        if account.balance_changes:
            (index, balance), *rest = account.balance_changes
            accounts[place] = replace(account, balance_changes=((index, balance ^ 1), *rest))
            return encode(AccessList(tuple(accounts)))
    return data
