"""Verification by ML-DSA: senders are those whose keys signed; a forgery is a transaction of nobody."""

from __future__ import annotations

from typing import Any

import pytest
from adversarial import CONTRACTS, SENDERS, Act, adversarial_state, block_of, word

pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa", reason="cryptography 50 is not installed")

from contend.evm import Block, State, errors
from contend.evm.block_image import BlockImage
from contend.harness.verify.oracle.oracle import Oracle
from contend.node.base import BlockRun, StageError
from contend.node.registry import node_of
from contend.node.signatures import making
from contend.node.signatures.making import available, make
from contend.node.signatures.stage import Verification
from contend.strategies import registry as strategies
from contend.strategies.clocks import WALL, Clock
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.serial import Serial

BLOCK = block_of([Act(SENDERS[i % 4], CONTRACTS["counter"], word(i)) for i in range(12)])
SIZES = {"mldsa44": (2420, 1312), "mldsa65": (3309, 1952)}
SCHEMES = [asked for asked in available() if asked["signatures"].startswith("mldsa")]


def ids(asked: dict[str, str]) -> str:
    return " ".join(asked.values())


def made(asked: dict[str, str], block: Block = BLOCK) -> Verification:
    stage = make(asked, [block], State(), 1)
    assert isinstance(stage, Verification)
    return stage


def found_by(stage: Verification, workers: int = 2, clock: Clock = WALL) -> tuple[list[bytes], list[int]]:
    """Senders that the stage has found, and the flaws."""
    run = BlockRun(0, BlockImage(BLOCK), State(), workers, clock)
    stage.make_ready(run)
    assert not run.image.rows["sender"].any()
    stage.work(run)
    rows = run.image.rows["sender"]
    found = [sum(int(limb) << 64 * i for i, limb in enumerate(row)).to_bytes(20, "big") for row in rows]
    return found, run.image.rows["flaw"].tolist()


@pytest.mark.parametrize("asked", SCHEMES, ids=ids)
def test_every_sender_is_found_and_bytes_are_told(asked: dict[str, str]) -> None:
    stage = made(asked)
    for clock in (WALL, VirtualClock()):
        for each in (stage, stage.again()):
            assert found_by(each, 3, clock) == ([one.sender for one in BLOCK], [errors.NONE] * len(BLOCK))  # type: ignore[arg-type]
    signature, key = SIZES[asked["signatures"]]
    place = key if asked["keys"] == "carried" else 20
    wanted = {"signature_bytes": len(BLOCK) * signature, "key_bytes": len(BLOCK) * place}
    assert stage.facts == {"scheme": asked["signatures"], **wanted}


def change(stage: Verification, number: int, place: int, forge: Any) -> None:
    """Put something else in the place of what a transaction's signature is verified with: key, signature, payload."""
    check: Any = stage._checks[0][number]
    arguments = list(check.args)
    arguments[place] = forge(arguments[place])
    stage._checks[0][number] = type(check)(check.func, *arguments)  # type: ignore[index]


@pytest.mark.parametrize("asked", SCHEMES, ids=ids)
def test_forgeries_are_of_nobody(asked: dict[str, str]) -> None:
    stage = made(asked)
    carried = int(asked["keys"] == "carried")
    forgeries = [
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:-1] + bytes([data[-1] ^ 128]),
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"",
        lambda data: bytes(len(data)),
    ]
    for number, forge in enumerate(forgeries):
        change(stage, number, 1 + carried, forge)
    change(stage, 6, 2 + carried, lambda payload: payload + b"\0")
    change(stage, 7, 2 + carried, lambda payload: payload[:-1])
    if carried:
        change(stage, 8, 1, lambda key: key[:-1])
        change(stage, 9, 1, lambda key: bytes([key[0] ^ 1]) + key[1:])
    forged = list(range(10 if carried else 8))
    for _ in range(2):
        senders, flaws = found_by(stage)
        assert [i for i, flaw in enumerate(flaws) if flaw == errors.BAD_SIGNATURE] == forged
        assert all(
            sender == (bytes(20) if i in forged else BLOCK.transactions[i].sender) for i, sender in enumerate(senders)
        )


@pytest.mark.parametrize("name", ["serial", "block_stm", "sharded"])
def test_strategies_execute_what_was_verified(name: str) -> None:
    state = adversarial_state()
    node = node_of({"signatures": "mldsa44", "keys": "carried"}, [BLOCK], state, 1)
    before = state.snapshot()
    oracle = Oracle(BLOCK, state, before, Serial(), CONTRACTS)
    with strategies.get(name)() as strategy:
        for clock in (WALL, VirtualClock()):
            strategy.clock = clock
            state.restore(before)
            outcome = node.execute(strategy, BLOCK, state, 2)
            assert oracle.check(outcome, state.changes_since(before)) == []
            assert outcome.phases["recover"] > 0


def test_what_the_library_raises_is_raised() -> None:
    stage = made({"signatures": "mldsa44", "keys": "registry"})

    def fail() -> bool:
        raise ZeroDivisionError("planted")

    stage._checks[0][3] = fail  # type: ignore[index]
    with pytest.raises(ZeroDivisionError, match="planted"):
        found_by(stage)


def test_a_scheme_without_its_package_is_refused_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "find_spec", lambda name: None)
    monkeypatch.setattr(making, "library_functions", lambda: None)
    with pytest.raises(StageError, match=r"mldsa44 needs the package cryptography.*pip install 'cryptography>=50'"):
        making.check({"signatures": "mldsa44"})
    with pytest.raises(StageError, match="secp256k1 needs the package coincurve"):
        making.check({"signatures": "secp256k1"})
    with pytest.raises(StageError, match="keys: 'x' is not known; they are carried or registry"):
        making.check({"signatures": "secp256k1", "keys": "x"})
    assert {asked["signatures"] for asked in available()} == {"falcon512", "slhdsa128s"}
