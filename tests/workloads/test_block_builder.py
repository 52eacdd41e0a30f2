"""Block builder: nonces, costs and block boundaries, alone and as sub-builders that share its blocks."""

from __future__ import annotations

import pytest

from contend.workloads.building.block_builder import PLAIN_TRANSFER_GAS, BlockBuilder, SubBuilder

TO = b"\7" * 20


def test_nonces_run_through_all_blocks_of_a_sender() -> None:
    builder = BlockBuilder("test", 1, 2, 2)
    for sender in (5, 6, 5, 5):
        builder.add(sender, TO, PLAIN_TRANSFER_GAS)
    first, second = builder.build()
    assert [transaction.nonce for transaction in (*first, *second)] == [0, 0, 1, 2]
    assert builder.nonces == {5: 3, 6: 1}
    assert second.environment.number == first.environment.number + 1


def test_the_most_that_a_sender_pays_is_gas_at_its_fee_cap_and_value() -> None:
    builder = BlockBuilder("test", 1, 2, 1)
    builder.add(5, TO, PLAIN_TRANSFER_GAS, value=7)
    builder.add(5, TO, 50_000)
    (block,) = builder.build()
    assert builder.max_cost_wei == {5: sum(sent.gas_limit * sent.max_fee + sent.value for sent in block)}


def test_a_block_that_is_not_full_is_refused() -> None:
    builder = BlockBuilder("test", 1, 2, 1)
    builder.add(5, TO, PLAIN_TRANSFER_GAS)
    with pytest.raises(RuntimeError, match="1 of 2 transactions were added"):
        builder.build()


def test_a_sub_builder_sees_the_blocks_that_its_calls_will_be_in() -> None:
    parent = BlockBuilder("test", 1, 4, 3)
    share = SubBuilder(parent, [2, 0, 1])
    seen = []
    for sender in range(share.transaction_count):
        seen.append((share.begins_block, share.environment.number - parent.environment.number))
        share.add(sender, TO, PLAIN_TRANSFER_GAS)
    assert seen == [(True, 0), (False, 0), (True, 2)]
    assert [call.sender for call in share.calls] == [0, 1, 2]
    # Its accounts are the parent's; nonces and fees come when the parent adds the calls.
    assert set(parent.accounts.used) == {0, 1, 2}
    assert parent.nonces == {}
