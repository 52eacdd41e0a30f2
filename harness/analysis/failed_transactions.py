"""Failed transactions of a block: how many of which method, and the reasons that they gave.

A transaction that reverts is one like any other, and rolls back whatever would have conflicted: where most do, a block
says little about its contracts.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from contend.evm import Block, Receipts
from contend.evm.errors import STATUS_SUCCESS
from contend.workloads.base import Scenario, Workload
from contend.workloads.contracts.keccak_digest import keccak_digest
from contend.workloads.contracts.revert_reason import declared_errors, revert_reason

_SELECTOR = 4
_MOST_REASONS = 3


class _Interface(NamedTuple):
    """Methods and errors by selector."""

    methods: dict[bytes, str]
    errors: dict[bytes, str]


def failures(workload: Workload, scenario: Scenario, block: Block, receipts: Receipts) -> list[dict[str, Any]]:
    """Methods of which calls failed, those first of which most did.

    Returns
    -------
    list of dict
        ``method``, for instance ``vault.deposit``; ``calls`` and ``failed``, counts; and ``reasons``, count by reason,
        the most frequent ones.
    """
    failed = (receipts.status != STATUS_SUCCESS).nonzero()[0].tolist()
    if not failed:
        return []
    interfaces = {bytes(address): _interface(workload, name) for name, address in scenario.contracts.items()}
    names = {bytes(address): name for name, address in (scenario.accounts | scenario.contracts).items()}
    # Of whichever contract: an error passes through those that called it.
    errors = {selector: name for one in interfaces.values() for selector, name in one.errors.items()}
    methods = [_method(names, interfaces, one.to, one.data) for one in block.transactions]
    calls = Counter(methods)
    reasons: dict[str, Counter[str]] = {}
    for index in failed:
        ended = receipts.error(index) or "failed"
        reason = revert_reason(receipts.output(index), errors)
        reasons.setdefault(methods[index], Counter())[f"{ended}: {reason}" if reason else ended] += 1
    found = [
        {
            "method": method,
            "calls": calls[method],
            "failed": counted.total(),
            "reasons": dict(counted.most_common(_MOST_REASONS)),
        }
        for method, counted in reasons.items()
    ]
    return sorted(found, key=lambda one: (-one["failed"], one["method"]))


def _interface(workload: Workload, name: str) -> _Interface:
    artifact = workload.artifact(name)
    if artifact is None:
        return _Interface({}, {})
    methods = {}
    for item in artifact.abi:
        if item.get("type") == "function":
            signature = f"{item.get('name')}({','.join(map(_type, item.get('inputs', [])))})"
            methods[keccak_digest(signature.encode())[:_SELECTOR]] = str(item.get("name"))
    return _Interface(methods, declared_errors(artifact.abi))


def _type(item: Any) -> str:
    """Canonical type of a parameter."""
    name = str(item.get("type"))
    if not name.startswith("tuple"):
        return name
    return f"({','.join(map(_type, item.get('components', [])))}){name.removeprefix('tuple')}"


def _method(names: dict[bytes, str], interfaces: dict[bytes, _Interface], to: bytes | None, data: bytes) -> str:
    """Contract and method of a transaction."""
    if to is None:
        return "deployment"
    who = names.get(to, f"0x{to[:4].hex()}..")
    if not data:
        return f"{who}, no data"
    selector = data[:_SELECTOR]
    known = interfaces[to].methods if to in interfaces else {}
    return f"{who}.{known.get(selector, f'0x{selector.hex()}')}"
