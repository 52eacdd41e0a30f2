"""Case of the block fuzzer: all that a block and the state before it are, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from contend.evm import Environment, Transaction
from contend.evm.accounts import Account, World
from contend.evm.block import Authorization
from contend.evm.crypto.keccak import keccak256
from contend.evm.forks import FORKS, Fork, fork_named
from contend.workloads.files.fields import Field
from contend.workloads.files.prestate import read_access_list, read_prestate

SCHEMA = "contend-block-case/1"
CHAIN = 1
NUMBER = 1000
TIME = 1_800_000_000
HASHES = 256


class Withdrawn(NamedTuple):
    """Ether that comes back from the beacon chain, in Gwei."""

    address: bytes
    gwei: int


@cache
def hash_of_block(number: int) -> bytes:
    """Hash that a block before this one is said to have."""
    return keccak256(f"block {number}".encode())


@cache
def hashes_before(number: int) -> dict[int, bytes]:
    """Hashes of the last 256 blocks."""
    return {one: hash_of_block(one) for one in range(max(0, number - HASHES), number)}


@dataclass(frozen=True)
class BlockCase:
    """A block with the state before it, and before what it does by itself.

    Attributes
    ----------
    fork : str
    world : mapping
        Accounts by address.
    coinbase : bytes
    gas_limit, base_fee, excess_blob_gas : int
    transactions : tuple of Transaction
        Each with its type declared. Senders and authorities are accounts of `actors`, which have keys.
    withdrawals : tuple of Withdrawn
    """

    fork: str
    world: World
    coinbase: bytes
    gas_limit: int
    base_fee: int
    excess_blob_gas: int
    transactions: tuple[Transaction, ...]
    withdrawals: tuple[Withdrawn, ...] = ()

    @property
    def rules(self) -> Fork:
        """The fork."""
        return fork_named(self.fork)

    @property
    def beacon_root(self) -> bytes:
        """What the beacon chain's parent block is said to have as its root."""
        return keccak256(b"beacon root")

    @property
    def parent_hash(self) -> bytes:
        """Hash of the block before."""
        return hash_of_block(NUMBER - 1)

    @property
    def environment(self) -> Environment:
        """What the header says to transactions."""
        return Environment(
            number=NUMBER,
            timestamp=TIME,
            gas_limit=self.gas_limit,
            base_fee=self.base_fee,
            coinbase=self.coinbase,
            chain_id=CHAIN,
            prev_randao=int.from_bytes(keccak256(b"randao"), "big"),
            blob_base_fee=self.rules.blob_base_fee(self.excess_blob_gas),
            block_hashes=hashes_before(NUMBER),
            fork=self.fork,
        )

    def with_transaction(self, place: int, **changes: Any) -> BlockCase:
        """The same with one transaction altered."""
        altered = replace(self.transactions[place], **changes)
        return replace(self, transactions=(*self.transactions[:place], altered, *self.transactions[place + 1 :]))

    def as_json(self) -> dict[str, Any]:
        """Show the case as a file keeps it."""
        return {
            "schema": SCHEMA,
            "fork": self.fork,
            "coinbase": _hex(self.coinbase),
            "gasLimit": hex(self.gas_limit),
            "baseFeePerGas": hex(self.base_fee),
            "excessBlobGas": hex(self.excess_blob_gas),
            "pre": {_hex(address): _account(account) for address, account in self.world.items()},
            "transactions": list(map(_transaction, self.transactions)),
            "withdrawals": [{"address": _hex(one.address), "amount": hex(one.gwei)} for one in self.withdrawals],
        }

    @classmethod
    def from_json(cls, content: Field) -> BlockCase:
        """Read a case.

        Raises
        ------
        FieldError
            If a field is missing or malformed, naming file and field.
        """
        if content["schema"].value != SCHEMA:
            raise content["schema"].fail(f"no block of this version ({SCHEMA}); give a file that fuzz-blocks wrote")
        if content["fork"].text() not in FORKS:
            raise content["fork"].fail(f"no fork that is there: {', '.join(FORKS)}")
        return cls(
            content["fork"].text(),
            read_prestate(content["pre"]),
            content["coinbase"].octets(20),
            content["gasLimit"].integer(63),
            content["baseFeePerGas"].integer(64),
            content["excessBlobGas"].excess_blob_gas(),
            tuple(map(_read_transaction, content["transactions"].elements())),
            tuple(
                Withdrawn(one["address"].octets(20), one["amount"].integer(64))
                for one in content["withdrawals"].elements()
            ),
        )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _account(account: Account) -> dict[str, Any]:
    return {
        "balance": hex(account.balance),
        "nonce": hex(account.nonce),
        "code": _hex(account.code),
        "storage": {f"0x{slot:064x}": f"0x{word:064x}" for slot, word in sorted(account.storage.items())},
    }


def _transaction(one: Transaction) -> dict[str, Any]:
    content: dict[str, Any] = {
        "type": hex(one.type),
        "from": _hex(one.sender),
        "to": None if one.to is None else _hex(one.to),
        "nonce": hex(one.nonce),
        "gas": hex(one.gas_limit),
        "value": hex(one.value),
        "input": _hex(one.data),
        "maxFeePerGas": hex(one.max_fee),
        "maxPriorityFeePerGas": hex(one.max_priority_fee),
        "accessList": [
            {"address": _hex(address), "storageKeys": [f"0x{slot:064x}" for slot in slots]}
            for address, slots in one.access_list
        ],
    }
    if one.blob_hashes is not None:
        content["maxFeePerBlobGas"] = hex(one.max_blob_fee)
        content["blobVersionedHashes"] = list(map(_hex, one.blob_hashes))
    if one.authorizations is not None:
        content["authorizationList"] = [
            {
                "authority": None if authority is None else _hex(authority),
                "address": _hex(address),
                "nonce": hex(nonce),
                "chainId": hex(chain),
            }
            for authority, address, nonce, chain in one.authorizations
        ]
    return content


def _read_transaction(content: Field) -> Transaction:
    to, blobs, authorizations = content.get("to"), content.get("blobVersionedHashes"), content.get("authorizationList")
    return Transaction(
        sender=content["from"].octets(20),
        to=None if to is None else to.octets(20),
        nonce=content["nonce"].integer(64),
        gas_limit=content["gas"].integer(63),
        value=content["value"].integer(),
        data=content["input"].octets(),
        max_fee=content["maxFeePerGas"].integer(),
        max_priority_fee=content["maxPriorityFeePerGas"].integer(),
        access_list=read_access_list(content["accessList"]),
        blob_hashes=None if blobs is None else tuple(one.octets(32) for one in blobs.elements()),
        max_blob_fee=0 if blobs is None else content["maxFeePerBlobGas"].integer(),
        authorizations=None if authorizations is None else tuple(map(_authorization, authorizations.elements())),
        declared_type=content["type"].integer(8),
    )


def _authorization(content: Field) -> Authorization:
    signer = content.get("authority")
    return Authorization(
        None if signer is None else signer.octets(20),
        content["address"].octets(20),
        content["nonce"].integer(64),
        content["chainId"].integer(),
    )


def sizes(case: BlockCase) -> Mapping[str, int]:
    """How large a case is, by what it has of each."""
    return {
        "transactions": len(case.transactions),
        "accounts": len(case.world),
        "bytes of code": sum(len(account.code) for account in case.world.values()),
    }
