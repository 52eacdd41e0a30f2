"""Transactions made at random from bytes and absurd numbers: each ends, pays for what it used, and ends so again."""

from __future__ import annotations

from random import Random

import pytest

from contend.evm import Environment, Transaction
from contend.evm.block_image import check_transaction
from contend.evm.vm.precompiles import MODEXP_BYTES, MODEXP_EXPONENT_BYTES, power
from tests.evm.runner import Account, MachineFaultError, Runner, World

SENDER, TARGET = bytes([0x5E]) * 20, bytes([0xC0]) * 20
ENVIRONMENT = Environment(base_fee=7, gas_limit=2**63 - 1)
# Pairings and point evaluations of random bytes fail before they compute anything.
PRECOMPILES = [bytes(19) + bytes([number]) for number in range(12)]
SIZES = (0, 1, 31, 32, 33, 63, 64, 96, 128, 160, 192, 213, 384, 1_000)
WORDS = (0, 1, 2, 31, 32, 33, 255, 1 << 16, 1 << 32, (1 << 63) - 1, 1 << 63, 1 << 64, 1 << 255, (1 << 256) - 1)
EACH = 400


def word(random: Random) -> bytes:
    return random.choice(WORDS).to_bytes(32, "big") if random.random() < 0.7 else random.randbytes(32)


def blob(random: Random) -> bytes:
    """Some bytes: random ones, words at the edges, or opcodes with large operands."""
    size = random.choice(SIZES)
    kind = random.random()
    if kind < 0.3:
        return random.randbytes(size)
    if kind < 0.6:
        return b"".join(word(random) for _ in range(size // 32 + 1))[:size]
    code = bytearray()
    while len(code) < size:
        for _ in range(random.randrange(8)):
            code += bytes([0x7F]) + word(random) if random.random() < 0.3 else bytes([0x60, random.randrange(256)])
        code.append(random.choice((random.randrange(256), 0xF0, 0xF1, 0xF2, 0xF4, 0xF5, 0xFA, 0x55, 0x5D, 0x5E, 0xFF)))
    return bytes(code)


def access_list(random: Random) -> tuple[tuple[bytes, tuple[int, ...]], ...]:
    """Addresses and slots, some of them several times, some of them those that the transaction uses."""
    places = [SENDER, TARGET, ENVIRONMENT.coinbase, *PRECOMPILES, random.randbytes(20)]
    return tuple(
        (random.choice(places), tuple(random.choice(WORDS) for _ in range(random.choice((0, 1, 3, 40)))))
        for _ in range(random.choice((0, 0, 1, 4, 30)))
    )


def transaction(random: Random) -> Transaction:
    to = random.choice([None, None, TARGET, TARGET, TARGET, SENDER, ENVIRONMENT.coinbase, *PRECOMPILES])
    tip = random.choice((0, 1, 7, (1 << 256) - 1))
    return Transaction(
        sender=SENDER,
        to=to,
        nonce=random.choice((3, 3, 3, 3, 3, 2, 4, 2**64 - 1)),
        gas_limit=random.choice((0, 20_999, 21_000, 53_000, 60_000, 200_000, 1_000_000, 5_000_000)),
        value=random.choice((0, 0, 0, 1, 10**18, 2**255, 2**256 - 1)),
        data=blob(random),
        max_fee=random.choice((0, 6, 7, 8, 100, 2**200, 2**256 - 1)) if random.random() < 0.3 else 100,
        max_priority_fee=tip if random.random() < 0.3 else 1,
        access_list=access_list(random),
        blob_hashes=tuple(bytes([random.choice((0, 1))]) + bytes(31) for _ in range(random.randrange(8)))
        if random.random() < 0.1
        else None,
        max_blob_fee=random.choice((0, 1, 2**256 - 1)),
    )


@pytest.mark.bounds
@pytest.mark.parametrize("seed", range(4))
def test_any_transaction_ends_and_pays(seed: int) -> None:
    random, runner, statuses = Random(seed), Runner(), set()
    for _ in range(EACH):
        world: World = {
            SENDER: Account(10**20, 3, code=b"\0" if random.random() < 0.05 else b""),
            TARGET: Account(1, 1, code=blob(random), storage={0: 1, (1 << 256) - 1: 2}),
        }
        sent = transaction(random)
        check_transaction(0, sent)
        first = runner.run(world, sent, ENVIRONMENT)
        statuses.add(first.status)
        assert first.gas_used <= sent.gas_limit
        assert (first.status == 2) == (first.gas_used == 0)
        assert first.status != 2 or not first.changes
        again = runner.run(world, sent, ENVIRONMENT)
        assert (again.status, again.gas_used, again.output, again.changes) == (
            first.status,
            first.gas_used,
            first.output,
            first.changes,
        )
    assert statuses == {0, 1, 2}


@pytest.mark.bounds
def test_gas_without_end_buys_no_memory_without_end() -> None:
    far = "6340000000"  # 1 GiB, for 2**41 gas
    # MSTORE, MSTORE8, KECCAK256, and a CALL whose output would lie there.
    for code in (f"6000{far}52", f"6000{far}53", f"6001{far}20", f"6020{far}60006000600030" + "5af1"):
        octets = bytes.fromhex(code)
        world: World = {SENDER: Account(2**200, 3), TARGET: Account(0, 1, code=octets)}
        sent = Transaction(SENDER, TARGET, 3, 2**63 - 1, max_fee=7, max_priority_fee=0)
        with pytest.raises(MachineFaultError):
            Runner(scale=64).run(world, sent, ENVIRONMENT)


@pytest.mark.bounds
@pytest.mark.parametrize(
    "sizes",
    [(MODEXP_BYTES + 1, 1, 1), (1, 1, MODEXP_BYTES + 1), (8, MODEXP_EXPONENT_BYTES + 1, 8), (1 << 33, 1, 8)],
)
def test_gas_without_end_buys_no_numbers_without_end(sizes: tuple[int, int, int]) -> None:
    data = b"".join(size.to_bytes(32, "big") for size in sizes)
    world: World = {SENDER: Account(2**200, 3)}
    sent = Transaction(SENDER, bytes(19) + b"\5", 3, 2**63 - 1, data=data, max_fee=7, max_priority_fee=0)
    with pytest.raises(MachineFaultError):
        Runner().run(world, sent, ENVIRONMENT)


def test_powers_in_pieces_are_powers(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(1)
    for work in (1, 20, 1 << 10, 1 << 24):
        monkeypatch.setattr("contend.evm.vm.precompiles.MODEXP_WORK", work)
        for bits in (0, 1, 2, 7, 64, 65, 300, 700):
            for _ in range(20):
                base, exponent = random.getrandbits(random.randrange(1, 300)), random.getrandbits(bits) if bits else 0
                modulus = random.getrandbits(random.randrange(1, 300)) + 1
                assert power(base, exponent, modulus) == pow(base, exponent, modulus)
