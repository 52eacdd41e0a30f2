"""Small blocks made to go wrong: a hot key, one sender, reverts, out of gas, value without balance, moving targets."""

from __future__ import annotations

from dataclasses import dataclass

from assembler import assemble
from hypothesis import strategies as st

from evm import Block, Environment, State, Transaction

ETHER = 10**18
GAS_PRICE = 20 * 10**9
SENDERS = [bytes([0xA0, i]) + bytes(18) for i in range(4)]
POOR = bytes([0xA1]) + bytes(19)
ENVIRONMENT = Environment()


def _contract(number: int) -> bytes:
    return bytes([0xC0, number]) + bytes(18)


# Adds one to its slot 0 and logs the new value.
COUNTER = "0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 32 0 LOG0 32 0 RETURN"
# Adds one to the slot that the first argument names.
KEYED = "0 CALLDATALOAD DUP1 SLOAD 1 ADD SWAP1 SSTORE STOP"
# Slot 0 names the slot to write, and moves on: what a transaction touches depends on those before it.
CHASER = "0 SLOAD DUP1 100 ADD DUP1 SLOAD 1 ADD SWAP1 SSTORE 1 ADD 5 SWAP1 MOD 0 SSTORE STOP"
# Writes, then reverts if the counter that it keeps is odd.
REVERTER = "0 SLOAD 1 ADD 0 SSTORE 7 1 SSTORE 0 SLOAD 1 AND :odd JUMPI STOP odd: 0xdead 0 MSTORE 32 0 REVERT"
# Reverts if slot 0 of the counter contract is odd, which it learns by a call.
WATCHER = "32 0 0 0 0x{counter} GAS STATICCALL POP 1 SLOAD 1 ADD 1 SSTORE 0 MLOAD 1 AND :odd JUMPI STOP odd: 0 0 REVERT"
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

NAMES = ("counter", "keyed", "chaser", "reverter", "reader", "burner", "miner_watcher", "forwarder", "caller")
CONTRACTS = {name: _contract(i) for i, name in enumerate((*NAMES, "watcher"))}


def world() -> State:
    """State with all contracts, four rich senders and a poor one."""
    state = State()
    sources = (COUNTER, KEYED, CHASER, REVERTER, READER, BURNER, MINER_WATCHER, FORWARDER, CALLER)
    for name, source in zip(NAMES, sources, strict=True):
        state.set_code(CONTRACTS[name], assemble(source))
    state.set_code(CONTRACTS["watcher"], assemble(WATCHER.format(counter=CONTRACTS["reader"].hex())))
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


_senders = st.sampled_from([*SENDERS, POOR, ENVIRONMENT.coinbase])
_addresses = st.sampled_from([*SENDERS, POOR, ENVIRONMENT.coinbase, *CONTRACTS.values(), bytes([0xEE]) * 20])
_values = st.sampled_from([0, 0, 0, 1, 1000, ETHER // 3, 2 * ETHER])
_gas = st.sampled_from([200_000, 200_000, 200_000, 21_000, 20_000, 26_000, 45_000, 60_000])


@st.composite
def acts(draw: st.DrawFn) -> Act:
    """Any act: a payment, or a call of one of the contracts with a hot or a cold argument."""
    to = draw(_addresses)
    # Numbers from 1 to 10 would be addresses of precompiles to those who call their argument.
    argument = draw(st.sampled_from([0, 11, 12]) | _addresses)
    rest = word(draw(st.sampled_from([0, 11, 12]))) if draw(st.booleans()) else b""
    data = word(argument) + rest if draw(st.booleans()) else b""
    skew = draw(st.sampled_from([0] * 12 + [1, 7]))
    return Act(draw(_senders), to, data, draw(_values), draw(_gas), skew)


blocks = st.lists(acts(), min_size=1, max_size=24).map(block_of)


def hot(name: str, count: int, senders: int = len(SENDERS)) -> Block:
    """Every transaction calls the same contract."""
    return block_of([Act(SENDERS[i % senders], CONTRACTS[name], word(11)) for i in range(count)])
