"""Random blocks, biased to what goes wrong between transactions. A seed and a fork give the same block for ever.

All happens among few accounts: senders that delegate and are delegated to, contracts that look at balance and code of
others, accounts that are destroyed and created again, a beneficiary that sends, receives or is a contract. Nonces are
kept as they will be if all goes well; one transaction in twelve is made invalid on purpose, and in a block that has
little gas more of them do not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from contend.evm import Transaction
from contend.evm.accounts import Account
from contend.evm.block import AccessList, Authorization
from contend.evm.drivers.system_calls import CONTRACTS
from contend.evm.forks import fork_named
from contend.harness.verify.block_fuzzer import places
from contend.harness.verify.block_fuzzer.actors import ACTORS
from contend.harness.verify.block_fuzzer.block_case import CHAIN, BlockCase, Withdrawn
from contend.harness.verify.block_fuzzer.random_contracts import random_contract, random_init_code
from contend.harness.verify.block_fuzzer.system_code import ANSWERING, FAILING, STORING, SYSTEM

ETHER = 10**18
ROOMY_GAS = 30_000_000
_BLOB = b"\x01" + bytes(31)
_DELEGATION = b"\xef\x01\x00"
_DEPOSIT_TOPIC = 0x649BBC62D0E31342AFEA4E5CD82D4049E7E1EE912FC0889AA790803BE39038C5
_GAS = (40_000, 60_000, 100_000, 200_000, 400_000, 400_000, 800_000)


def case_of(seed: int, fork: str) -> BlockCase:
    """The block of a seed under a fork."""
    return _BlockMaker(Random(f"block {seed} {fork}"), fork).made()


def deposit_code(random: Random) -> bytes:
    """Code that logs a deposit, or what is none although it says so (EIP-6110)."""
    words = [160, 256, 320, 384, 512, 48, 1, 2, 32, 3, 8, 4 << 192, 96, 5, 6, 7, 8, 9 << 192]
    if random.random() < 0.15:
        words[random.randrange(len(words))] ^= 1 << random.randrange(9)
    code = b"".join(_stored(word, 32 * at) for at, word in enumerate(words))
    # LOG1 of all of it, then stop.
    return code + b"\x7f" + _DEPOSIT_TOPIC.to_bytes(32, "big") + b"\x61\x02\x40\x5f\xa1\x00"


def _stored(word: int, at: int) -> bytes:
    """Instructions that write a word to memory."""
    return b"\x7f" + word.to_bytes(32, "big") + b"\x61" + at.to_bytes(2, "big") + b"\x52"


class _BlockMaker:
    """Draws one block."""

    def __init__(self, random: Random, fork: str) -> None:
        self._random, self._fork, self._rules = random, fork, fork_named(fork)
        self._base_fee = random.choice((0, 7, 10**9, 10**9))
        self._excess = random.choice((0, 0, 10**7, 50 * 10**6))
        self._blob_fee = self._rules.blob_base_fee(self._excess)
        self._world = self._drawn_world()
        self._delegated: list[bytes] = []
        self._nonces = {actor: self._world[actor].nonce if actor in self._world else 0 for actor in ACTORS}

    def made(self) -> BlockCase:
        """The block."""
        random = self._random
        count = random.choice((1, 3, 6, 9, 12, 15))
        transactions = tuple(self._transaction() for _ in range(count))
        gas = ROOMY_GAS
        if random.random() < 0.3:
            # Little more than the transaction that asks for most, so that it fits as long as few have been executed.
            limits = [one.gas_limit for one in transactions if one.gas_limit < 1 << 20]
            gas = max(limits, default=ROOMY_GAS) + int(sum(limits) * random.uniform(0, 0.2))
        coinbase = random.choice(
            (places.BENEFICIARY,) * 2 + (ACTORS[0], ACTORS[1], places.PHOENIXES[1], random.choice(places.TARGETS))
        )
        paid = tuple(
            Withdrawn(random.choice((*places.TARGETS, coinbase)), random.choice((0, 1, 10**9)))
            for _ in range(random.choice((0, 0, 1, 3)))
        )
        return BlockCase(self._fork, self._world, coinbase, gas, self._base_fee, self._excess, transactions, paid)

    def _drawn_world(self) -> dict[bytes, Account]:
        random = self._random
        world = {actor: Account(1000 * ETHER, random.choice((0, 0, 1, 5))) for actor in ACTORS[:-1]}
        world[ACTORS[5]] = Account(random.choice((10**14, 10**15, 10**16)))
        if random.random() < 0.15:
            world[ACTORS[4]] = replace(world[ACTORS[4]], code=random_contract(random))
        if self._rules.delegates and random.random() < 0.4:
            marker = _DELEGATION + random.choice(places.TARGETS)
            world[ACTORS[3]] = replace(world[ACTORS[3]], code=marker, storage={0: 1})
        for address in places.POOL:
            world[address] = self._contract(random_contract(random))
        world[places.FACTORY] = Account(0, 1, places.FACTORY_CODE)
        world[places.TWICE] = Account(1000, 1, places.TWICE_CODE)
        world[places.PLAIN] = Account(5)
        if random.random() < 0.3:
            # With a balance: an account that has neither that nor nonce nor code is none (EIP-7523).
            world[places.STORED] = Account(1, 0, b"", {1: 1})
        if random.random() < 0.3:
            world[places.BENEFICIARY] = self._contract(random_contract(random))
        if random.random() < 0.2:
            # Created before the block, so that it is destroyed in name only.
            world[places.PHOENIXES[0]] = Account(random.choice((0, 9)), 1, places.RUNTIME, {1: 1})
        if random.random() < 0.3:
            world[places.DEPOSITS] = Account(0, 1, deposit_code(random))
        return world | self._system()

    def _system(self) -> dict[bytes, Account]:
        found = {}
        for address, code in SYSTEM.items():
            drawn = self._random.random()
            if drawn < 0.03:
                continue
            other = self._random.choice((ANSWERING, STORING, FAILING))
            found[address] = Account(0, 1, other if drawn < 0.08 else code)
        return found

    def _contract(self, code: bytes) -> Account:
        random = self._random
        storage = {slot: random.choice((1, 2, 1 << 255)) for slot in places.SLOTS if random.random() < 0.4}
        return Account(random.choice((0, 3, ETHER)), 1, code, storage)

    def _sender(self) -> bytes:
        drawn = self._random.random()
        if drawn < 0.96:
            return self._random.choice(ACTORS[:5])
        return self._random.choice(ACTORS[5:])

    def _transaction(self) -> Transaction:
        random, sender = self._random, self._sender()
        makers: list[Callable[[], dict[str, Any]]] = [
            self._call, self._call, self._call, self._call, self._recipe, self._recipe, self._create, self._create,
            self._factory, self._factory, self._phoenix, self._phoenix, self._transfer, self._transfer, self._blob,
            self._system_call, self._system_call,
        ]  # fmt: skip
        if self._rules.delegates:
            makers += [lambda: self._delegate(sender)] * 5
        content = random.choice(makers)()
        prices: dict[str, Any] = {**self._prices()}
        kind = content.pop("declared_type", None)
        if kind is None:
            kind = random.choice((0, 1, 2, 2))
        if kind < 2:
            prices["max_priority_fee"] = prices["max_fee"]
        fields: dict[str, Any] = {"gas_limit": random.choice(_GAS), "access_list": self._access_list(), **content}
        if kind == 0:
            fields["access_list"] = ()
        one = Transaction(sender=sender, nonce=self._nonces[sender], declared_type=kind, **prices, **fields)
        if random.random() < 0.08:
            return self._flawed(one)
        self._nonces[sender] += 1
        for each in one.authorizations or ():
            signer = each.authority
            if signer is None or each.chain_id not in (0, CHAIN) or self._has_code(signer):
                continue
            if self._nonces[signer] == each.nonce:
                self._nonces[signer] += 1
        return one

    def _has_code(self, address: bytes) -> bool:
        account = self._world.get(address)
        return account is not None and bool(account.code) and not account.code.startswith(_DELEGATION)

    def _prices(self) -> dict[str, int]:
        tip = self._random.choice((0, 1, 10**9))
        return {"max_fee": self._base_fee + self._random.choice((0, tip, 2 * 10**9)), "max_priority_fee": 0} | (
            {"max_fee": self._base_fee + 2 * 10**9, "max_priority_fee": tip} if self._random.random() < 0.8 else {}
        )

    def _access_list(self) -> AccessList:
        random = self._random
        if random.random() < 0.7:
            return ()
        return tuple(
            (random.choice(places.TARGETS), tuple(random.choices(places.SLOTS, k=random.randrange(3))))
            for _ in range(random.randint(1, 3))
        )

    def _value(self) -> int:
        return self._random.choice((0, 0, 0, 1, 100, 10**15))

    def _word(self) -> bytes:
        return bytes(12) + self._random.choice((*places.TARGETS, *places.POOL))

    def _call(self) -> dict[str, Any]:
        random = self._random
        data = random.choice((b"", self._word(), self._word() + self._word(), random.randbytes(40)))
        return {"to": random.choice((*places.POOL, *ACTORS)), "value": self._value(), "data": data}

    def _recipe(self) -> dict[str, Any]:
        return {"to": self._random.choice(places.POOL), "value": self._value(), "data": self._word() + self._word()}

    def _create(self) -> dict[str, Any]:
        gas = self._random.choice((60_000, 100_000, 200_000, 800_000, 6_000_000))
        return {"to": None, "value": self._value(), "data": random_init_code(self._random), "gas_limit": gas}

    def _factory(self) -> dict[str, Any]:
        random = self._random
        kinds = tuple(places.INIT_CODES.values())
        code = places.INIT_CODES["phoenix"] if random.random() < 0.75 else random.choice(kinds)
        gas = random.choice((150_000, 400_000, 800_000))
        return {
            "to": random.choice((places.FACTORY, places.TWICE, places.TWICE)),
            "data": code,
            "value": 0,
            "gas_limit": gas,
        }

    def _phoenix(self) -> dict[str, Any]:
        random = self._random
        data = b"" if random.random() < 0.4 else random.choice(places.SLOTS).to_bytes(32, "big")
        return {"to": random.choice(places.PHOENIXES), "data": data, "value": random.choice((0, 0, 11))}

    def _transfer(self) -> dict[str, Any]:
        to = self._random.choice((*places.TARGETS, places.ABSENT, places.BENEFICIARY))
        gas = self._random.choice((21_000, 25_000, 100_000))
        return {"to": to, "value": self._random.choice((0, 1, 10**15, ETHER)), "gas_limit": gas, "access_list": ()}

    def _blob(self) -> dict[str, Any]:
        random = self._random
        count = random.choice((1, 1, 2, 3, self._rules.blobs_per_transaction))
        return {
            "declared_type": 3,
            "to": random.choice(places.TARGETS),
            "blob_hashes": tuple(_BLOB[:31] + bytes([place]) for place in range(count)),
            "max_blob_fee": self._blob_fee * random.choice((1, 2)),
        }

    def _system_call(self) -> dict[str, Any]:
        random = self._random
        name = random.choice((*CONTRACTS, "deposits"))
        to = CONTRACTS.get(name, places.DEPOSITS)
        word = random.choice((999, 998, 1000, 1_800_000_000, 0)).to_bytes(32, "big")
        data = random.choice((b"", word, random.randbytes(56), random.randbytes(96)))
        if random.random() < 0.7:
            data = {"withdrawal_requests": random.randbytes(56), "consolidation_requests": random.randbytes(96)}.get(
                name, word
            )
        return {"to": to, "data": data, "value": random.choice((0, 1, 1, 5)), "gas_limit": 400_000}

    def _delegate(self, sender: bytes) -> dict[str, Any]:
        random = self._random
        made: list[Authorization] = []
        ahead = {sender: 1}
        for _ in range(random.choice((1, 1, 2, 4))):
            authority = random.choice((sender, random.choice(ACTORS), random.choice(self._delegated or ACTORS)))
            nonce = self._nonces[authority] + ahead.get(authority, 0)
            if random.random() < 0.1:
                nonce += random.choice((1, 5, -1)) if nonce else 1
            else:
                ahead[authority] = ahead.get(authority, 0) + 1
            self._delegated.append(authority)
            to = random.choice((*places.POOL, *ACTORS[:4], *[bytes(20)] * 4, random.choice(places.TARGETS)))
            chain = random.choice((0, CHAIN, CHAIN, CHAIN, CHAIN, 99))
            signer = None if random.random() < 0.05 else authority
            made.append(Authorization(signer, to, nonce, chain))
        gas = random.choice((100_000, 200_000, 400_000, 800_000))
        to = random.choice((*ACTORS, *places.TARGETS))
        return {
            "declared_type": 4,
            "to": to,
            "value": self._value(),
            "data": self._word(),
            "authorizations": tuple(made),
            "gas_limit": gas,
        }

    def _flawed(self, one: Transaction) -> Transaction:
        """The same with something that makes it invalid, mostly."""
        random, rules = self._random, self._rules
        flaws: list[dict[str, Any]] = [
            {"nonce": one.nonce + random.choice((1, 2))},
            {"value": 10**30},
            {"gas_limit": random.choice((0, 20_999, 21_000))},
            {"gas_limit": ROOMY_GAS + 1},
            {"gas_limit": (1 << 24) + 1},
            {"max_fee": self._base_fee - 1, "max_priority_fee": 0} if self._base_fee else {"nonce": one.nonce + 1},
            {"sender": ACTORS[6], "nonce": 0},
        ]
        if self._has_code(ACTORS[4]):
            flaws.append({"sender": ACTORS[4], "nonce": self._nonces[ACTORS[4]]})
        if one.nonce:
            flaws.append({"nonce": one.nonce - 1})
        if one.type >= 2:
            flaws.append({"max_priority_fee": one.max_fee + 1})
        if one.type == 3:
            most = max(rules.max_blobs, rules.blobs_per_transaction)
            for hashes in ((), (_BLOB,) * (most + 1), (b"\x02" + bytes(31),)):
                flaws.append({"blob_hashes": hashes})
            flaws += [{"max_blob_fee": max(self._blob_fee - 1, 0)}, {"to": None}, {"max_blob_fee": 1 << 100}]
        elif one.type == 4:
            flaws += [{"authorizations": ()}, {"to": None}]
        else:
            flaws.append({"to": None, "data": bytes(49_153), "gas_limit": 3_000_000})
            if not rules.delegates:
                given = {"declared_type": 4, "authorizations": (), "to": one.to or places.PLAIN}
                flaws.append(given)
        altered = replace(one, **random.choice(flaws))
        return replace(altered, max_priority_fee=altered.max_fee) if altered.type < 2 else altered
