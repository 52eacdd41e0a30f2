"""What the tests of the EVM share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.evm.runner import Runner


@pytest.fixture(scope="session")
def runner() -> Runner:
    """One machine for all tests: a test that leaves something behind in it fails another."""
    return Runner()


def data_folder() -> Path:
    """Folder of the official vectors and chain data: ``$CONTEND_DATA_DIR``, or ``shared/data`` beside the checkout."""
    chosen = os.environ.get("CONTEND_DATA_DIR")
    return Path(chosen) if chosen else Path(__file__).resolve().parents[3] / "shared" / "data"
