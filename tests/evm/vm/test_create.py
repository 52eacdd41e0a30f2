"""CREATE, CREATE2, creating transactions, SELFDESTRUCT, and how a state of locations says what exists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contend.evm import Environment, Transaction, errors
from contend.evm.accounts import accounts_of
from contend.evm.code.directory import EMPTY_HASH
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.genesis import contract_address
from tests.evm.assembly import RETURN_TOP, assemble, call, push
from tests.evm.runner import CONTRACT, FREE, SENDER, Account, Result, Runner, free_call, with_code

SHANGHAI = replace(FREE, fork="Shanghai")
CREATED = contract_address(SENDER, 0)
RICH = Account(balance=10**24)
HEIR = bytes.fromhex("4e" * 20)


def creates(data: bytes, value: int = 0, gas_limit: int = 10_000_000) -> Transaction:
    return Transaction(SENDER, None, 0, gas_limit, value, data, 0, 0)


def returning(size: int, first: int = 0) -> bytes:
    """Init code whose code is `size` bytes: one that is named, then zeros."""
    return assemble(push(first, 1), "PUSH0 MSTORE8", size, "PUSH0 RETURN")


def create_here(init: bytes, value: int = 0, salt: int | None = None) -> bytes:
    """Code that creates from at most 32 bytes of init code; the address or zero is left on the stack."""
    memory = assemble(int.from_bytes(init.ljust(32, b"\0"), "big"), "PUSH0 MSTORE")
    if salt is None:
        return memory + assemble(len(init), "PUSH0", value, "CREATE")
    return memory + assemble(salt, len(init), "PUSH0", value, "CREATE2")


def number(result: Result) -> int:
    return int.from_bytes(result.output, "big")


@pytest.mark.bounds
def test_a_transaction_creates_a_contract(runner: Runner) -> None:
    init = returning(5, 0xFE)
    result = runner.run({SENDER: RICH}, creates(init, value=7), FREE)
    assert result.status == errors.STATUS_SUCCESS
    world = accounts_of(result.state)
    assert world[CREATED] == Account(7, 1, b"\xfe" + bytes(4))
    assert world[SENDER].nonce == 1
    data_gas = sum(16 if byte else 4 for byte in init)
    # Init code by the word, two pushes and a store, memory, two pushes, 200 for each byte that is kept.
    executed = 3 + 2 + 3 + 3 + 3 + 2
    assert result.gas_used == 53_000 + data_gas + 2 + executed + 5 * 200


@pytest.mark.bounds
@pytest.mark.parametrize(
    ("init", "error"),
    [
        (returning(24_576), None),
        (returning(24_577), "code size exceeded"),
        (returning(1, 0xEF), "code begins with 0xef"),
        (returning(0), None),
        (assemble("INVALID"), "invalid opcode"),
        (assemble("PUSH0 PUSH0 REVERT"), "reverted"),
    ],
)
def test_what_init_code_may_leave(runner: Runner, init: bytes, error: str | None) -> None:
    result = runner.run({SENDER: RICH}, creates(init), FREE)
    assert result.error == error
    assert (CREATED in accounts_of(result.state)) is (error is None)
    # All gas is gone but where it reverted.
    assert (result.gas_used == 10_000_000) is (error not in (None, "reverted"))


@pytest.mark.bounds
def test_init_code_is_at_most_twice_as_long(runner: Runner) -> None:
    assert runner.run({SENDER: RICH}, creates(bytes(49_152)), FREE).error is None
    assert runner.run({SENDER: RICH}, creates(bytes(49_153)), FREE).error == "init code size exceeded"
    for size, made in ((49_152, True), (49_153, False)):
        result = runner.run(with_code(assemble(size, "PUSH0 PUSH0 CREATE") + RETURN_TOP), free_call(), FREE)
        assert (result.error is None) is made
        assert (number(result) != 0) is made if made else result.gas_used == 1_000_000


@pytest.mark.bounds
@pytest.mark.parametrize("there", [Account(code=b"\0"), Account(nonce=1), Account(storage={1: 1})])
def test_what_is_there_is_not_created_anew(runner: Runner, there: Account) -> None:
    result = runner.run({SENDER: RICH, CREATED: there}, creates(b"", gas_limit=100_000), FREE)
    assert (result.status, result.error) == (errors.STATUS_FAILED, "address collision")
    assert result.gas_used == 100_000
    assert accounts_of(result.state)[CREATED] == there
    # By an instruction: zero, and the gas given is gone; the nonce advances.
    made = contract_address(CONTRACT, 1)
    result = runner.run(with_code(create_here(b"") + RETURN_TOP) | {made: there}, free_call(), FREE)
    assert (result.error, number(result)) == (None, 0)
    assert result.gas_used > 1_000_000 * 62 // 64
    assert result.state.nonce(CONTRACT) == 2


def test_a_balance_does_not_prevent_creation(runner: Runner) -> None:
    result = runner.run({SENDER: RICH, CREATED: Account(5)}, creates(returning(1), value=2), FREE)
    assert accounts_of(result.state)[CREATED] == Account(7, 1, b"\0")


@pytest.mark.bounds
@pytest.mark.parametrize("nonce", [1, 0x7F, 0x80, 0xFF, 0x100, (1 << 64) - 2])
def test_addresses_follow_creator_and_nonce(runner: Runner, nonce: int) -> None:
    world = with_code(create_here(b"") + RETURN_TOP)
    world[CONTRACT] = replace(world[CONTRACT], nonce=nonce)
    result = runner.run(world, free_call(), FREE)
    assert result.output[12:] == contract_address(CONTRACT, nonce)
    assert result.state.nonce(CONTRACT) == nonce + 1


@pytest.mark.bounds
def test_addresses_follow_salt_and_init_code(runner: Runner) -> None:
    # The last examples of EIP-1014 with a creator of ours: the formula.
    for salt, init in ((0, b""), (1, returning(2)), ((1 << 256) - 1, b"\xde\xad\xbe\xef")):
        result = runner.run(with_code(create_here(init, salt=salt) + RETURN_TOP), free_call(), FREE)
        expected = keccak256(b"\xff" + CONTRACT + salt.to_bytes(32, "big") + keccak256(init))[12:]
        if init == b"\xde\xad\xbe\xef":
            assert number(result) == 0
        else:
            assert result.output[12:] == expected
            assert expected in accounts_of(result.state)


@pytest.mark.bounds
@pytest.mark.parametrize(("nonce", "value"), [((1 << 64) - 1, 0), (1, 1001)])
def test_what_cannot_be_done_fails_softly_and_gives_the_gas_back(runner: Runner, nonce: int, value: int) -> None:
    world = with_code(create_here(b"", value) + RETURN_TOP)
    world[CONTRACT] = replace(world[CONTRACT], nonce=nonce)
    result = runner.run(world, free_call(), FREE)
    assert (result.error, number(result)) == (None, 0)
    assert result.gas_used < 60_000
    assert result.state.nonce(CONTRACT) == nonce


def test_a_static_call_creates_and_destroys_nothing(runner: Runner) -> None:
    for code in (create_here(b""), create_here(b"", salt=0), assemble("CALLER SELFDESTRUCT")):
        world = with_code(call("STATICCALL", HEIR) + RETURN_TOP) | {HEIR: Account(1, 1, code)}
        result = runner.run(world, free_call(), FREE)
        assert (result.error, number(result)) == (None, 0)
        assert accounts_of(result.state)[HEIR] == world[HEIR]


@pytest.mark.bounds
def test_a_reverted_creation_hands_its_data_back(runner: Runner) -> None:
    init = assemble(0xAB, "PUSH0 MSTORE", 3, 29, "REVERT")
    code = create_here(init) + assemble("POP RETURNDATASIZE") + RETURN_TOP
    assert number(runner.run(with_code(code), free_call(), FREE)) == 3
    code = create_here(returning(3)) + assemble("POP RETURNDATASIZE") + RETURN_TOP
    assert number(runner.run(with_code(code), free_call(), FREE)) == 0


@pytest.mark.bounds
def test_what_a_reverted_frame_created_is_gone_with_its_code(runner: Runner) -> None:
    inner = create_here(returning(3)) + assemble("POP PUSH0 PUSH0 REVERT")
    made = contract_address(HEIR, 1)
    look = assemble(push(int.from_bytes(made, "big"), 20), "EXTCODESIZE") + RETURN_TOP
    world = with_code(call("CALL", HEIR) + assemble("POP") + look) | {HEIR: Account(0, 1, inner)}
    result = runner.run(world, free_call(), FREE)
    assert number(result) == 0
    assert made not in accounts_of(result.state)
    assert result.state.nonce(HEIR) == 1


@pytest.mark.bounds
def test_creation_nests_as_deep_as_calls(runner: Runner) -> None:
    # Code that creates itself again: what it has is its own init code.
    again = assemble("CODESIZE PUSH0 PUSH0 CODECOPY CODESIZE PUSH0 PUSH0 CREATE POP STOP")
    result = runner.run({SENDER: RICH}, creates(again, gas_limit=1 << 50), FREE)
    assert result.error is None
    # The outermost frame and 1,024 below it.
    assert sum(1 for account in accounts_of(result.state).values() if account.nonce and not account.balance) >= 1024


DOOMED = assemble(push(int.from_bytes(HEIR, "big"), 20), "SELFDESTRUCT")


@pytest.mark.bounds
@pytest.mark.parametrize(("environment", "stays"), [(FREE, True), (SHANGHAI, False)])
def test_what_was_there_before_stays_since_cancun(runner: Runner, environment: Environment, stays: bool) -> None:
    result = runner.run(with_code(DOOMED, {1: 2, 3: 4}), free_call(), environment)
    world = accounts_of(result.state)
    assert world[HEIR].balance == 1000
    assert (CONTRACT in world) is stays
    if stays:
        assert world[CONTRACT] == Account(0, 1, DOOMED, {1: 2, 3: 4})


@pytest.mark.bounds
@pytest.mark.parametrize("environment", [FREE, SHANGHAI])
def test_what_is_made_and_destroyed_in_one_transaction_is_gone(runner: Runner, environment: Environment) -> None:
    init = assemble(7, 1, "SSTORE") + DOOMED
    result = runner.run({SENDER: RICH}, creates(init, value=9), environment)
    assert result.error is None
    world = accounts_of(result.state)
    assert CREATED not in world
    assert world[HEIR].balance == 9


def test_ether_left_to_oneself_is_burnt_only_with_the_account(runner: Runner) -> None:
    own = assemble("ADDRESS SELFDESTRUCT")
    assert CREATED not in accounts_of(runner.run({SENDER: RICH}, creates(own, value=9), FREE).state)
    assert accounts_of(runner.run(with_code(own), free_call(), FREE).state)[CONTRACT].balance == 1000


def test_ether_sent_after_the_destruction_is_burnt(runner: Runner) -> None:
    made = contract_address(CONTRACT, 1)
    send = call("CALL", made, value=5)
    result = runner.run(with_code(create_here(DOOMED) + send + RETURN_TOP), free_call(), FREE)
    assert number(result) == 1
    world = accounts_of(result.state)
    assert made not in world
    assert world[CONTRACT].balance == 995


def test_a_fee_for_a_destroyed_beneficiary_is_burnt(runner: Runner) -> None:
    environment = Environment(base_fee=1, coinbase=CREATED)
    transaction = replace(creates(DOOMED, value=9), max_fee=3, max_priority_fee=2)
    result = runner.run({SENDER: RICH, CREATED: Account(100)}, transaction, environment)
    assert result.error is None
    assert CREATED not in accounts_of(result.state)
    assert result.state.balance(HEIR) == 109


def test_destroying_again_in_a_later_transaction_is_harmless(runner: Runner) -> None:
    transactions = [creates(assemble("CALLER SELFDESTRUCT")), replace(free_call(CREATED), nonce=1)]
    result = runner.run({SENDER: RICH}, transactions, FREE)
    assert result.receipts.status.all()
    assert set(accounts_of(result.state)) == {SENDER}


def test_the_mark_of_storage_is_no_code(runner: Runner) -> None:
    marked = bytes.fromhex("5a" * 20)
    code = assemble(push(int.from_bytes(marked, "big"), 20), "EXTCODEHASH") + RETURN_TOP
    world = with_code(code) | {marked: Account(storage={1: 1})}
    result = runner.run(world, free_call(), FREE)
    assert number(result) == 0
    world[marked] = Account(1, storage={1: 1})
    assert number(runner.run(world, free_call(), FREE)) == int.from_bytes(EMPTY_HASH, "big")
    sends = Transaction(marked, HEIR, 0, 21_000, 1, b"", 0, 0)
    result = runner.run({marked: Account(1, storage={1: 1})}, sends, FREE)
    assert result.status == errors.STATUS_SUCCESS
    assert accounts_of(result.state) == {marked: Account(0, 1, b"", {1: 1}), HEIR: Account(1)}
