"""What the tests of the workloads share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from contend.workloads import DialValue, Scenario, get, resolve_dials

Build = Callable[..., Scenario]


@pytest.fixture(scope="session")
def build() -> Build:
    """Build a scenario of a workload: ``build(name, block_size, dials, seed, blocks)``."""

    def make(
        name: str,
        block_size: int,
        dials: Mapping[str, DialValue] | None = None,
        seed: int = 1,
        blocks: int = 1,
    ) -> Scenario:
        workload = get(name)
        return workload().build(resolve_dials(workload, dials), seed, block_size, blocks)

    return make
