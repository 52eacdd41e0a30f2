"""Random contracts of generated blocks: programs as the EVM fuzzer writes them, that meet in accounts and slots."""

from __future__ import annotations

from random import Random

from contend.evm import opcodes as op
from contend.harness.verify.block_fuzzer.places import CHILDREN, INIT_CODES, RECIPES, SLOTS, TARGETS
from contend.harness.verify.evm_fuzzer.random_programs import ProgramWriter

CLZ = 0x1E
# Others than the EVM fuzzer draws: a pairing and a blob's point, the curve of EIP-2537, secp256r1.
_FURTHER_PRECOMPILES = (8, 10, *range(11, 18), 256)
_SIZES = (0, 64, 128, 160, 192, 256, 288, 384)


class ContractWriter(ProgramWriter):
    """A program among others that its block holds: what it sees of them ends up in storage."""

    def inner(self) -> ProgramWriter:
        """Make the writer of init code that this program runs."""
        return ContractWriter(self.random, self.creations + 1)

    def address(self) -> None:
        """An address of those where the block happens, sometimes with bits above it."""
        value = int.from_bytes(self.random.choice(TARGETS), "big")
        if self.random.random() < 0.03:
            value |= self.random.getrandbits(96) << 160
        self.push(value)

    def observe(self) -> None:
        """Store the top of the stack, or keep it in memory for what is returned and logged."""
        if self.random.random() < 0.4:
            self.push(self.random.choice(SLOTS))
            self.emit(op.SSTORE)
        else:
            super().observe()

    def bump(self) -> None:
        """Add to a slot what another has, or one."""
        slot = self.random.choice(SLOTS)
        self.push(slot)
        self.emit(op.SLOAD)
        if self.random.random() < 0.5:
            self.push(1)
        else:
            self.push(self.random.choice(SLOTS))
            self.emit(op.SLOAD)
        self.emit(op.ADD)
        self.push(slot)
        self.emit(op.SSTORE)

    def clear(self) -> None:
        """Empty a slot."""
        self.push(0)
        self.push(self.random.choice(SLOTS))
        self.emit(op.SSTORE)

    def pay(self) -> None:
        """Send a little, with or without call data."""
        self.push(0)
        self.push(0)
        self.push(self.random.choice((0, 32)))
        self.push(0)
        self.push(self.random.choice((0, 1, 7)))
        self.address()
        self.emit(op.GAS, op.CALL)
        self.observe()

    def create_known(self) -> None:
        """Create by CREATE2 without salt what other transactions create, too."""
        code = self.random.choice(tuple(INIT_CODES.values()))
        for at in range(0, len(code), 32):
            self.push(int.from_bytes(code[at : at + 32].ljust(32, b"\0"), "big"), 32)
            self.push(at)
            self.emit(op.MSTORE)
        self.push(0)
        self.push(len(code))
        self.push(0)
        self.push(self.random.choice((0, 0, 1)))
        self.emit(op.CREATE2)
        self.observe()

    def call_child(self) -> None:
        """Call what a factory creates, so that it counts or is destroyed."""
        self.push(0)
        self.push(0)
        self.push(self.random.choice((0, 32)))
        self.push(0)
        self.push(0)
        self.push(int.from_bytes(self.random.choice(CHILDREN), "big"))
        self.emit(op.GAS, op.CALL)
        self.observe()

    def further(self) -> None:
        """Call a precompiled contract on zeros, or count leading zeros."""
        if self.random.random() < 0.2:
            self.operand()
            self.code.append(CLZ)
            self.observe()
            return
        self.push(64)
        self.push(0)
        self.push(self.random.choice(_SIZES))
        self.push(0)
        self.push(self.random.choice(_FURTHER_PRECOMPILES))
        self.emit(op.GAS, op.STATICCALL)
        self.observe()

    def statements(self, count: int) -> None:
        """Append some statements, of which half are about the block's other accounts."""
        own = (
            self.bump, self.bump, self.clear, self.pay, self.account, self.account, self.call, self.create_known,
            self.call_child, self.further, self.log, self.create,
        )  # fmt: skip
        for _ in range(count):
            if self.random.random() < 0.5:
                self.random.choice(own)()
            else:
                super().statements(1)


def random_contract(random: Random) -> bytes:
    """Code of an account: a recipe, or a program."""
    if random.random() < 0.45:
        return random.choice(tuple(RECIPES.values()))
    writer = ContractWriter(random)
    writer.statements(random.choice((2, 4, 8, 14)))
    writer.finish()
    return bytes(writer.code)


def random_init_code(random: Random) -> bytes:
    """Init code of a transaction that creates."""
    if random.random() < 0.6:
        return random.choice(tuple(INIT_CODES.values()))
    writer = ContractWriter(random, 1)
    writer.statements(random.choice((1, 3, 6)))
    writer.finish()
    return bytes(writer.code)
