"""Random programs, biased to where EVMs go wrong. A seed gives the same case for ever.

`structured` cases are several contracts that call each other; the generator knows the height of the stack, so that
most instructions really execute. `scrambled` cases are random bytes and hostile call data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from contend.evm import Environment, Transaction
from contend.evm import opcodes as op
from contend.evm.accounts import Account
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.genesis import contract_address
from contend.evm.forks import DEFAULT

SENDER = bytes.fromhex("a94f5374fce5edbc8e2a8697c15331677e6ebf0b")
FREE = Environment(base_fee=0)
CONTRACTS = tuple(bytes.fromhex(f"c{i}" * 20) for i in range(4))
PLAIN = bytes.fromhex("ee" * 20)  # has a balance, but no code
EMPTY = bytes.fromhex("0d" * 20)  # is in no state
CREATED = tuple(contract_address(address, 1) for address in CONTRACTS[:2])
TARGETS = (*CONTRACTS, *CONTRACTS, PLAIN, EMPTY, SENDER, FREE.coinbase, *CREATED)
PRECOMPILES = (1, 2, 3, 4, 4, 5, 6, 7, 9)  # pairings take too long in Python to be drawn blindly
SLOTS = (0, 1, 2, 1 << 255)
EDGES = (
    0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 255, 256, 257, 2300, 2301, 65535, (1 << 32) - 1, 1 << 32, (1 << 32) + 1,
    (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, (1 << 64) + 1, (1 << 128) - 1, 1 << 160, (1 << 255) - 1, 1 << 255,
    (1 << 256) - 2, (1 << 256) - 1,
)  # fmt: skip
ENVIRONMENT = Environment(
    number=1000,
    timestamp=1_717_000_001,
    gas_limit=1 << 50,
    base_fee=0,
    chain_id=1,
    prev_randao=0xDEADBEEF << 200,
    block_hashes={n: keccak256(str(n).encode()) for n in (744, 745, 998, 999)},  # as revm makes them up
)

UNARY = (op.ISZERO, op.NOT)
BINARY = (
    op.ADD, op.MUL, op.SUB, op.DIV, op.SDIV, op.MOD, op.SMOD, op.EXP, op.SIGNEXTEND, op.LT, op.GT, op.SLT, op.SGT,
    op.EQ, op.AND, op.OR, op.XOR, op.BYTE, op.SHL, op.SHR, op.SAR,
)  # fmt: skip
TERNARY = (op.ADDMOD, op.MULMOD)
NULLARY = (
    op.ADDRESS, op.ORIGIN, op.CALLER, op.CALLVALUE, op.CALLDATASIZE, op.CODESIZE, op.GASPRICE, op.RETURNDATASIZE,
    op.COINBASE, op.TIMESTAMP, op.NUMBER, op.PREVRANDAO, op.GASLIMIT, op.CHAINID, op.SELFBALANCE, op.BASEFEE,
    op.BLOBBASEFEE, op.PC, op.MSIZE, op.GAS,
)  # fmt: skip
CALLS = (op.CALL, op.CALLCODE, op.DELEGATECALL, op.STATICCALL)
UNDEFINED = (op.INVALID, 0x0C, 0x0D, 0x0E, 0x0F, 0x1E, 0x21, 0x4B, 0xA5, 0xEF, 0xF6)
MOST_INIT_CODE = 200
DEEPEST_CREATION = 2


@dataclass(frozen=True)
class ProgramCase:
    """A world and a transaction."""

    world: dict[bytes, Account]
    transaction: Transaction
    environment: Environment = ENVIRONMENT


class ProgramWriter:
    """Bytecode under construction, with the height of the stack as it will be."""

    def __init__(self, random: Random, creations: int = 0) -> None:
        self.random = random
        self.creations = creations  # how deep in init code this is
        self.code = bytearray()
        self.height = 0
        self.observed = 0

    def emit(self, *numbers: int) -> None:
        """Append instructions without data, following their stack effect."""
        for number in numbers:
            self.code.append(number)
            row = DEFAULT.opcodes.get(number, DEFAULT.opcodes[op.INVALID])
            self.height += row.stack_out - row.stack_in

    def push(self, value: int, width: int | None = None) -> None:
        """Push a constant, mostly by the shortest instruction."""
        least = (value.bit_length() + 7) // 8
        if width is None:
            width = least if self.random.random() < 0.9 else self.random.randint(least, 32)
        self.code += bytes([op.PUSH0 + width]) + value.to_bytes(width, "big")
        self.height += 1

    def word(self) -> int:
        """A constant, likely at an edge."""
        kind = self.random.random()
        if kind < 0.5:
            return self.random.choice(EDGES)
        if kind < 0.7:
            return self.random.randrange(300)
        if kind < 0.8:
            return ((1 << self.random.randrange(257)) + self.random.randint(-2, 2)) % (1 << 256)
        return self.random.getrandbits(256)

    def operand(self) -> None:
        """Put some word on the stack."""
        kind = self.random.random()
        if self.height and kind < 0.3:
            depth = self.random.randint(1, min(16, self.height))
            self.code.append(op.DUP1 + depth - 1)
            self.height += 1
        elif kind < 0.4:
            self.emit(self.random.choice(NULLARY))
        elif kind < 0.45:
            self.push(self.random.randrange(80))
            self.emit(op.CALLDATALOAD)
        else:
            self.push(self.word())

    def place(self) -> None:
        """An offset or size in memory: mostly small, now and then absurd."""
        self.push(self.random.randrange(200) if self.random.random() < 0.99 else self.word())

    def address(self) -> None:
        """An address, sometimes with bits above it."""
        value = int.from_bytes(self.random.choice(TARGETS), "big")
        if self.random.random() < 0.1:
            value |= self.random.getrandbits(96) << 160
        if self.random.random() < 0.02:
            value = self.word()
        self.push(value)

    def observe(self) -> None:
        """Write the top of the stack where the caller will see it."""
        if self.random.random() < 0.15:
            self.push(self.random.choice(SLOTS))
            self.emit(op.SSTORE)
        else:
            self.push(32 * self.observed)
            self.emit(op.MSTORE)
            self.observed = (self.observed + 1) % 8

    def arithmetic(self) -> None:
        """Compute with words at the edges."""
        operation = self.random.choice(self.random.choice((UNARY, BINARY, BINARY, BINARY, TERNARY)))
        for _ in range(DEFAULT.opcodes[operation].stack_in):
            self.operand()
        self.emit(operation)
        if self.random.random() < 0.7:
            self.observe()

    def environment(self) -> None:
        """Ask for something of the frame, the transaction or the block."""
        self.emit(self.random.choice(NULLARY))
        self.observe()

    def account(self) -> None:
        """Ask something about an account."""
        self.address()
        self.emit(self.random.choice((op.BALANCE, op.EXTCODESIZE, op.EXTCODEHASH)))
        self.observe()

    def block_hash(self) -> None:
        """Ask for the hash of a block, near and far."""
        self.push(self.random.choice((0, 743, 744, 745, 998, 999, 1000, 1001, 1 << 64, self.word())))
        self.emit(op.BLOCKHASH)
        self.observe()

    def memory(self) -> None:
        """Read, write, move or hash memory."""
        operation = self.random.choice((op.MLOAD, op.MSTORE, op.MSTORE8, op.MCOPY, op.KECCAK256))
        if operation == op.MCOPY or operation == op.KECCAK256:
            for _ in range(DEFAULT.opcodes[operation].stack_in):
                self.place()
        else:
            if operation != op.MLOAD:
                self.operand()
            self.place()
        self.emit(operation)
        if DEFAULT.opcodes[operation].stack_out:
            self.observe()

    def copy(self) -> None:
        """Copy from outside to memory, beyond the ends too."""
        operation = self.random.choice((op.CALLDATACOPY, op.CODECOPY, op.RETURNDATACOPY, op.EXTCODECOPY))
        if operation == op.RETURNDATACOPY and self.random.random() < 0.7:
            self.emit(op.RETURNDATASIZE)
            self.push(0)
        else:
            self.place()
            self.place()
        self.place()
        if operation == op.EXTCODECOPY:
            self.address()
        self.emit(operation)

    def storage(self) -> None:
        """Read or write a slot, transient ones too."""
        kind = self.random.random()
        slot = self.random.choice(SLOTS) if self.random.random() < 0.9 else self.word()
        load, store = (op.SLOAD, op.SSTORE) if self.random.random() < 0.7 else (op.TLOAD, op.TSTORE)
        if kind < 0.4:
            self.push(slot)
            self.emit(load)
            self.observe()
        else:
            self.push(self.random.choice((0, 0, 1, 5, self.word())))
            self.push(slot)
            self.emit(store)

    def log(self) -> None:
        """Log some memory with topics that are there."""
        topics = self.random.randrange(5)
        for _ in range(topics):
            self.operand()
        self.place()
        self.place()
        self.emit(op.LOG0 + topics)

    def call(self) -> None:
        """Call an account with all, some or too much gas."""
        operation = self.random.choice(CALLS)
        for _ in range(4):
            self.place()
        if operation in (op.CALL, op.CALLCODE):
            self.push(self.random.choice((0, 0, 0, 1, 7, 10**30)))
        self.address()
        kind = self.random.random()
        if kind < 0.6:
            self.emit(op.GAS)
        elif kind < 0.9:
            self.push(self.random.choice((0, 1, 100, 2295 + self.random.randrange(20), 5000, 30_000, 100_000)))
        else:
            self.push(self.word())
        self.emit(operation)
        self.observe()
        if self.random.random() < 0.5:
            self.emit(op.RETURNDATASIZE)
            self.observe()

    def inner(self) -> ProgramWriter:
        """Make the writer of init code that this program runs."""
        return ProgramWriter(self.random, self.creations + 1)

    def create(self) -> None:
        """Write init code to memory and run it, then call what it made."""
        if self.creations >= DEEPEST_CREATION:
            return
        inner = self.inner()
        inner.statements(self.random.choice((0, 1, 3, 6)))
        inner.finish()
        code = bytes(inner.code[:MOST_INIT_CODE])
        for at in range(0, len(code), 32):
            piece = code[at : at + 32]
            self.push(int.from_bytes(piece.ljust(32, b"\0"), "big"), 32)
            self.push(512 + at)
            self.emit(op.MSTORE)
        operation = self.random.choice((op.CREATE, op.CREATE2))
        if operation == op.CREATE2:
            self.push(self.random.choice((0, 1)))
        if self.random.random() < 0.95:
            self.push(len(code))
            self.push(512)
        else:
            self.place()
            self.place()
        self.push(self.random.choice((0, 0, 0, 1, 10**30)))
        self.emit(operation)
        if self.random.random() < 0.5:
            for _ in range(4):
                self.place()
            self.push(self.random.choice((0, 1)))
            self.code.append(op.DUP1 + 5)
            self.height += 1
            self.emit(op.GAS, op.CALL)
            self.observe()
        self.observe()
        if self.random.random() < 0.5:
            self.emit(op.RETURNDATASIZE)
            self.observe()

    def precompile(self) -> None:
        """Call a precompiled contract on what is in memory, with gas near its price."""
        number = self.random.choice(PRECOMPILES)
        if number == 5:
            # Sizes of the three numbers first, small ones, so that it computes something.
            for i in range(3):
                self.push(self.random.choice((0, 1, 2, 32, 33, 64)))
                self.push(32 * i)
                self.emit(op.MSTORE)
        if number == 9:
            self.push(self.random.choice((0, 1, 12, 300)), 4)
            self.push(224)
            self.emit(op.SHL)
            self.push(0)
            self.emit(op.MSTORE)
        if number in (6, 7) and self.random.random() < 0.7:
            for at, word in enumerate((1, 2, *self.random.choice(((1, 2), (0, 0), (5, 0), (1, 3))))):
                self.push(word)
                self.push(32 * at)
                self.emit(op.MSTORE)
        size = (
            213 if number == 9 and self.random.random() < 0.9 else self.random.choice((0, 1, 32, 64, 96, 128, 160, 300))
        )
        self.push(self.random.choice((0, 32, 64)))
        self.push(self.random.choice((0, 64, 128)))
        self.push(size)
        self.push(0)
        operation = self.random.choice(CALLS)
        if operation in (op.CALL, op.CALLCODE):
            self.push(self.random.choice((0, 0, 0, 1)))
        self.push(number)
        if self.random.random() < 0.6:
            self.emit(op.GAS)
        else:
            self.push(self.random.choice((0, 15, 18, 60, 72, 150, 199, 200, 600, 720, 2999, 3000, 6000)))
        self.emit(operation)
        self.observe()
        self.emit(op.RETURNDATASIZE)
        self.observe()

    def jump(self) -> None:
        """Skip some statements, now and then to nowhere."""
        self.observe_nothing()
        conditional = self.random.random() < 0.7
        if conditional:
            self.operand()
        # Through a detour now and then, so that the target is not a constant for the decoder.
        computed = self.random.random() < 0.4
        at = len(self.code)
        self.code += bytes([op.PUSH0 + 2, 0, 0])
        self.height += 1
        if computed:
            self.emit(op.PUSH0, op.ADD)
        self.emit(op.JUMPI if conditional else op.JUMP)
        height, observed = self.height, self.observed
        self.statements(self.random.randrange(3))
        while self.height > height:
            self.emit(op.POP)
        self.observed = observed
        target = len(self.code)
        if self.random.random() < 0.04:
            target = self.random.choice((at, at + 1, 0xFFFF, *self.random.choices(range(target + 2), k=6)))
        self.code[at + 1 : at + 3] = target.to_bytes(2, "big")
        self.code.append(op.JUMPDEST)

    def observe_nothing(self) -> None:
        """Keep the stack small where paths meet."""
        while self.height > 20:
            self.emit(op.POP)

    def loop(self) -> None:
        """Count down from a small number."""
        self.push(self.random.randint(1, 6))
        start = len(self.code)
        self.code.append(op.JUMPDEST)
        height = self.height
        self.statements(self.random.randrange(3))
        while self.height > height:
            self.emit(op.POP)
        if self.height < height:
            return
        self.push(1)
        self.code.append(op.SWAP1)
        self.emit(op.SUB)
        self.code.append(op.DUP1)
        self.height += 1
        self.push(start)
        self.emit(op.JUMPI)
        self.emit(op.POP)

    def shuffle(self) -> None:
        """Move what is on the stack."""
        if self.height < 2:
            self.operand()
            self.operand()
        kind = self.random.random()
        if kind < 0.5:
            self.code.append(op.SWAP1 + self.random.randrange(min(16, self.height - 1)))
        elif kind < 0.8:
            self.code.append(op.DUP1 + self.random.randrange(min(16, self.height)))
            self.height += 1
        else:
            self.emit(op.POP)

    def fault(self) -> None:
        """An instruction that ends a frame badly, or only might."""
        kind = self.random.randrange(6)
        if kind == 0:
            self.code.append(self.random.choice(UNDEFINED))
        elif kind == 1:
            self.code += bytes([op.POP]) * (self.height + 1)
        elif kind == 2:
            self.code += bytes([op.PUSH0]) * (1024 - self.height + self.random.randint(-1, 1))
            self.code += bytes([op.POP]) * 1000
        elif kind == 3:
            self.code.append(self.random.choice((op.DUP1, op.SWAP1)) + min(15, self.height + 1))
        elif kind == 4:
            self.operand()
            self.emit(op.JUMP)
        else:
            self.finish()

    def statements(self, count: int) -> None:
        """Append some statements."""
        kinds = (
            self.arithmetic, self.arithmetic, self.environment, self.account, self.block_hash, self.memory,
            self.memory, self.copy, self.storage, self.storage, self.storage, self.log, self.call, self.call,
            self.jump, self.loop, self.shuffle, self.create, self.precompile,
        )  # fmt: skip
        for _ in range(count):
            if self.random.random() < 0.01:
                self.fault()
            else:
                self.random.choice(kinds)()

    def finish(self) -> None:
        """End the frame."""
        kind = self.random.random()
        if kind < 0.75:
            self.push(self.random.choice((0, 1, 31, 32, 100, 256)))
            self.place()
            self.code.append(op.RETURN if kind < 0.5 else op.REVERT)
        elif kind < 0.85:
            self.code.append(op.STOP)
        elif kind < 0.87:
            self.code.append(op.INVALID)
        elif kind < 0.92:
            self.address()
            self.code.append(op.SELFDESTRUCT)
        elif kind < 0.95:
            # Push data cut off at the end of the code.
            width = self.random.randint(1, 32)
            self.code += bytes([op.PUSH0 + width]) + self.random.randbytes(self.random.randrange(width))


def structured(seed: int) -> ProgramCase:
    """Contracts that call each other, with a transaction to the first."""
    random = Random(seed)
    world = {SENDER: Account(balance=10**24), PLAIN: Account(balance=5)}
    for address in CONTRACTS:
        program = ProgramWriter(random)
        program.statements(random.choice((3, 8, 15, 25)))
        program.finish()
        storage = {slot: random.choice((1, 5, (1 << 256) - 1)) for slot in SLOTS if random.random() < 0.5}
        world[address] = Account(random.choice((0, 10, 10**18)), 1, bytes(program.code), storage)
    gas = random.choice((25_000, 60_000, 100_000, 400_000, 1_000_000, 3_000_000, 3_000_000))
    data = random.randbytes(random.choice((0, 1, 31, 32, 64, 100)))
    value = random.choice((0, 0, 0, 1, 10**18))
    return ProgramCase(world, Transaction(SENDER, CONTRACTS[0], 0, gas, value, data, 0, 0))


def scrambled(seed: int) -> ProgramCase:
    """Random bytes as code, weighted so that they get somewhere, and random call data."""
    random = Random(f"scrambled {seed}")
    weights = [0.0] * 256
    for number in range(256):
        weights[number] = 1.0 if number in DEFAULT.opcodes else 0.02
    for number in (*range(op.PUSH0, op.PUSH0 + 5), op.PUSH32, op.GAS, op.MSIZE, op.CALLDATALOAD, op.JUMPDEST):
        weights[number] = 8.0
    for number in (op.STOP, op.RETURN, op.REVERT, op.INVALID, op.CREATE, op.CREATE2, op.SELFDESTRUCT):
        weights[number] = 0.05
    world = {SENDER: Account(balance=10**24), PLAIN: Account(balance=5)}
    for address in CONTRACTS:
        body = bytes(random.choices(range(256), weights, k=random.choice((5, 20, 60, 200))))
        # A few words to work on, so that not every program ends in a stack underflow.
        start = ProgramWriter(random)
        for _ in range(random.choice((0, 4, 12, 30))):
            start.operand()
        if random.random() < 0.5:
            start.address()
        storage = {slot: 1 for slot in SLOTS if random.random() < 0.5}
        world[address] = Account(10**6, 1, bytes(start.code) + body, storage)
    data = random.randbytes(random.choice((0, 4, 33, 500)))
    gas = random.choice((30_000, 100_000, 1_000_000))
    return ProgramCase(world, Transaction(SENDER, CONTRACTS[0], 0, gas, random.choice((0, 1)), data, 0, 0))


def with_gas(case: ProgramCase, gas_limit: int) -> ProgramCase:
    """The same case with another gas limit."""
    return replace(case, transaction=replace(case.transaction, gas_limit=gas_limit))
