"""A transaction executed with some words changed, and redone with the right ones from its log; a driver in Python."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from contend.evm import State, errors, layout
from contend.evm.block import limbs
from contend.evm.block_image import BlockImage
from contend.evm.interpreter import resume
from contend.evm.layout import ENTRY, MACHINE, RULES, TRANSACTION
from contend.evm.receipts import RECEIPT, RECEIPT_ARENA, write_receipt
from contend.evm.redo_log.around_frames import begin_log, supply_input
from contend.evm.redo_log.dependent_results import PATCH, apply_patches, list_patches, may_be_written, number_of_write
from contend.evm.redo_log.log_layout import LOG_ENTRY, REDO_LOG
from contend.evm.redo_log.log_memory import LogMemory
from contend.evm.redo_log.logged_run import resume_logged
from contend.evm.redo_log.recompute import HOLDS, change_input
from contend.evm.redo_log.settlement import redo
from contend.evm.runtime.structs import WORD_BYTES
from contend.evm.state import intern_location, key_tuple, word_to_int
from contend.evm.vm.access_table import supply_word
from contend.evm.vm.machine import Machine
from contend.evm.vm.transaction import start_transaction

REDOABLE = (layout.KIND_STORAGE, layout.KIND_BALANCE)
MOST_PATCHES = 4096
PAYLOAD = 1 << 20
Words = dict[int, int]


def as_limbs(word: int) -> tuple[np.uint64, ...]:
    return tuple(np.uint64(limb) for limb in limbs(word))


@dataclass
class Result:
    """All that a transaction has done."""

    status: int
    error: int
    gas_used: int
    fee: int
    payload: bytes
    writes: Words


class Redone:
    """Machines for one block on a state, which is not changed."""

    def __init__(self, image: BlockImage, state: State) -> None:
        self.image, self.state = image, state
        self.plain = Machine(image.address, state.codes.address)
        self.logged = Machine(image.address, state.codes.address)
        self.log = LogMemory(self.logged)
        self._receipt, self._arena = RECEIPT.zeros(), RECEIPT_ARENA.zeros()
        self._bytes = np.zeros(PAYLOAD, np.uint8)
        self._patches = PATCH.zeros(MOST_PATCHES)

    def attach(self, image: BlockImage, state: State) -> None:
        """Go on with another block."""
        self.image, self.state = image, state
        for machine in (self.plain, self.logged):
            machine.attach(image.address, state.codes.address)

    def _word(self, machine: Machine) -> tuple[int, int]:
        key = key_tuple(machine.header["pending_location"])
        self.state.reserve(self.state.count + 64)
        location = int(intern_location(self.state.address, key))
        return location, word_to_int(self.state.values[location])

    def _keep(self, machine: Machine) -> Any:
        self._arena[0] = (self._bytes.ctypes.data, PAYLOAD, 0, np.zeros(5, np.uint64))
        self._receipt[0]["payload_room"] = 0
        receipt = RECEIPT.ref(self._receipt.ctypes.data)
        assert write_receipt(MACHINE.ref(machine.address), receipt, RECEIPT_ARENA.ref(self._arena.ctypes.data))
        return self._receipt[0]

    def _result(self, machine: Machine, writes: Words) -> Result:
        row = self._receipt[0]
        size = int(row["logs_size"]) + (int(row["output_size"]) + 7 & ~7)
        fee = word_to_int(row["fee"])
        payload = self._bytes[:size].tobytes()
        return Result(int(row["status"]), int(row["error"]), int(row["gas_used"]), fee, payload, writes)

    def _entries(self, machine: Machine) -> Any:
        return ENTRY.array_at(int(machine.header["entries"]), int(machine.header["entry_count"]))

    def execute(self, index: int) -> Result:
        """The transaction, executed as usual."""
        machine = self.plain
        start_transaction(MACHINE.ref(machine.address), index)
        while (outcome := int(resume.compiled.ctypes(machine.address))) == errors.NEED:
            location, word = self._word(machine)
            assert supply_word(MACHINE.ref(machine.address), location, as_limbs(word))
        assert outcome == errors.DONE
        self._keep(machine)
        writes = {}
        for entry in self._entries(machine):
            is_transient = int(entry["key"][2]) >> layout.KIND_SHIFT == layout.KIND_TRANSIENT
            is_same = list(entry["current"]) == list(entry["original"])
            if int(entry["flags"]) & layout.FLAG_LOADED and not is_transient and not is_same:
                writes[int(entry["location"])] = word_to_int(entry["current"])
        return self._result(machine, writes)

    def redo(self, index: int, random: Random, chance: float) -> Result | None:
        """The transaction executed with words changed by chance, then redone; None where its log does not hold."""
        machine = self.logged
        header, reference = machine.header, MACHINE.ref(machine.address)
        log = REDO_LOG.ref(int(header["redo_log"]))
        start_transaction(reference, index)
        begin_log(reference)
        changed: dict[int, int] = {}
        originals: Words = {}
        while (outcome := int(resume_logged.compiled.ctypes(machine.address))) == errors.NEED:
            kind = int(header["pending_location"][2]) >> layout.KIND_SHIFT & layout.KIND_MASK
            location, word = self._word(machine)
            originals[location] = word
            given = word
            if kind in REDOABLE and random.random() < chance:
                given = other_word(word, random)
            number = int(supply_input(reference, location, as_limbs(given)))
            assert number >= 0
            if given != word:
                changed[number] = word
        assert outcome == errors.DONE
        receipt = self._keep(machine)
        if changed and (self.log.is_broken or 0 in changed):
            return None
        entries, count = int(REDO_LOG.array_at(log.address)[0]["entries"]), self.log.count + 1
        for number, word in changed.items():
            change_input(entries, count, number, as_limbs(word))
        found = HOLDS
        row = REDO_LOG.array_at(log.address)[0]
        settled = (
            np.int64(row["left"]),
            np.uint64(row["refund"]),
            np.int64(row["floor_gas"]),
            np.int64(row["gas_seen"]),
        )
        first = min(changed, default=count)
        if changed:
            transaction = TRANSACTION.ref(int(header["transaction"]))
            receipt_at = RECEIPT.ref(self._receipt.ctypes.data)
            found, _ = redo(entries, count, first, *settled, transaction, RULES.ref(int(header["rules"])), receipt_at)
        if found != HOLDS:
            return None
        patches = self._patches.ctypes.data
        patched = int(list_patches(reference, log, patches, MOST_PATCHES))
        size = int(receipt["logs_size"]) + (int(receipt["output_size"]) + 7 & ~7)
        apply_patches(entries, count, patches, patched, self._bytes.ctypes.data, size)
        rows = LOG_ENTRY.array_at(entries, count)
        writes = {}
        first = int(header["entries"])
        for i, entry in enumerate(self._entries(machine)):
            pointer = ENTRY.ref(first + i * ENTRY.words * WORD_BYTES)
            if may_be_written(log, pointer):
                number = int(number_of_write(log, pointer))
                word = word_to_int(rows[number]["word"] if number else entry["current"])
                if word != originals[int(entry["location"])]:
                    writes[int(entry["location"])] = word
        return self._result(machine, writes)


def other_word(word: int, random: Random) -> int:
    """Another word than this, mostly a similar one."""
    kind = random.random()
    if kind < 0.6:
        return (word + random.choice((-3, -1, 1, 2, 1000))) % (1 << 256)
    if kind < 0.7:
        return word * 2 % (1 << 256)
    if kind < 0.8:
        return 0
    return random.getrandbits(random.choice((8, 64, 160, 256)))
