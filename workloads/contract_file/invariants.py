"""Invariants of a contract file: what its contracts say after the blocks, compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from contend.workloads.contract_file.artifacts import types_of
from contend.workloads.contract_file.samplers import DrawContext, make_sampler
from contend.workloads.contract_file.specs import ContractFile, InvariantSpec, ViewSpec
from contend.workloads.contracts.abi import decode_words
from contend.workloads.contracts.revert_reason import declared_errors, revert_reason

if TYPE_CHECKING:
    from contend.evm import Block, State


class InvariantChecker:
    """Asks the contracts of a state, on a copy of it.

    Parameters
    ----------
    file : ContractFile
    context : DrawContext
        With the addresses of accounts and contracts.
    holders : iterable of bytes
        Addresses about which sums ask.
    state : State
    block : Block
        The last one: contracts see its number and time.
    """

    def __init__(
        self, file: ContractFile, context: DrawContext, holders: Iterable[bytes], state: State, block: Block
    ) -> None:
        from contend.evm import Genesis

        self._file = file
        self._context = context
        self._holders = tuple(dict.fromkeys(holders))
        # One copy for thousands of calls, which change nothing but the nonce of who asks.
        self._genesis = Genesis(dataclasses.replace(block.environment, base_fee=0))
        self._genesis.state = state.copy()

    def violations(self) -> list[str]:
        """Invariants of the file that do not hold, a line each."""
        from contend.evm import GenesisError

        found = []
        for number, invariant in enumerate(self._file.invariants, 1):
            try:
                found += self._violations(invariant)
            except GenesisError as error:
                reason = revert_reason(error.output, self._declared(invariant.left.contract)) or error.reason
                found.append(f"[[invariants]] {number}: {invariant.left.contract} cannot be asked: {reason}")
        return found

    def _violations(self, invariant: InvariantSpec) -> list[str]:
        left, right = invariant.left, invariant.right
        if invariant.is_sum:
            method = self._file.contracts[left.contract].artifact.method(left.signature)
            value = sum(self._ask(left.contract, method(holder)) for holder in self._holders)
        else:
            value = self._view(left)
        bound = right if isinstance(right, int) else self._view(right)
        holds = {"equals": value == bound, "at_least": value >= bound, "at_most": value <= bound}
        if holds[invariant.relation]:
            return []
        what = f"{left.contract}: {left.signature}{' adds up to' if invariant.is_sum else ' is'} {value}"
        other = f"{bound}" if isinstance(right, int) else f"{right.signature} of {right.contract}, which is {bound}"
        relation = {"equals": "not", "at_least": "less than", "at_most": "more than"}[invariant.relation]
        return [f"{what}, {relation} {other}"]

    def _view(self, view: ViewSpec) -> int:
        artifact, types = self._file.contracts[view.contract].artifact, types_of(view.signature)
        arguments = [
            make_sampler(value, type_name, view.signature, self._context)(0)
            for value, type_name in zip(view.arguments, types, strict=True)
        ]
        return self._ask(view.contract, artifact.method(view.signature)(*arguments))

    def _ask(self, contract: str, data: bytes) -> int:
        words = decode_words(self._genesis.call(self._context.contracts[contract], data))
        return words[0] if words else 0

    def _declared(self, contract: str) -> Mapping[bytes, str]:
        return declared_errors(self._file.contracts[contract].artifact.abi)
