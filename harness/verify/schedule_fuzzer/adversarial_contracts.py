"""Small blocks made to go wrong: a hot key, one sender, reverts, out of gas, value without balance, moving targets."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from contend.evm import Block, Environment, State, Transaction
from contend.harness.verify.schedule_fuzzer.assembler import assemble

ETHER = 10**18
GAS_PRICE = 20 * 10**9
SENDERS = [bytes([0xA0, i]) + bytes(18) for i in range(4)]
POOR = bytes([0xA1]) + bytes(19)
NOBODY = bytes([0xEE]) * 20
ENVIRONMENT = Environment()

# Adds one to its slot 0 and logs the new value.
COUNTER = "0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 32 0 LOG0 32 0 RETURN"
# Adds one to the slot that the first argument names.
KEYED = "0 CALLDATALOAD DUP1 SLOAD 1 ADD SWAP1 SSTORE STOP"
# Slot 0 names the slot to write, and moves on: what a transaction touches depends on those before it.
CHASER = "0 SLOAD DUP1 100 ADD DUP1 SLOAD 1 ADD SWAP1 SSTORE 1 ADD 5 SWAP1 MOD 0 SSTORE STOP"
# Writes, then reverts if the counter that it keeps is odd.
REVERTER = "0 SLOAD 1 ADD 0 SSTORE 7 1 SSTORE 0 SLOAD 1 AND :odd JUMPI STOP odd: 0xdead 0 MSTORE 32 0 REVERT"
# Reverts if slot 0 of the reader contract is odd, which it learns by a call.
WATCHER = "32 0 0 0 0x{reader} GAS STATICCALL POP 1 SLOAD 1 ADD 1 SSTORE 0 MLOAD 1 AND :odd JUMPI STOP odd: 0 0 REVERT"
READER = "0 SLOAD 0 MSTORE 32 0 RETURN"
# Never ends.
BURNER = "0 SLOAD 1 ADD 0 SSTORE loop: :loop JUMP"
# Writes the beneficiary's balance down.
MINER_WATCHER = "COINBASE BALANCE 0 SSTORE STOP"
# Sends half of what it gets to the address in the first argument, which may be a contract.
FORWARDER = "0 0 0 0 2 CALLVALUE DIV 0 CALLDATALOAD GAS CALL 0 SSTORE STOP"
# Calls the address in the first argument with the rest of its input, ignores failure, and counts successes.
CALLER = (
    "32 CALLDATASIZE SUB 32 0 CALLDATACOPY "
    "0 0 32 CALLDATASIZE SUB 0 0 0 CALLDATALOAD GAS CALL 0 SLOAD ADD 0 SSTORE STOP"
)
SOURCES = {
    "counter": COUNTER,
    "keyed": KEYED,
    "chaser": CHASER,
    "reverter": REVERTER,
    "reader": READER,
    "burner": BURNER,
    "miner_watcher": MINER_WATCHER,
    "forwarder": FORWARDER,
    "caller": CALLER,
    "watcher": WATCHER,
}
CONTRACTS = {name: bytes([0xC0, number]) + bytes(18) for number, name in enumerate(SOURCES)}


def adversarial_state() -> State:
    """State with all contracts, four rich senders and a poor one."""
    state = State()
    for name, source in SOURCES.items():
        state.set_code(CONTRACTS[name], assemble(source.format(reader=CONTRACTS["reader"].hex())))
    state.set_storage(CONTRACTS["reader"], 0, 1)
    for sender in SENDERS:
        state.set_balance(sender, ETHER)
    state.set_balance(ENVIRONMENT.coinbase, ETHER)
    state.set_balance(POOR, 21_000 * GAS_PRICE + 5)
    return state


@dataclass(frozen=True)
class Act:
    """One transaction before it is given a nonce."""

    sender: bytes
    to: bytes
    data: bytes = b""
    value: int = 0
    gas: int = 200_000
    nonce_skew: int = 0


def block_of(acts: list[Act], environment: Environment = ENVIRONMENT) -> Block:
    """A block in which nonces follow each other, but for the acts that skew them."""
    nonces: dict[bytes, int] = {}
    transactions = []
    for act in acts:
        nonce = nonces.get(act.sender, 0)
        if act.nonce_skew == 0:
            nonces[act.sender] = nonce + 1
        transactions.append(
            Transaction(act.sender, act.to, nonce + act.nonce_skew, act.gas, act.value, act.data, GAS_PRICE)
        )
    return Block(environment, tuple(transactions))


def word(value: int | bytes) -> bytes:
    """32 bytes of call data."""
    return (value if isinstance(value, int) else int.from_bytes(value, "big")).to_bytes(32, "big")


ACCOUNTS = [*SENDERS, POOR, ENVIRONMENT.coinbase]
VALUES = [0, 0, 0, 1, 1000, ETHER // 3, 2 * ETHER]
GAS_LIMITS = [200_000, 200_000, 200_000, 21_000, 20_000, 26_000, 45_000, 60_000]
# Numbers from 1 to 10 would be addresses of precompiles to those who call their argument.
ARGUMENTS = [0, 11, 12]


def draw_acts(random: Random, count: int) -> list[Act]:
    """Acts of which many meet: each block has a few contracts that it mostly calls."""
    favourites = random.sample(list(CONTRACTS.values()), 2)
    acts = []
    for _ in range(count):
        to = random.choice(favourites) if random.random() < 0.7 else random.choice([*ACCOUNTS, NOBODY])
        arguments: list[int | bytes] = [*ARGUMENTS, *CONTRACTS.values(), *SENDERS]
        argument = random.choice(arguments)
        data = word(argument) + (word(random.choice(ARGUMENTS)) if random.random() < 0.5 else b"")
        skew = random.choice([0] * 14 + [1, 7])
        value, gas = random.choice(VALUES), random.choice(GAS_LIMITS)
        acts.append(Act(random.choice([*SENDERS, *ACCOUNTS]), to, data, value, gas, skew))
    return acts
