"""What the tests of all rooms share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from shared_data import ROOT, shared

# Before any test imports `py_ecc`, which would raise the limit of recursion for all that follow.
import contend.evm.crypto.curves  # noqa: F401
from contend.evm.runtime.source_digest import register
from contend.harness.plan.options import options
from contend.harness.plan.request import Request

# What somebody has set for runs of his own would change those of the tests, in other processes too.
for _option in options(Request).values():
    os.environ.pop(_option.variable, None)

# Kernels of tests: numba looks at the file of each.
register("tests", str(ROOT / "tests"), whole=False)

# The first example of a kernel's test pays for compiling it, while it is drawn or after: no example has a deadline, and
# none is drawn too slowly. Continuous integration draws the same examples each time, so that a failure there is the
# change's own.
PATIENT = (HealthCheck.too_slow,)
settings.register_profile("here", deadline=None, suppress_health_check=PATIENT)
settings.register_profile("ci", deadline=None, suppress_health_check=PATIENT, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


# Files whose tests take minutes. They begin first, so that no process ends with one of them while the others are idle.
# Beside the first, which compiles kernels for a minute, begins one that needs none for as long: what both then share is
# compiled once.
LONGEST = (
    "test_planted_bugs.py",
    "test_gate_power.py",
    "test_schedule_fuzzer.py",
    "test_readme.py",
    "test_tutorials.py",
    "test_equivalence.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.fixture(scope="session", autouse=True)
def own_run_marks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs of tests know nothing of those that somebody else makes on this machine, nor these of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTEND_MARKS_DIR", str(tmp_path_factory.mktemp("marks")))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def mainnet_blocks() -> Path:
    """Folder of mainnet blocks, which are no part of the project; skips where it is absent."""
    return shared("mainnet")
