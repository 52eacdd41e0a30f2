"""Official state tests of ethereum/tests at Cancun: state root and hash of the logs.

What Contend does not execute yet (creation, SELFDESTRUCT, precompiles, access lists, blobs) is skipped and named,
never counted as passed.
"""

from __future__ import annotations

import pytest

from evm import errors
from tests.evm.conftest import data_folder
from tests.evm.runner import Runner, read_world
from tests.evm.trie import logs_hash, state_root
from tests.evm.vectors import Vector, from_archive

ARCHIVE = data_folder() / "statetests" / "statetests_sample.tar.gz"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vector" not in metafunc.fixturenames:
        return
    if ARCHIVE.is_file():
        vectors = from_archive(ARCHIVE)
        metafunc.parametrize("vector", vectors, ids=[vector.name for vector in vectors])
    else:
        reason = "the official state tests are not here: ../shared/data beside the checkout, or $CONTEND_DATA_DIR"
        metafunc.parametrize("vector", [pytest.param(None, marks=pytest.mark.skip(reason=reason))])


@pytest.mark.bounds
def test_vector(vector: Vector, runner: Runner) -> None:
    if vector.outside is not None:
        pytest.skip(f"outside: {vector.outside}")
    result = runner.run(vector.world, vector.transaction, vector.environment)
    if result.status == errors.STATUS_UNSUPPORTED:
        assert result.error is not None
        assert result.error.startswith("unsupported: ")
        assert not result.changes
        pytest.skip(result.error)
    assert (result.status == errors.STATUS_INVALID) is (vector.exception is not None), result.error
    assert logs_hash(result.logs) == vector.logs_hash
    assert state_root(read_world(result.state)) == vector.state_root, f"ended with {result.error}"
