"""What is wrong with a case's outcome, and the specification's own outcome of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contend.evm.accounts import Account, World, accounts_of
from contend.evm.errors import describe
from contend.harness.verify.full_receipts import full_receipts
from contend.harness.verify.schedule_fuzzer.cases import Scene, ScheduleCase
from contend.strategies.serial import Serial
from tests.cases.public_case import CASES, Now, PublicCase
from tests.cases.specification import Specification

PREFIX = "public case "


@dataclass(frozen=True)
class Ended:
    """Outcome of a case's last block.

    Attributes
    ----------
    statuses, gas_used, cumulative_gas : tuple of int
        By place.
    first_logs, errors : tuple of int, or None
        Likewise; None where they are not told.
    left : mapping
        Every account that is there.
    """

    statuses: tuple[int, ...]
    gas_used: tuple[int, ...]
    cumulative_gas: tuple[int, ...]
    left: World
    first_logs: tuple[int, ...] | None = None
    errors: tuple[int, ...] | None = None


def differences(case: PublicCase, ended: Ended) -> list[str]:
    """Where an outcome is not what the case says."""
    found = []
    if ended.statuses != case.statuses:
        found.append(f"statuses {ended.statuses} instead of {case.statuses}")
    found += [
        f"transaction {place} uses {ended.gas_used[place]} gas instead of {gas}"
        for place, gas in case.gas.items()
        if ended.gas_used[place] != gas
    ]
    if ended.errors is not None:
        found += [
            f"transaction {place} ends with {describe(ended.errors[place])!r}"
            for place, error in case.errors.items()
            if ended.errors[place] != error
        ]
    if case.cumulative_gas not in (None, ended.cumulative_gas):
        found.append(f"gas through the block {ended.cumulative_gas} instead of {case.cumulative_gas}")
    if ended.first_logs is not None and case.first_logs not in (None, ended.first_logs):
        found.append(f"first logs {ended.first_logs} instead of {case.first_logs}")
    for address, wanted in case.accounts.items():
        found += [f"{address.hex()}: {one}" for one in _account_differences(ended.left.get(address), wanted)]
    return found


def _account_differences(left: Account | None, wanted: Now | None) -> Iterator[str]:
    if wanted is None:
        if left is not None:
            yield f"is there: {left}"
        return
    for name, value in vars(wanted).items():
        if value is not None and getattr(left or Account(), name) != value:
            yield f"{name} is {getattr(left or Account(), name)!r} instead of {value!r}"


def serial_end(case: PublicCase) -> Ended:
    """Outcome by serial execution."""
    state = case.state()
    with Serial() as serial:
        for block in case.blocks:
            receipts = serial.execute(block, state, 1).receipts
    full = full_receipts(receipts, [transaction.type for transaction in case.blocks[-1]])
    return Ended(
        tuple(receipts.status.tolist()),
        tuple(receipts.gas_used.tolist()),
        tuple(one.cumulative_gas for one in full),
        accounts_of(state),
        tuple(one.first_log for one in full),
        tuple(receipts.error_codes.tolist()),
    )


def specified_end(case: PublicCase) -> Ended:
    """Outcome by the executable specification; skips the test where that is not installed."""
    specification = Specification(case.blocks[0].environment.fork, case.world)
    for block in case.blocks:
        ended = specification.execute(block)
    return Ended(*ended, specification.left())


def scene_of_case(scheduled: ScheduleCase) -> Scene:
    """The last block of the public case that a schedule's source names, and the state before it."""
    case = CASES[scheduled.source.removeprefix(PREFIX)]()
    state = case.state()
    with Serial() as serial:
        for block in case.blocks[:-1]:
            serial.execute(block, state, 1)
    return Scene(case.blocks[-1], state, {})
