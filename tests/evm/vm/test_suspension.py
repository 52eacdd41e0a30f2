"""The interpreter stops where it needs a location, and goes on as if it had never stopped."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from contend.evm import Block, Location, Log, State, Transaction, errors, layout
from contend.evm import opcodes as op
from contend.evm.block import limbs
from contend.evm.block_image import BlockImage
from contend.evm.interpreter import resume
from contend.evm.layout import ENTRY, JOURNAL, MACHINE
from contend.evm.receipts import RECEIPT, RECEIPT_ARENA, ReceiptTable, write_receipt
from contend.evm.runtime.structs import Reference
from contend.evm.state import location_key, location_of, word_to_int
from contend.evm.vm.access_table import supply_word
from contend.evm.vm.machine import Machine
from contend.evm.vm.transaction import start_transaction
from contend.harness.verify.evm_fuzzer.random_programs import PLAIN, ProgramCase, structured
from tests.evm.runner import CONTRACT, FREE, SENDER, Account, Runner, free_call, make_state, with_code

Wanted = Callable[[Location], None]


@dataclass(frozen=True)
class Outcome:
    """All that a driver can learn of a transaction."""

    status: int
    error: str | None
    gas_used: int
    fee: int
    output: bytes
    logs: list[Log]
    writes: dict[Location, int]


class Driver:
    """A driver in plain Python, one `NEED` at a time."""

    def __init__(self, case: ProgramCase, state: State | None = None, machine: Machine | None = None) -> None:
        self.case = case
        self.state = state if state is not None else make_state(case.world)
        self.image = BlockImage(Block(case.environment, (case.transaction,)))
        self.machine = machine or Machine(self.image.address, self.state.codes.address)
        self.machine.attach(self.image.address, self.state.codes.address)
        self.wanted: list[Location] = []
        start_transaction(self.reference, 0)

    @property
    def reference(self) -> Reference:
        return MACHINE.ref(self.machine.address)

    def resume(self) -> int:
        return int(resume.compiled.ctypes(self.machine.address))

    def provide(self, location: Location) -> None:
        kind = layout.KIND_NAMES.index(location.kind)
        self.machine.header["pending_location"] = location_key(location.address, kind, location.slot)
        word = self.state._get(location.address, kind, location.slot)
        assert supply_word(self.reference, 0, tuple(np.uint64(limb) for limb in limbs(word)))

    def need(self) -> Location:
        return location_of(self.machine.header["pending_location"])

    def answer(self) -> None:
        self.wanted.append(self.need())
        self.provide(self.wanted[-1])

    def run(self, at_need: Callable[[], None] = lambda: None) -> Outcome:
        while (outcome := self.resume()) == errors.NEED:
            at_need()
            self.answer()
        assert outcome == errors.DONE
        return self.outcome()

    def entries(self) -> npt.NDArray[np.void]:
        return self.machine._entries[: int(self.machine.header["entry_count"])]

    def outcome(self) -> Outcome:
        table = ReceiptTable(1, 1 << 20)
        table.reset(1)
        assert write_receipt(self.reference, RECEIPT.ref(table.address), RECEIPT_ARENA.ref(table.arena_address(0)))
        receipts = table.collect(1)
        writes = {}
        for row in self.entries():
            original, current = word_to_int(row["original"]), word_to_int(row["current"])
            if int(row["flags"]) & layout.FLAG_LOADED and current != original:
                writes[location_of(row["key"])] = current
        return Outcome(
            int(receipts.status[0]),
            receipts.error(0),
            int(receipts.gas_used[0]),
            word_to_int(self.machine.header["fee"]),
            receipts.output(0),
            receipts.logs(0),
            writes,
        )

    def picture(self) -> list[bytes]:
        """Everything in the machine that an instruction could have changed."""
        frames = int(self.machine.header["depth"]) + 1
        return [
            self.machine.header.tobytes(),
            self.entries().tobytes(),
            self.machine._frames[:frames].tobytes(),
            self.machine._stack[: 4 * 1100].tobytes(),
            self.machine._memory[: 1 << 14].tobytes(),
            self.machine._logs[: 1 << 12].tobytes(),
        ]


PUSH20 = op.PUSH0 + 20
CASES = range(5_000, 5_120)


@pytest.mark.bounds
def test_interrupted_at_every_need_or_never(runner: Runner) -> None:
    machine, needs = None, 0
    for seed in CASES:
        case = structured(seed)
        interrupted = Driver(case, machine=machine)
        machine = interrupted.machine
        expected = interrupted.run()
        needs += len(interrupted.wanted)
        assert len(set(interrupted.wanted)) == len(interrupted.wanted), "a location was needed twice"

        preloaded = Driver(case, machine=machine)
        for location in reversed(interrupted.wanted):
            preloaded.provide(location)
        assert preloaded.resume() == errors.DONE
        assert preloaded.outcome() == expected, f"structured({seed})"

        direct = runner.run(case.world, case.transaction, case.environment)
        assert (direct.status, direct.gas_used, direct.output, direct.logs, direct.changes) == (
            expected.status,
            expected.gas_used,
            expected.output,
            expected.logs,
            expected.writes,
        )
    assert needs > 5 * len(CASES)


@pytest.mark.bounds
def test_what_is_provided_and_not_needed_changes_nothing() -> None:
    for seed in CASES[:40]:
        case = structured(seed)
        expected = Driver(case).run()
        generous = Driver(case)
        for address, account in case.world.items():
            for kind in ("balance", "nonce", "code"):
                generous.provide(Location(address, kind, 0))
            for slot in account.storage:
                generous.provide(Location(address, "storage", slot))
        assert generous.run() == expected, f"structured({seed})"


@pytest.mark.bounds
def test_an_unanswered_need_is_repeated_and_changes_nothing() -> None:
    machine = None
    for seed in CASES[:60]:
        driver = Driver(structured(seed), machine=machine)
        machine = driver.machine

        def ask_again(driver: Driver = driver) -> None:
            wanted, before = driver.need(), driver.picture()
            assert driver.resume() == errors.NEED
            assert driver.need() == wanted
            assert driver.picture() == before

        driver.run(ask_again)


def test_an_abandoned_transaction_leaves_nothing_to_the_next() -> None:
    # Block-STM drops an incarnation wherever it stands and starts the transaction again on the same machine.
    for seed in CASES[:15]:
        case = structured(seed)
        whole, driver = Driver(case), Driver(case)
        expected = whole.run()
        for stop in range(0, len(whole.wanted) + 2, 2):
            start_transaction(driver.reference, 0)
            for _ in range(stop):
                if driver.resume() != errors.NEED:
                    break
                driver.answer()
        start_transaction(driver.reference, 0)
        assert driver.run() == expected, f"structured({seed})"


def test_two_machines_take_turns_at_every_need() -> None:
    for seed in CASES[:20]:
        case = structured(seed)
        expected = Driver(case).run()
        state = make_state(case.world)
        pair = [Driver(case, state), Driver(case, state)]
        running = list(pair)
        while running:
            for driver in list(running):
                if driver.resume() == errors.NEED:
                    driver.answer()
                else:
                    running.remove(driver)
        assert [driver.outcome() for driver in pair] == [expected, expected]


def test_many_locations_grow_the_access_table() -> None:
    # 700 slots and as many transient ones: the index doubles three times within one transaction.
    code = b"".join(
        bytes([op.PUSH0 + 2, *slot.to_bytes(2, "big"), op.SLOAD, op.PUSH0 + 1, 1, op.ADD])
        + bytes([op.PUSH0 + 2, *slot.to_bytes(2, "big"), op.TSTORE])
        for slot in range(700)
    )
    code += b"".join(
        bytes([op.PUSH0 + 2, *slot.to_bytes(2, "big"), op.TLOAD])
        + bytes([op.PUSH0 + 2, *slot.to_bytes(2, "big"), op.SSTORE])
        for slot in range(700)
    )
    world = with_code(code, {slot: slot * slot for slot in range(700)})
    driver = Driver(ProgramCase(world, free_call(gas_limit=10**8), FREE))
    outcome = driver.run()
    assert outcome.status == errors.STATUS_SUCCESS
    found = {location.slot: word for location, word in outcome.writes.items() if location.kind == "storage"}
    assert found == {slot: slot * slot + 1 for slot in range(700)}


def test_transactions_need_what_they_touch_and_no_more() -> None:
    code = bytes([op.PUSH0 + 1, 5, op.SLOAD, PUSH20, *PLAIN, op.EXTCODEHASH, op.SELFBALANCE])
    driver = Driver(ProgramCase(with_code(code) | {PLAIN: Account(balance=5)}, free_call(value=1), FREE))
    driver.run()
    assert driver.wanted == [
        Location(SENDER, "nonce", 0),
        Location(SENDER, "code", 0),
        Location(SENDER, "balance", 0),
        Location(CONTRACT, "code", 0),
        Location(CONTRACT, "balance", 0),
        Location(CONTRACT, "storage", 5),
        Location(PLAIN, "code", 0),
        Location(PLAIN, "balance", 0),
    ]


def test_gas_of_the_work_is_counted_through_interruptions() -> None:
    code = bytes([op.PUSH0 + 1, 5, op.SLOAD, op.PUSH0 + 1, 6, op.SLOAD, op.ADD, op.PUSH0, op.MSTORE])
    driver = Driver(ProgramCase(with_code(code), free_call(), FREE))
    outcome = driver.run()
    assert int(driver.machine.header["gas_done"]) == outcome.gas_used - 21_000


CAPACITIES = {
    "memory capacity exceeded": ("memory_bytes", 64, bytes([op.PUSH0 + 1, 40, op.MLOAD])),
    "journal capacity exceeded": (
        "journal_words",
        JOURNAL.words,
        bytes([op.PUSH0, op.PUSH0, op.TSTORE]) * 2,
    ),
    "log capacity exceeded": ("logs_bytes", 40, bytes([op.PUSH0 + 1, 9, op.PUSH0, op.LOG0])),
    "output capacity exceeded": ("output_bytes", 8, bytes([op.PUSH0 + 1, 9, op.PUSH0, op.RETURN])),
    "stack capacity exceeded": ("stack_words", 4 * 1023, b""),
    "access table capacity exceeded": (
        "entries_words",
        7 * ENTRY.words,
        b"".join(bytes([op.PUSH0 + 1, i, op.TLOAD, op.PUSH0 + 1, i, op.TSTORE]) for i in range(9)),
    ),
}


@pytest.mark.bounds
@pytest.mark.parametrize("error", CAPACITIES)
def test_a_machine_that_is_too_small_ends_in_a_fault(error: str) -> None:
    field, room, code = CAPACITIES[error]
    driver = Driver(ProgramCase(with_code(code), free_call(), FREE))
    driver.machine.header[field] = room
    while (outcome := driver.resume()) == errors.NEED:
        driver.answer()
    assert outcome == errors.FAULT
    assert errors.describe(driver.machine.error) == error


def test_a_fault_deep_in_calls_is_a_fault_of_the_transaction() -> None:
    # The child of a child runs out of room; no caller may take that for a failed call and go on.
    inner = bytes([op.PUSH0 + 1, 200, op.MLOAD])
    calls = bytes([op.PUSH0] * 5) + bytes([PUSH20])
    middle = calls + b"\x02" * 20 + bytes([op.GAS, op.CALL])
    outer = calls + b"\x01" * 20 + bytes([op.GAS, op.CALL])
    world = with_code(outer) | {b"\x01" * 20: Account(code=middle), b"\x02" * 20: Account(code=inner)}
    driver = Driver(ProgramCase(world, free_call(), FREE))
    driver.machine.header["memory_bytes"] = 64
    while (outcome := driver.resume()) == errors.NEED:
        driver.answer()
    assert outcome == errors.FAULT
    assert errors.describe(driver.machine.error) == "memory capacity exceeded"


def test_resume_takes_and_gives_one_integer() -> None:
    assert resume.compiled.ctypes.restype is ctypes.c_int64
    assert resume.compiled.ctypes.argtypes == (ctypes.c_int64,)


def test_a_transaction_can_be_of_any_place_in_its_block() -> None:
    state = make_state({SENDER: Account(balance=10**20)})
    block = Block(FREE, tuple(Transaction(SENDER, PLAIN, i, 21_000, i + 1, b"", 0, 0) for i in range(5)))
    image = BlockImage(block)
    machine = Machine(image.address, state.codes.address)
    case = ProgramCase({}, block.transactions[0], FREE)
    driver = Driver(case, state, machine)
    machine.attach(image.address, state.codes.address)
    for place in (3, 0):
        state.set_nonce(SENDER, place)
        start_transaction(driver.reference, place)
        assert driver.run().writes[Location(PLAIN, "balance", 0)] == place + 1
