"""The bound of real blocks, against what others have measured on Ethereum.

Published for 14 recent blocks: 28 % of transactions depend on an earlier one, the longest chain is 11 % of the block,
perfect parallelism would give 4.1 times the gas per unit of time, more if balance updates commuted.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from shared_data import shared

from contend.evm import Block, Environment, State, Transaction
from contend.evm.drivers.recorder import record
from contend.harness.analysis.profile import bounds_of
from contend.harness.record.bound import Bounds
from contend.strategies.clocks.cost_table import default_costs

# Ordinary blocks of the time of Cancun with more than a hundred transactions.
RECENT = ("19929064.json.gz", "19932703.json.gz")
# One sender sends nearly all of this block's transactions.
ONE_SENDER = "13287210.cancun.json.gz"


def lay_out(name: str) -> tuple[Block, State]:
    found = loader(shared("mainnet/mainnet_loader.py")).load(str(shared(f"mainnet/{name}")))
    env = found.env
    environment = Environment(
        number=env["number"],
        timestamp=env["timestamp"],
        gas_limit=env["gas_limit"],
        base_fee=env["base_fee"],
        coinbase=env["coinbase"],
        chain_id=env["chain_id"],
        prev_randao=int.from_bytes(env["prev_randao"], "big"),
        block_hashes=env["block_hashes"],
    )
    state = State()
    for address, account in found.accounts():
        state.set_balance(address, account.balance)
        state.set_nonce(address, account.nonce)
        state.set_code(address, account.code)
        for slot, value in account.storage.items():
            state.set_storage(address, slot, value)
    transactions = []
    for t in found.transactions:
        legacy = t.max_fee is None
        fee = t.gas_price if legacy else t.max_fee
        tip = t.gas_price - environment.base_fee if legacy else t.max_priority
        transactions.append(Transaction(t.sender, t.to, t.nonce, t.gas, t.value, t.data, fee, tip))
    return Block(environment, tuple(transactions)), state


def loader(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("mainnet_loader", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bounds_of_block(name: str) -> Bounds:
    block, state = lay_out(name)
    return bounds_of(record(block, state, default_costs().table))


@pytest.mark.parametrize("name", RECENT)
def test_recent_blocks_depend_as_others_have_measured(name: str) -> None:
    bounds = bounds_of_block(name)
    plain, commutative = bounds.plain, bounds.commutative
    assert 0.2 <= plain.dependent_share <= 0.36
    assert 0.08 <= plain.chain_share <= 0.14
    assert 2.5 <= plain.gas / plain.critical_gas <= 6
    # Where chains are chains of payments, they go away; nothing gets longer.
    assert commutative.longest_chain < plain.longest_chain
    assert commutative.critical_gas <= plain.critical_gas
    assert plain.depth["balance"] > plain.depth["nonce"] == commutative.depth["nonce"]


def test_a_block_of_one_sender_is_one_chain() -> None:
    plain = bounds_of_block(ONE_SENDER).plain
    assert plain.chain_share > 0.99
    assert plain.speedup(1_024) < 1.2
    assert plain.depth["nonce"] == plain.longest_chain
