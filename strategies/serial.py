"""Serial execution: in block order, straight on the state. The baseline that everything is judged by."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from contend.evm import CapacityError, State
from contend.evm.access_list.building.access_log import AccessLog
from contend.evm.access_list.building.builder import ListBuilder, build_list
from contend.evm.access_list.serial_maker import run_and_log
from contend.evm.block_image import BlockImage
from contend.evm.drivers.serial import credit_beneficiary, run_serially
from contend.evm.interpreter import resume
from contend.evm.receipts import ReceiptTable
from contend.evm.state import word_to_int
from contend.evm.vm.machine import Machine
from contend.strategies.base import Outcome
from contend.strategies.clocks import ACT_COMMIT, ACT_EXECUTE, cost_table
from contend.strategies.compiled import CompiledStrategy, beneficiary_location

ARENA_BYTES_PER_TRANSACTION = 1 << 11
SPARE_ARENA_BYTES = 1 << 20


class Serial(CompiledStrategy):
    """One transaction after the other, with no bookkeeping that only parallel execution needs."""

    name: ClassVar[str] = "serial"
    summary: ClassVar[str] = "in block order, straight on the state; the baseline"
    parallel: ClassVar[bool] = False
    lists_accesses: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._machine: Machine | None = None
        self._machine_scale = 0
        self._receipts = ReceiptTable(1, SPARE_ARENA_BYTES)
        self._lists: ListBuilder | None = None
        self._lists_fit = (0, 0)

    def attempt(self, image: BlockImage, state: State, workers: int, scale: int) -> Outcome:
        """Execute once; see `CompiledStrategy.attempt`."""
        count = len(image)
        if self._machine is None or self._machine_scale != scale:
            self._machine, self._machine_scale = Machine(image.address, state.codes.address, scale=scale), scale
        room = scale * (count * ARENA_BYTES_PER_TRANSACTION + SPARE_ARENA_BYTES)
        if self._receipts.arena_bytes < room:
            self._receipts = ReceiptTable(1, room)
        resume_address = resume.address
        self._fit_lists(count, scale)

        began = self.clock.now()
        self._machine.attach(image.address, state.codes.address)
        self._machine.header["work_done_ps"] = 0
        self._receipts.reset(count)
        fees = np.zeros(4, np.uint64)
        coinbase = beneficiary_location(image, state)
        prepared = self.clock.now()
        lists, balance = self._lists, word_to_int(state.values[coinbase])
        where = self._machine.address, state.address, self._receipts.address, self._receipts.arena_address(0)
        if lists is None:
            ended = run_serially(resume_address, *where, int(fees.ctypes.data), coinbase, 0, count)
        else:
            log = lists.log
            log.reset()
            places = log.address, log.log_address(0)
            ended = run_and_log(resume_address, *where, int(fees.ctypes.data), coinbase, count, *places)
        self.clock.spend(int(self._machine.header["work_done_ps"]), ACT_EXECUTE)
        executed = self.clock.now()
        if ended < 0:
            raise CapacityError("serial: machine, state or receipts are too small for the block")
        credit_beneficiary(state.address, coinbase, int(fees.ctypes.data))
        access_list = None
        if lists is not None:
            lists.reset(state, image.block.environment.coinbase, balance, self._receipts.address)
            access_list = build_list(lists)
            self.spend(cost_table.LIST_ACCESS, lists.records, ACT_COMMIT)
            self.spend(cost_table.LIST_SORT, lists.records * lists.records.bit_length(), ACT_COMMIT)
            self.spend(cost_table.LIST_BYTE, len(access_list), ACT_COMMIT)
        committed = self.clock.now()
        with self.clock.outside():
            receipts = self._receipts.collect(count)
        phases = {"prepare": prepared - began, "execute": executed - prepared, "commit": committed - executed}
        return Outcome(None, receipts, phases, {"executions": count}, access_list=access_list)

    def _fit_lists(self, count: int, scale: int) -> None:
        """Have memory for a list, where one is asked for. Outside the time."""
        if not self.makes_access_list:
            self._lists = None
        elif self._lists is None or self._lists_fit != (count, scale):
            self._lists, self._lists_fit = ListBuilder(AccessLog(count, scale=scale)), (count, scale)
