"""Comparison of one case on Contend's EVM and on revm."""

from __future__ import annotations

from contend.evm import Block, errors
from contend.evm.accounts import accounts_of, new_state
from contend.evm.crypto.keccak import keccak256
from contend.evm.forks import fork_named
from contend.harness.verify.evm_fuzzer.random_programs import ProgramCase
from contend.harness.verify.evm_fuzzer.revm import execute
from contend.strategies.serial import Serial


class RevmChecker:
    """Compares cases, keeping one machine from one to the next.

    Attributes
    ----------
    gas_used : int
        Of the case that was compared last.
    """

    def __init__(self) -> None:
        self._serial = Serial()
        self.gas_used = 0

    def differences(self, case: ProgramCase) -> list[str]:
        """Status, gas, output, logs, storage, balances and codes that differ, each as a sentence."""
        state = new_state(case.world)
        receipts = self._serial.execute(Block(case.environment, (case.transaction,)), state, 1).receipts
        status, error = int(receipts.status[0]), receipts.error(0)
        self.gas_used = int(receipts.gas_used[0])
        slots = {(address, slot) for address, account in case.world.items() for slot in account.storage}
        created: set[bytes] = set()
        for location, _ in state.contents():
            if location.kind == "storage":
                slots.add((location.address, location.slot))
            elif location.kind == "code" and location.address not in case.world:
                created.add(location.address)
        expected = execute(case.world, case.transaction, case.environment, slots, created)
        if expected is None:
            return [] if status == errors.STATUS_INVALID else [f"status {status} here, refused by revm"]
        found = {
            "success": (status == errors.STATUS_SUCCESS, expected.success),
            "reverted": (error == "reverted", expected.reverted),
            "gas": (self.gas_used, expected.gas_used),
            "output": (receipts.output(0).hex(), expected.output.hex()),
            "logs": (receipts.logs(0), expected.logs),
        }
        # Without the end of a transaction, revm still shows what was destroyed (before Cancun).
        destroys_all = fork_named(case.environment.fork).destroys_all
        gone = set(case.world) - set(accounts_of(state)) if destroys_all else set()
        for (address, slot), word in expected.storage.items():
            if address not in gone:
                found[f"0x{address.hex()} storage[{slot:#x}]"] = (state.storage(address, slot), word)
        for address, wei in expected.balances.items():
            if address not in gone:
                found[f"0x{address.hex()} balance"] = (state.balance(address), wei)
        for address, code_hash in expected.code_hashes.items():
            found[f"0x{address.hex()} code hash"] = (keccak256(state.code(address)).hex(), code_hash.hex())
        return [
            f"{name}: {ours} here, {theirs} on revm ({error}, {expected.reason})"
            for name, (ours, theirs) in found.items()
            if ours != theirs
        ]
