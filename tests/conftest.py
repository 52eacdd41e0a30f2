"""What the tests of all rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from evm.sources import register

ROOT = Path(__file__).resolve().parent.parent

# Kernels of tests: numba looks at the file of each.
register("tests", str(ROOT / "tests"), whole=False)

# The first example of a kernel's test pays for loading it, so no example has a deadline. Continuous integration draws
# the same examples each time: a failure there is the change's own.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the chain data and official vectors, which are no part of the project; skips where it is absent."""
    chosen = os.environ.get("CONTEND_DATA_DIR")
    folder = Path(chosen) if chosen else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("mainnet blocks and official state tests are not here: ../shared/data, or $CONTEND_DATA_DIR")
    return folder
