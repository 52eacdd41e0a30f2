"""Bursts: blocks and arrival times that follow them, on every machine the same."""

from __future__ import annotations

import numpy as np
import pytest

from contend.workloads.building.arrivals import BURSTS, arrival_times, block_sizes
from contend.workloads.building.sampling import RandomStream
from tests.workloads.conftest import Build


@pytest.mark.parametrize("burst", BURSTS)
@pytest.mark.parametrize("blocks", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_blocks_share_all_transactions_and_none_is_empty(burst: str, blocks: int, size: int) -> None:
    sizes = block_sizes(burst, size, blocks)
    assert len(sizes) == blocks
    assert sum(sizes) == size * blocks
    assert min(sizes) >= 1


def test_sizes_follow_the_rates() -> None:
    assert block_sizes("steady", 100, 3) == [100, 100, 100]
    opening, *rest = block_sizes("opening", 1_000, 10)
    # The opening second has 808 times the arrivals of another one: 819 to 12 in a block.
    assert opening / rest[0] == pytest.approx(819 / 12, rel=0.05)
    plateau = block_sizes("plateau", 1_000, 9)
    assert plateau[4] / plateau[0] == pytest.approx(7, rel=0.02)
    viral = block_sizes("viral", 1_000, 9)
    assert viral[4] / viral[0] == pytest.approx(36 / 12, rel=0.02)


@pytest.mark.parametrize("burst", BURSTS)
def test_arrivals_lie_in_their_block_and_ascend(burst: str) -> None:
    sizes = block_sizes(burst, 500, 6)
    arrived = arrival_times(burst, sizes, RandomStream(1, "arrivals"))
    assert [len(times) for times in arrived] == sizes
    for block, times in enumerate(arrived):
        assert (np.diff(times) >= 0).all()
        assert 12_000 * block <= times.min()
        assert times.max() < 12_000 * (block + 1)


def test_the_busiest_second_has_its_share() -> None:
    (times,) = arrival_times("opening", [20_000], RandomStream(3, "arrivals"))
    assert (times < 1_000).mean() == pytest.approx(808 / 819, abs=0.01)
    (times,) = arrival_times("viral", [20_000], RandomStream(3, "arrivals"))
    assert ((times >= 6_000) & (times < 7_000)).mean() == pytest.approx(25 / 36, abs=0.02)


@pytest.mark.parametrize("name", ["swaps", "mixed"])
def test_scenarios_follow_their_burst(build: Build, name: str) -> None:
    scenario = build(name, 60, {"burst": "plateau"}, blocks=3)
    assert [len(block) for block in scenario.blocks] == block_sizes("plateau", 60, 3)
    assert [len(times) for times in scenario.arrivals] == [len(block) for block in scenario.blocks]
    assert scenario.blocks[2].environment.timestamp - scenario.blocks[0].environment.timestamp == 24
