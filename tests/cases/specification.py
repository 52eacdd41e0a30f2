"""Outcome of a public case by the executable specification (package `ethereum-execution`), where that is installed.

Its transactions carry their sender, and its authorisations their authority, in place of a signature.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from contend.evm import Block, Environment, Transaction, errors
from contend.evm.accounts import Account, World


class Specification:
    """The specification of one fork, holding the state of one case.

    Parameters
    ----------
    fork : str
    world : mapping
        Accounts at the beginning.
    """

    def __init__(self, fork: str, world: World) -> None:
        pytest.importorskip("ethereum.forks", reason="ethereum-execution is not installed")
        self._package = f"ethereum.forks.{fork.lower()}"
        self._fork, self._state_of, self._transactions = (
            self._module(name) for name in ("fork", "state", "transactions")
        )
        self._types, self._vm = self._module("fork_types"), self._module("vm")
        self._bytes, self._numeric = import_module("ethereum_types.bytes"), import_module("ethereum_types.numeric")
        self._error: type[Exception] = import_module("ethereum.exceptions").EthereumException
        self._state = self._state_of.State()
        for address, account in world.items():
            made = self._types.Account(
                self._numeric.Uint(account.nonce), self._numeric.U256(account.balance), account.code
            )
            self._state_of.set_account(self._state, self._types.Address(address), made)
            for slot, value in account.storage.items():
                self._state_of.set_storage(
                    self._state, self._types.Address(address), self._word(slot), self._numeric.U256(value)
                )

    def _module(self, name: str) -> Any:
        return import_module(f"{self._package}.{name}")

    def _word(self, value: int) -> Any:
        return self._bytes.Bytes32(value.to_bytes(32, "big"))

    def execute(self, block: Block) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Execute a block's transactions: status, gas used, and gas through the block after each."""
        environment = self._environment(block.environment)
        output = self._vm.BlockOutput()
        statuses, used, through = [], [], []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self._fork, "recover_sender", lambda chain, transaction: self._signer(transaction))
            if hasattr(self._types, "Authorization"):
                patch.setattr(self._module("vm.eoa_delegation"), "recover_authority", self._authority)
            for index, transaction in enumerate(block):
                before = int(output.block_gas_used)
                made = self._transaction(transaction, block.environment)
                try:
                    self._fork.process_transaction(environment, output, made, self._numeric.Uint(index))
                except self._error:
                    statuses.append(errors.STATUS_INVALID)
                else:
                    statuses.append(int(self._succeeded(output)))
                used.append(int(output.block_gas_used) - before)
                through.append(int(output.block_gas_used))
        return tuple(statuses), tuple(used), tuple(through)

    def _succeeded(self, output: Any) -> bool:
        """Status in the newest receipt."""
        trie = import_module(f"{self._package}.trie")
        receipt = trie.trie_get(output.receipts_trie, output.receipt_keys[-1])
        return bool(self._module("blocks").decode_receipt(receipt).succeeded)

    def _signer(self, transaction: Any) -> Any:
        return self._types.Address(transaction.r.to_be_bytes32()[12:])

    def _authority(self, authorization: Any) -> Any:
        if not authorization.r:
            raise import_module("ethereum.exceptions").InvalidSignatureError("nobody has signed")
        return self._types.Address(authorization.r.to_be_bytes32()[12:])

    def _environment(self, environment: Environment) -> Any:
        n, fields = self._numeric, self._vm.BlockEnvironment.__dataclass_fields__
        values = {
            "chain_id": n.U64(environment.chain_id),
            "state": self._state,
            "block_gas_limit": n.Uint(environment.gas_limit),
            "block_hashes": [],
            "coinbase": self._types.Address(environment.coinbase),
            "number": n.Uint(environment.number),
            "base_fee_per_gas": n.Uint(environment.base_fee),
            "time": n.U256(environment.timestamp),
            "prev_randao": self._word(environment.prev_randao),
            "excess_blob_gas": n.U64(0),
            "parent_beacon_block_root": self._word(0),
        }
        return self._vm.BlockEnvironment(**{name: values[name] for name in fields})

    def _transaction(self, transaction: Transaction, environment: Environment) -> Any:
        n, kinds = self._numeric, self._transactions
        access = tuple(
            kinds.Access(self._types.Address(address), tuple(self._word(slot) for slot in slots))
            for address, slots in transaction.access_list
        )
        values: dict[str, Any] = {
            "chain_id": n.U64(environment.chain_id),
            "max_priority_fee_per_gas": n.Uint(transaction.max_priority_fee),
            "max_fee_per_gas": n.Uint(transaction.max_fee),
            "gas": n.Uint(transaction.gas_limit),
            "to": self._bytes.Bytes0() if transaction.to is None else self._types.Address(transaction.to),
            "value": n.U256(transaction.value),
            "data": self._bytes.Bytes(transaction.data),
            "access_list": access,
            "y_parity": n.U256(0),
            "r": n.U256(int.from_bytes(transaction.sender, "big")),
            "s": n.U256(1),
        }
        if transaction.authorizations is not None:
            signed = tuple(
                self._types.Authorization(
                    n.U256(one.chain_id),
                    self._types.Address(one.address),
                    n.U64(one.nonce),
                    n.U8(0),
                    n.U256(int.from_bytes(one.authority or b"", "big")),
                    n.U256(1),
                )
                for one in transaction.authorizations
            )
            return kinds.SetCodeTransaction(nonce=n.U64(transaction.nonce), authorizations=signed, **values)
        values["nonce"] = n.U256(transaction.nonce)
        if transaction.blob_hashes is not None:
            hashes = tuple(self._bytes.Bytes32(one) for one in transaction.blob_hashes)
            fee = n.U256(transaction.max_blob_fee)
            return kinds.BlobTransaction(max_fee_per_blob_gas=fee, blob_versioned_hashes=hashes, **values)
        return kinds.FeeMarketTransaction(**values)

    def left(self) -> World:
        """Every account that is there."""
        found = {}
        for address in self._state._main_trie._data:
            one = self._state_of.get_account(self._state, address)
            trie = self._state._storage_tries.get(address)
            storage = {int.from_bytes(slot, "big"): int(value) for slot, value in (trie._data if trie else {}).items()}
            found[bytes(address)] = Account(int(one.balance), int(one.nonce), bytes(one.code), storage)
        return found
