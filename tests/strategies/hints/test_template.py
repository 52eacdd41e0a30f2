"""Hints from templates: what is learned of contracts made by hand, for how long, and what it costs to be wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from adversarial import ENVIRONMENT, ETHER, Act, adversarial_state, block_of, blocks, word
from assembler import assemble
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contend.evm import Block, State
from contend.evm.crypto.keccak import keccak256
from contend.evm.drivers.recorder import record
from contend.strategies.base import HintedSets, Outcome, Strategy
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.cost_table import default_costs
from contend.strategies.clocks.schedule import Schedule
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.hints.template import source
from contend.strategies.registry import get
from contend.strategies.serial import Serial

CONTRACT, OTHER = bytes([0xD0]) * 20, bytes([0xD1]) * 20
PEOPLE = [bytes([0xB0, number]) * 10 for number in range(16)]
NUMBERS = [1 << 200 | number for number in range(16)]
SELECTOR = b"\1\2\3\4"

KEY_AND_BASE, BASE_AND_KEY = "{key} 0 MSTORE {base} 32 MSTORE", "{base} 0 MSTORE {key} 32 MSTORE"
HASH, COUNT_UP = "64 0 KECCAK256", "DUP1 SLOAD 1 ADD SWAP1 SSTORE"
ARGUMENT, SECOND = "4 CALLDATALOAD", "36 CALLDATALOAD"


def element(order: str, base: str, key: str) -> str:
    """Slot of a mapping's element, on the stack."""
    return f"{order.format(base=base, key=key)} {HASH}"


def nested(order: str, base: str, first: str, second: str) -> str:
    """Slot of a mapping's mapping's element."""
    inner_at, key_at = (32, 0) if order == KEY_AND_BASE else (0, 32)
    return f"{element(order, base, first)} {inner_at} MSTORE {second} {key_at} MSTORE {HASH}"


def program(order: str, kind: str) -> str:
    """A contract that counts up at a slot, which it finds in one of many ways."""
    owner = f"{element(order, '1', ARGUMENT)} SLOAD"
    inner_at = 0 if order == KEY_AND_BASE else 32
    of_owner = f"{owner} {inner_at} MSTORE 2 {32 - inner_at} MSTORE {HASH}"
    return {
        "sender": f"{element(order, '3', 'CALLER')} {COUNT_UP}",
        "argument": f"{element(order, '0', ARGUMENT)} {COUNT_UP}",
        "field": f"{element(order, '3', ARGUMENT)} 2 ADD {COUNT_UP}",
        "nested": f"{nested(order, '5', 'CALLER', ARGUMENT)} {COUNT_UP}",
        "nested by a constant": f"{nested(order, '5', '0xabcdef', 'CALLER')} {COUNT_UP}",
        "nested in a constant": f"{nested(order, '5', 'CALLER', '0xabcdef')} {COUNT_UP}",
        "loaded": f"{of_owner} {COUNT_UP}",
        "loaded twice": f"{of_owner} SLOAD {inner_at} MSTORE 4 {32 - inner_at} MSTORE {HASH} {COUNT_UP}",
        "array": f"{SECOND} 7 ADD {COUNT_UP}",
        "the argument itself": f"{ARGUMENT} {COUNT_UP}",
        "another contract": f"0 0 0 0 0 {ARGUMENT} GAS CALL STOP",
        "a loaded contract": f"0 0 0 0 0 {owner} GAS CALL STOP",
    }[kind]


KINDS = ("sender", "argument", "field", "nested", "nested by a constant", "nested in a constant", "loaded",
         "loaded twice", "array", "the argument itself", "another contract", "a loaded contract")  # fmt: skip


def world(source_text: str) -> State:
    state = State()
    state.set_code(CONTRACT, assemble(source_text))
    for person in PEOPLE:
        state.set_balance(person, ETHER)
    return state


def block(number: int, acts: list[Act]) -> Block:
    return block_of(acts, replace(ENVIRONMENT, number=ENVIRONMENT.number + number))


def calls(number: int, people: list[bytes], arguments: list[int]) -> Block:
    """A call by each of the people, with an argument each, and a small number behind it."""
    return block(
        number,
        [
            Act(person, CONTRACT, SELECTOR + word(argument) + word(i % 5))
            for i, (person, argument) in enumerate(zip(people, arguments, strict=True))
        ],
    )


class Chain:
    """Executes blocks one after the other, and compares each with a serial run."""

    def __init__(self, state: State, name: str = "block_stm+template", workers: int = 4) -> None:
        self.state, self.workers = state, workers
        self.strategy: Strategy = get(name)()
        self.strategy.reports_hints = True

    def run(self, block: Block, clock: Clock | None = None) -> tuple[Outcome, set[tuple[int, bytes, bool]]]:
        """Outcome, and what the block's transactions really touch; their nonces follow those of the blocks before."""
        following = (replace(one, nonce=one.nonce + self.state.nonce(one.sender)) for one in block)
        block = replace(block, transactions=tuple(following))
        recording = record(block, self.state, default_costs().table)
        real = {
            (i, recording.keys[recording.locations[j]].tobytes(), bool(recording.writes[j]))
            for i in range(len(block))
            for j in range(recording.offsets[i], recording.offsets[i + 1])
        }
        serial = Serial().execute(block, self.state.copy(), 1)
        self.strategy.clock = clock or VirtualClock()
        outcome = self.strategy.execute(block, self.state, self.workers)
        assert serial.changes is not None
        assert outcome.changes is not None
        assert outcome.changes.digest == serial.changes.digest
        assert outcome.receipts.gas_used.tolist() == serial.receipts.gas_used.tolist()
        return outcome, real


def entries(hinted: HintedSets | None) -> set[tuple[int, bytes, bool]]:
    assert hinted is not None
    return {
        (i, hinted.keys[j].tobytes(), bool(hinted.writes[j]))
        for i in range(len(hinted.offsets) - 1)
        for j in range(hinted.offsets[i], hinted.offsets[i + 1])
    }


@pytest.mark.bounds
@pytest.mark.parametrize("order", [KEY_AND_BASE, BASE_AND_KEY], ids=["solidity", "vyper"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_contract_touches_is_learned_for_other_senders_and_arguments(order: str, kind: str) -> None:
    state = world(program(order, kind))
    targets = list(range(1 << 152, (1 << 152) + 16)) if kind.endswith("contract") else NUMBERS
    by_number = Chain(state)
    if "loaded" in kind:
        # Who is called, or whose element it is, stands in a mapping at slot 1; the second load, in one at slot 2.
        owners = {number: 0xF0 << 150 | number for number in targets}
        for number, owner in owners.items():
            write_element(state, order, 1, number, owner)
            write_element(state, order, 2, owner, 0xF0F << 150 | number)
    if kind == "another contract":
        for number in targets:
            state.set_code(number.to_bytes(20, "big"), assemble(f"0 {COUNT_UP} STOP"))
    first, _ = by_number.run(calls(0, PEOPLE[:8], targets[:8]))
    assert first.counters["predicted"] == 0
    assert first.counters["dry_runs"] == 8
    second, real = by_number.run(calls(1, PEOPLE[8:], targets[8:]))
    assert second.counters["predicted"] == 8
    assert second.counters["dry_runs"] == 0
    assert entries(second.hinted) == real


def write_element(state: State, order: str, base: int, key: int, value: int) -> None:
    pair = (key, base) if order == KEY_AND_BASE else (base, key)
    slot = keccak256(b"".join(part.to_bytes(32, "big") for part in pair))
    state.set_storage(CONTRACT, int.from_bytes(slot, "big"), value)


@pytest.mark.bounds
def test_what_belongs_to_an_argument_is_learned_for_any_place_of_it() -> None:
    # The callee counts up at a slot that nothing in the transaction tells.
    state = world(f"0 0 0 0 0 {ARGUMENT} GAS CALL 0 0 0 0 0 {SECOND} GAS CALL STOP")
    targets = [(0xE0 << 152) + number for number in range(4)]
    for number, target in enumerate(targets):
        state.set_code(target.to_bytes(20, "big"), assemble(f"{1000 + number} {COUNT_UP} STOP"))
    chain = Chain(state)

    def call(person: bytes, first: int, second: int) -> Act:
        return Act(person, CONTRACT, SELECTOR + word(targets[first]) + word(targets[second]))

    chain.run(block(0, [call(PEOPLE[i], i % 2, 2 + i % 2) for i in range(8)]))
    outcome, real = chain.run(block(1, [call(PEOPLE[8], 2, 0), call(PEOPLE[9], 3, 1)]))
    assert entries(outcome.hinted) == real


def test_a_transfer_needs_no_learning() -> None:
    state = world("STOP")
    outcome, real = Chain(state).run(block(0, [Act(PEOPLE[0], PEOPLE[1], value=5), Act(PEOPLE[1], PEOPLE[2])]))
    assert outcome.counters["predicted"] == 2
    assert entries(outcome.hinted) == real


def test_machines_that_are_handed_on_note_what_they_hash_too() -> None:
    # All wait at slot 0, and go on with whichever worker is free; what they touch then is found by hashes alone.
    chain = Chain(world(f"0 {COUNT_UP} {program(KEY_AND_BASE, 'argument')}"), "placeholder+template")
    for number in range(4):
        outcome, real = chain.run(calls(number, PEOPLE, [NUMBERS[i] + 100 * number for i in range(16)]))
    assert outcome.counters["waits"] > 0
    assert entries(outcome.hinted) == real


def test_what_was_predicted_exactly_is_hardly_explained_again_and_still_holds() -> None:
    state = world(program(KEY_AND_BASE, "argument"))
    chain, people = Chain(state, workers=8), [bytes([0xA0, i]) * 10 for i in range(200)]
    for person in people:
        state.set_balance(person, ETHER)
    for number in range(4):
        outcome, real = chain.run(calls(number, people, [(1 << 200) + 1000 * number + i for i in range(200)]))
    assert entries(outcome.hinted) == real
    samples = chain.strategy._source._memory.samples["weight"]  # type: ignore[attr-defined]
    assert set(np.unique(samples)) == {0, 16}
    assert abs(int(samples.sum()) - 200) < 150


@pytest.mark.parametrize("name", ["block_stm+template", "static_partition+template"])
def test_gas_is_that_of_the_calls_before(name: str) -> None:
    chain = Chain(world(program(BASE_AND_KEY, "sender")), name)
    first, _ = chain.run(calls(0, PEOPLE[:8], NUMBERS[:8]))
    chain.run(calls(1, PEOPLE[8:], NUMBERS[:8]))
    hints = chain.strategy._workspace.hints  # type: ignore[attr-defined]
    assert set(hints["gas"][:8].tolist()) == {int(first.receipts.gas_used.mean())}


def test_lanes_are_packed_by_the_gas_of_the_calls_before() -> None:
    counting = [f"{element(KEY_AND_BASE, base, 'CALLER')} {COUNT_UP}" for base in "345"]
    told = []
    for name in ("static_partition+template", "static_partition+dry_run"):
        state = world(counting[0])
        state.set_code(OTHER, assemble(" ".join(counting)))
        chain = Chain(state, name, workers=2)
        for number in range(2):
            people = PEOPLE[8 * number : 8 * number + 8]
            acts = [Act(person, CONTRACT if i % 4 else OTHER, SELECTOR) for i, person in enumerate(people)]
            outcome, _ = chain.run(block(number, acts))
        gas = chain.strategy._workspace.hints["gas"][:8].tolist()  # type: ignore[attr-defined]
        assert gas == outcome.receipts.gas_used.tolist()
        assert len(set(gas)) == 2
        told.append((outcome.counters.get("predicted", 0), outcome.counters["lanes"]))
    (predicted, lanes), (_, lanes_of_dry_run) = told
    assert predicted == 8
    assert lanes == lanes_of_dry_run > 1


@pytest.mark.parametrize("numbers", [(0, 1, 0), (0, 0), (3, 2), (0, 1, 1)])
def test_a_block_that_does_not_follow_begins_anew(numbers: tuple[int, ...]) -> None:
    chain = Chain(world(program(KEY_AND_BASE, "sender")))
    for number in numbers:
        before = chain.state.snapshot()
        outcome, _ = chain.run(calls(number, PEOPLE[:8], NUMBERS[:8]))
        chain.state.restore(before)
    assert outcome.counters["predicted"] == 0
    assert outcome.counters["dry_runs"] == 8


def test_what_is_learned_does_not_depend_on_the_workers() -> None:
    found = []
    for workers in (1, 3, 16):
        chain = Chain(world(program(BASE_AND_KEY, "nested")), workers=workers)
        for number in range(3):
            outcome, _ = chain.run(calls(number, PEOPLE, [NUMBERS[(i * number) % 7] for i in range(16)]))
        found.append(entries(outcome.hinted))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", ["block_stm+template", "static_partition+template"])
def test_any_schedule_learns_the_same(name: str) -> None:
    found = set()
    for seed in range(20):
        chain = Chain(world(f"0 {COUNT_UP} {program(BASE_AND_KEY, 'loaded')}"), name, workers=3)
        for number in range(2):
            outcome, _ = chain.run(calls(number, PEOPLE[:6], NUMBERS[:6]), Schedule(seed))
        found.add(frozenset(entries(outcome.hinted)))
    assert len(found) == 1


def test_unused_expressions_give_way_and_used_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    # The hash of one word is no mapping's: each call leaves a constant behind that nobody needs again.
    once = f"{ARGUMENT} 0 MSTORE 32 0 KECCAK256 {COUNT_UP}"
    used = {}
    for limit in (1 << 16, 1 << 6):
        monkeypatch.setattr(source, "NEARLY_FULL", limit)
        chain = Chain(world(f"{once} {program(KEY_AND_BASE, 'sender')} {program(BASE_AND_KEY, 'loaded')}"))
        for number in range(12):
            outcome, real = chain.run(calls(number, PEOPLE, [NUMBERS[0] + 100 * number + i for i in range(16)]))
        used[limit] = outcome.counters["templates"]
        missed = real - entries(outcome.hinted)
        # The constant is missed, and nothing else.
        assert len(missed) == 16
    assert used[1 << 6] < 100 < used[1 << 16]


@pytest.mark.parametrize("name", ["block_stm+template", "static_partition+template"])
@pytest.mark.parametrize("clock", [WALL, VirtualClock()], ids=["wall", "virtual"])
def test_a_contract_that_changes_its_ways_costs_time_only(name: str, clock: Clock) -> None:
    # Slot 0 tells where it counts: the last call of each block moves everybody to another slot.
    state = world(f"CALLVALUE :move JUMPI 0 SLOAD 100 ADD {COUNT_UP} STOP move: CALLVALUE 0 SSTORE STOP")
    chain = Chain(state, name)
    for number in range(4):
        acts = [Act(PEOPLE[i], CONTRACT, SELECTOR + word(i)) for i in range(15)]
        acts.insert(7 + number, Act(PEOPLE[15], CONTRACT, SELECTOR + word(15), value=number + 1))
        outcome, real = chain.run(block(number, acts), clock)
    assert outcome.counters["predicted"] == 16
    assert entries(outcome.hinted) != real


@pytest.mark.bounds
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(blocks, min_size=2, max_size=4), workers=st.integers(1, 4))
def test_any_blocks_in_a_row(chains: dict[int, Chain], drawn: list[Block], workers: int) -> None:
    if workers not in chains:
        chains[workers] = Chain(adversarial_state(), workers=workers)
    chain = chains[workers]
    chain.state = adversarial_state()
    for number, one in enumerate(drawn):
        chain.run(replace(one, environment=replace(one.environment, number=one.environment.number + number)))


@pytest.fixture(scope="module")
def chains() -> dict[int, Chain]:
    return {}


def test_an_empty_block_teaches_nothing() -> None:
    chain = Chain(world("STOP"))
    for number in range(2):
        outcome, _ = chain.run(block(number, []))
    assert outcome.counters["predicted"] == outcome.counters["dry_runs"] == 0


def test_memory_stays_what_it_is() -> None:
    chain = Chain(world(program(KEY_AND_BASE, "argument")))
    learner = chain.strategy._source  # type: ignore[attr-defined]
    sizes = []
    for number in range(5):
        chain.run(calls(number, PEOPLE, [NUMBERS[i] + 1000 * number for i in range(16)]))
        arrays = [value for value in vars(learner).values() if isinstance(value, np.ndarray)]
        arrays += [array for one in learner._dictionaries for array in (one.rows, one.index)]
        sizes.append(sum(array.nbytes for array in arrays))
    assert len(set(sizes)) == 1
    assert sizes[0] < 32 << 20
