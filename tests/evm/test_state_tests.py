"""Official state tests of ethereum/tests at Cancun, and a collection of compute-bound programs: state root and logs.

What Contend does not execute yet (creation, SELFDESTRUCT, precompiles, access lists, blobs) is skipped and named,
never counted as passed.
"""

from __future__ import annotations

import pytest

from evm import errors
from tests.evm.conftest import data_folder
from tests.evm.runner import Runner, read_world
from tests.evm.trie import logs_hash, state_root
from tests.evm.vectors import Vector, from_archive, from_json

ARCHIVE = data_folder() / "statetests" / "statetests_sample.tar.gz"
BENCHMARKS = data_folder() / "evm_benchmarks" / "benchmarks"


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


def test_compute_bound_programs_reach_their_state(runner: Runner) -> None:
    # Their results are for London; none of them does what a later fork changed.
    files = sorted(BENCHMARKS.rglob("*.json"))
    if not files:
        pytest.skip("the compute-bound programs are not here: ../shared/data beside the checkout, or $CONTEND_DATA_DIR")
    for file in files:
        for vector in from_json(file.stem, file.read_text(), "London"):
            result = runner.run(vector.world, vector.transaction, vector.environment)
            assert logs_hash(result.logs) == vector.logs_hash, vector.name
            assert state_root(read_world(result.state)) == vector.state_root, f"{vector.name}: {result.error}"
