"""What the tests of the EVM share."""

from __future__ import annotations

import pytest

from tests.evm.runner import Runner


@pytest.fixture(scope="session")
def runner() -> Runner:
    """One machine for all tests: a test that leaves something behind in it fails another."""
    return Runner()
