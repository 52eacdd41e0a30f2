"""The two EVMs that run a program: this one and revm. Both give the same kind of result, and the processor time of it.

Timed is one transaction from its beginning to its result, on a state that is there. Outside of the time: making the
state, decoding code (revm analyses it beforehand, too), and putting the state back after each run. Here the time is of
one call of the serial driver's kernel: intrinsic gas, nonce, state reads, execution, state writes, the receipt. On revm
it is of one `message_call`, which costs some ten microseconds whatever it executes: Python's arguments, the output.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import thread_time
from typing import Any, Protocol

from contend.evm import Block, errors
from contend.evm.accounts import new_state
from contend.evm.block_image import BlockImage
from contend.evm.drivers.roomy_run import RoomyRun
from contend.evm.drivers.serial import run_serially
from tools.programs.program_files import Program


@dataclass(frozen=True)
class Result:
    """What a program did, as far as both tell it."""

    success: bool
    gas_used: int
    output: bytes


class Machine(Protocol):
    """One EVM with one program."""

    def run(self) -> float:
        """Seconds of processor time of one run; the state is as before afterwards."""

    def result(self) -> Result:
        """Of the run before."""


class Here:
    """The EVM of this project.

    Parameters
    ----------
    program : Program
    """

    def __init__(self, program: Program) -> None:
        self._state = new_state(program.world)
        self._image = BlockImage(Block(program.environment, (program.transaction,)))
        self._run = RoomyRun(self._image, self._state, 4)
        self._before = self._state.snapshot()
        self.run()  # compiled, and its memory touched

    def run(self) -> float:
        """Run it once."""
        run, arguments = self._run, self._run.arguments
        self._state.restore(self._before)
        run.machine.attach(self._image.address, self._state.codes.address)
        run.table.reset(1)
        began = thread_time()
        ended = run_serially(*arguments, 0, 1)
        seconds = thread_time() - began
        run.refuse_fault(int(ended), "a program", {})
        return seconds

    def result(self) -> Result:
        """Of the run before."""
        receipts = self._run.table.collect(1)
        success = int(receipts.status[0]) == errors.STATUS_SUCCESS
        return Result(success, int(receipts.gas_used[0]), receipts.output(0))


class OnRevm:
    """revm, by pyrevm.

    Parameters
    ----------
    program : Program

    Raises
    ------
    ImportError
        Where pyrevm is not installed.
    """

    def __init__(self, program: Program) -> None:
        import pyrevm

        from contend.harness.verify.evm_fuzzer.revm import SPECIFICATIONS, text

        block, transaction = program.environment, program.transaction
        assert transaction.to is not None
        described = pyrevm.BlockEnv(
            number=block.number,
            coinbase=text(block.coinbase),
            timestamp=block.timestamp,
            prevrandao=block.prev_randao.to_bytes(32, "big"),
            basefee=0,
            gas_limit=block.gas_limit,
            excess_blob_gas=0,
        )
        env = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=block.chain_id), block=described)
        specification = SPECIFICATIONS[block.fork]
        self._evm = evm = pyrevm.EVM(env=env, spec_id=specification, gas_limit=block.gas_limit)
        for address, account in program.world.items():
            name = text(address)
            values: dict[str, Any] = {"balance": account.balance, "nonce": account.nonce}
            analysed = _analysed(account.code, account.balance, specification)
            evm.insert_account_info(name, analysed if account.code else pyrevm.AccountInfo(**values))
            for slot, value in account.storage.items():
                # Inserting touches the journal, and what is in the journal is never written to the database.
                moment = evm.snapshot()
                evm.insert_account_storage(name, slot, value)
                evm.revert(moment)
        self._arguments: dict[str, Any] = {
            "caller": text(transaction.sender),
            "to": text(transaction.to),
            "calldata": transaction.data,
            "value": transaction.value,
            "gas": transaction.gas_limit,
            "gas_price": 0,
        }
        self._output = b""
        self.run()

    def run(self) -> float:
        """Run it once."""
        evm, arguments = self._evm, self._arguments
        moment = evm.snapshot()
        began = thread_time()
        try:
            output = evm.message_call(**arguments)
        except RuntimeError:
            output = b""
        seconds = thread_time() - began
        self._output = bytes(output)
        evm.revert(moment)
        evm.reset_transient_storage()
        return seconds

    def result(self) -> Result:
        """Of the run before."""
        result = self._evm.result
        assert result is not None
        return Result(result.is_success, result.gas_used, self._output)


def _analysed(code: bytes, balance: int, specification: str) -> Any:
    """An account with this code, which revm has looked for jump destinations in once, and not at each call."""
    import pyrevm

    scratch, deployer = pyrevm.EVM(spec_id=specification), "0x" + "11" * 20
    values: dict[str, Any] = {"balance": balance, "nonce": 0}
    scratch.insert_account_info(deployer, pyrevm.AccountInfo(**values))
    # PUSH3 size, DUP1, PUSH1 13, PUSH1 0, CODECOPY, PUSH1 0, RETURN
    header = b"\x62" + len(code).to_bytes(3, "big") + bytes.fromhex("80600d6000396000f3")
    return scratch.basic(scratch.deploy(deployer, header + code, value=balance))
