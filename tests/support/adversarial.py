"""Small blocks made to go wrong, as hypothesis draws them; the contracts and accounts are the schedule fuzzer's."""

from __future__ import annotations

from hypothesis import strategies as st

from contend.evm import Block
from contend.harness.verify.schedule_fuzzer.adversarial_contracts import (
    CONTRACTS,
    ENVIRONMENT,
    ETHER,
    GAS_PRICE,
    NOBODY,
    POOR,
    SENDERS,
    Act,
    adversarial_state,
    block_of,
    word,
)

__all__ = [
    "CONTRACTS",
    "ENVIRONMENT",
    "ETHER",
    "GAS_PRICE",
    "NOBODY",
    "POOR",
    "SENDERS",
    "Act",
    "adversarial_state",
    "block_of",
    "blocks",
    "hot",
    "word",
]

_senders = st.sampled_from([*SENDERS, POOR, ENVIRONMENT.coinbase])
_addresses = st.sampled_from([*SENDERS, POOR, ENVIRONMENT.coinbase, *CONTRACTS.values(), bytes([0xEE]) * 20])
_values = st.sampled_from([0, 0, 0, 1, 1000, ETHER // 3, 2 * ETHER])
_gas = st.sampled_from([200_000, 200_000, 200_000, 21_000, 20_000, 26_000, 45_000, 60_000])


@st.composite
def acts(draw: st.DrawFn) -> Act:
    """Any act: a payment, or a call of one of the contracts with a hot or a cold argument."""
    to = draw(_addresses)
    # Numbers from 1 to 10 would be addresses of precompiles to those who call their argument.
    argument = draw(st.sampled_from([0, 11, 12]) | _addresses)
    rest = word(draw(st.sampled_from([0, 11, 12]))) if draw(st.booleans()) else b""
    data = word(argument) + rest if draw(st.booleans()) else b""
    skew = draw(st.sampled_from([0] * 12 + [1, 7]))
    return Act(draw(_senders), to, data, draw(_values), draw(_gas), skew)


blocks = st.lists(acts(), min_size=1, max_size=24).map(block_of)


def hot(name: str, count: int, senders: int = len(SENDERS)) -> Block:
    """Every transaction calls the same contract."""
    return block_of([Act(SENDERS[i % senders], CONTRACTS[name], word(11)) for i in range(count)])
