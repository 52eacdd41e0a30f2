"""One runner and one instance of each strategy for the whole session: kernels and workspaces are reused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from adversarial import CONTRACTS
from equivalence import Equivalence

from contend.strategies.base import Strategy
from contend.strategies.registry import get

COMPILED = [
    "serial",
    "block_stm",
    "block_stm+truth",
    "block_stm+block",
    "static_partition",
    "bal",
    "occ_window",
    "redo",
    "block_stm_v2",
    "aria",
    "placeholder+truth",
    "placeholder+dry_run",
    "groups+dry_run",
    "locks+truth",
    "static_partition+declared",
    "block_stm+template",
    "adaptive",
]


@pytest.fixture(scope="session")
def equivalence() -> Equivalence:
    return Equivalence(CONTRACTS)


@pytest.fixture(scope="session", params=COMPILED)
def strategy(request: pytest.FixtureRequest) -> Iterator[Strategy]:
    with get(request.param)() as made:
        yield made
