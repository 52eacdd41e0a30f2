"""The same block by the Python specification of Ethereum (package ``ethereum-execution``), as it stands.

Nothing of it is replaced: transactions come to it signed and encoded, it recovers who sent them, and each is executed
by the function that executes the transactions of a block. There it is the block that a transaction which cannot be
executed makes invalid; the function raises before it changes anything, so that going on with the next one is what a
builder does who leaves it out. What is executed is counted by the hook that the specification has for traces.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from types import ModuleType
from typing import Any

from contend.evm import Log
from contend.evm.accounts import Account, World
from contend.harness.verify.block_fuzzer.actors import signed_item
from contend.harness.verify.block_fuzzer.block_case import CHAIN, NUMBER, TIME, BlockCase, hashes_before
from contend.harness.verify.block_fuzzer.whole_result import WholeResult
from contend.harness.verify.full_receipts import FullReceipt

PACKAGE = "ethereum.forks"
# Ours by theirs.
MODULES = {"Cancun": "cancun", "Prague": "prague", "Osaka": "osaka", "BPO1": "bpo1", "BPO2": "bpo2"}
_DELEGATION = b"\xef\x01\x00"
_COUNTED = {"CREATE", "CREATE2", "SELFDESTRUCT", "SSTORE", "TSTORE", "BALANCE", "EXTCODEHASH", "BLOCKHASH", "BLOBHASH"}


class Specification:
    """The specification's rules of one fork.

    Attributes
    ----------
    seen : Counter
        What executed blocks had in them, by name.
    """

    def __init__(self, fork: str) -> None:
        name = f"{PACKAGE}.{MODULES[fork]}"
        self._fork, self._vm, self._state, self._types, self._blocks, self._transactions = (
            importlib.import_module(f"{name}.{part}")
            for part in ("fork", "vm", "state", "fork_types", "blocks", "transactions")
        )
        self._trie, self._bloom = (importlib.import_module(f"{name}.{part}") for part in ("trie", "bloom"))
        self._numeric = importlib.import_module("ethereum_types.numeric")
        self._bytes = importlib.import_module("ethereum_types.bytes")
        self._rlp = importlib.import_module("ethereum_rlp.rlp")
        self._errors = importlib.import_module("ethereum.exceptions")
        self._rlp_error = importlib.import_module("ethereum_rlp.exceptions").DecodingError
        self.seen: Counter[str] = Counter()

    def run(self, case: BlockCase) -> WholeResult:
        """Execute a block with all that it does."""
        state = self._state_of(case.world)
        environment = self._environment(case, state)
        output = self._vm.BlockOutput()
        refused: dict[int, str] = {}
        invalid = None
        with self._counting():
            self._before(environment)
            watch = _CodeWatch(self.seen, accounts_of(state))
            for place, one in enumerate(case.transactions):
                # Its place among those that are in the block, by which receipts are kept.
                index = place - len(refused)
                reason = self._execute(environment, output, index, signed_item(one, CHAIN))
                if reason is not None:
                    refused[place] = reason
                else:
                    watch.look(accounts_of(state))
            try:
                self._after(environment, output, case)
            except self._errors.InvalidBlock as error:
                invalid = str(error) or type(error).__name__
                self.seen["blocks refused"] += 1
        receipts, encodings = self._receipts(output, case, refused)
        requests = None
        if invalid is None and case.rules.requests:
            compute = importlib.import_module(f"{self._fork.__package__}.requests").compute_requests_hash
            requests = bytes(compute(output.requests))
            self.seen["requests"] += len(output.requests)
        accounts, root = {}, None
        if invalid is None:
            accounts, root = accounts_of(state), bytes(self._state.state_root(state))
        return WholeResult(
            refused,
            receipts,
            encodings,
            bytes(self._trie.root(output.receipts_trie)),
            bytes(self._bloom.logs_bloom(output.block_logs)),
            requests,
            invalid,
            accounts,
            root,
        )

    def _state_of(self, world: World) -> Any:
        state, number = self._state.State(), self._numeric
        for address, account in world.items():
            who = self._types.Address(address)
            made = self._types.Account(number.Uint(account.nonce), number.U256(account.balance), account.code)
            self._state.set_account(state, who, made)
            for slot, word in account.storage.items():
                if word:
                    key = self._bytes.Bytes32(slot.to_bytes(32, "big"))
                    self._state.set_storage(state, who, key, number.U256(word))
        return state

    def _environment(self, case: BlockCase, state: Any) -> Any:
        number, types, octets = self._numeric, self._types, self._bytes
        hashes = hashes_before(NUMBER)
        given = {
            "chain_id": number.U64(CHAIN),
            "state": state,
            "block_gas_limit": number.Uint(case.gas_limit),
            "block_hashes": [octets.Bytes32(hashes[one]) for one in sorted(hashes)],
            "coinbase": types.Address(case.coinbase),
            "number": number.Uint(NUMBER),
            "base_fee_per_gas": number.Uint(case.base_fee),
            "time": number.U256(TIME),
            "prev_randao": octets.Bytes32(case.environment.prev_randao.to_bytes(32, "big")),
            "excess_blob_gas": number.U64(case.excess_blob_gas),
            "parent_beacon_block_root": octets.Bytes32(case.beacon_root),
        }
        names = [one.name for one in fields(self._vm.BlockEnvironment)]
        return self._vm.BlockEnvironment(**{name: given[name] for name in names})

    def _before(self, environment: Any) -> None:
        """System calls before the first transaction, as `apply_body` of the fork makes them."""
        fork = self._fork
        fork.process_unchecked_system_transaction(
            block_env=environment,
            target_address=fork.BEACON_ROOTS_ADDRESS,
            data=environment.parent_beacon_block_root,
        )
        if hasattr(fork, "HISTORY_STORAGE_ADDRESS"):
            fork.process_unchecked_system_transaction(
                block_env=environment,
                target_address=fork.HISTORY_STORAGE_ADDRESS,
                data=environment.block_hashes[-1],
            )

    def _execute(self, environment: Any, output: Any, index: int, item: Any) -> str | None:
        """Execute a transaction; why it cannot be."""
        try:
            if isinstance(item, bytes):
                decoded = self._transactions.decode_transaction(item)
            else:
                decoded = self._rlp.deserialize_to(self._transactions.LegacyTransaction, item)
            self._fork.process_transaction(environment, output, decoded, self._numeric.Uint(index))
        except (self._errors.InvalidTransaction, self._errors.InvalidBlock, self._rlp_error) as error:
            return type(error).__name__
        return None

    def _after(self, environment: Any, output: Any, case: BlockCase) -> None:
        number = self._numeric
        paid = tuple(
            self._blocks.Withdrawal(
                number.U64(place), number.U64(place), self._types.Address(one.address), number.U256(one.gwei)
            )
            for place, one in enumerate(case.withdrawals)
        )
        self._fork.process_withdrawals(environment, output, paid)
        self.seen["withdrawals"] += len(paid)
        if hasattr(self._fork, "process_general_purpose_requests"):
            self._fork.process_general_purpose_requests(environment, output)

    def _receipts(
        self, output: Any, case: BlockCase, refused: dict[int, str]
    ) -> tuple[dict[int, FullReceipt], dict[int, bytes]]:
        made: dict[int, FullReceipt] = {}
        encodings, gas, first = {}, 0, 0
        for place, one in enumerate(case.transactions):
            if place in refused:
                continue
            kept = output.receipts_trie._data[self._rlp.encode(self._numeric.Uint(len(made)))]
            encodings[place] = bytes(kept if isinstance(kept, bytes) else self._rlp.encode(kept))
            receipt = self._blocks.decode_receipt(kept) if isinstance(kept, bytes) else kept
            logs = tuple(
                Log(
                    bytes(each.address),
                    tuple(int.from_bytes(topic, "big") for topic in each.topics),
                    bytes(each.data),
                )
                for each in receipt.logs
            )
            total = int(receipt.cumulative_gas_used)
            status = int(receipt.succeeded)
            made[place] = FullReceipt(one.type, status, total - gas, total, first, bytes(receipt.bloom), logs)
            gas, first = total, first + len(logs)
            self.seen["succeeded" if status else "failed"] += 1
            self.seen["logs"] += len(logs)
            self.seen["blobs"] += len(one.blob_hashes or ())
        return made, encodings

    @contextmanager
    def _counting(self) -> Iterator[None]:
        trace: ModuleType = importlib.import_module("ethereum.trace")
        seen = self.seen
        gone: dict[bytes, Any] = {}

        def created(evm: Any) -> Any:
            return evm.message.block_env.state.created_accounts

        def note(evm: Any, event: Any) -> None:
            if isinstance(event, trace.OpStart):
                name = event.op.name
                if name in _COUNTED:
                    seen[name] += 1
                if name == "SELFDESTRUCT" and evm.message.current_target in created(evm):
                    address, index = bytes(evm.message.current_target), evm.message.tx_env.index_in_block
                    seen["destroyed"] += 1
                    seen["destroyed again"] += gone.setdefault(address, index) != index
            elif isinstance(event, trace.PrecompileStart):
                seen["precompiled contracts"] += 1

        before = trace.set_evm_trace(note)
        try:
            yield
        finally:
            trace.set_evm_trace(before)


class _CodeWatch:
    """Counts what becomes of accounts from transaction to transaction."""

    def __init__(self, seen: Counter[str], accounts: World) -> None:
        self._seen, self._last = seen, accounts

    def look(self, accounts: World) -> None:
        """Compare with the state before the transaction."""
        nothing = Account()
        for address in {*self._last, *accounts}:
            before, after = self._last.get(address, nothing), accounts.get(address, nothing)
            if before.code == after.code:
                continue
            was, now = before.code.startswith(_DELEGATION), after.code.startswith(_DELEGATION)
            if was and now:
                self._seen["delegations changed"] += 1
            elif was:
                self._seen["delegations cleared"] += 1
            elif now:
                self._seen["delegations made"] += 1
            elif after.code:
                self._seen["contracts deployed"] += 1
        self._last = accounts


def accounts_of(state: Any) -> dict[bytes, Account]:
    """Every account of a state of the specification."""
    found = {}
    for address, account in state._main_trie._data.items():
        if account is not None:
            trie = state._storage_tries.get(address)
            stored = {} if trie is None else {int.from_bytes(k, "big"): int(v) for k, v in trie._data.items()}
            found[bytes(address)] = Account(int(account.balance), int(account.nonce), bytes(account.code), stored)
    return found
