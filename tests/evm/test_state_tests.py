"""Official state tests of ethereum/tests at Cancun, and a collection of compute-bound programs: state root and logs.

This also tests `harness.statetest`, which runs them: the test and the command are one.
"""

from __future__ import annotations

import pytest

from evm.forks import FORKS
from harness.statetest import Vector, VectorRunner, read_vectors
from tests.evm.conftest import data_folder

ARCHIVE = data_folder() / "statetests" / "statetests_sample.tar.gz"
BENCHMARKS = data_folder() / "evm_benchmarks" / "benchmarks"
ABSENT = "../shared/data beside the checkout, or $CONTEND_DATA_DIR"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vector" not in metafunc.fixturenames:
        return
    if ARCHIVE.is_file():
        vectors = list(read_vectors(ARCHIVE, FORKS["Cancun"]))
        metafunc.parametrize("vector", vectors, ids=[vector.name for vector in vectors])
    else:
        mark = pytest.mark.skip(reason=f"the official state tests are not here: {ABSENT}")
        metafunc.parametrize("vector", [pytest.param(None, marks=mark)])


@pytest.fixture(scope="module")
def vector_runner() -> VectorRunner:
    return VectorRunner()


@pytest.mark.bounds
def test_vector(vector: Vector, vector_runner: VectorRunner) -> None:
    assert vector_runner.judge(vector) is None


def test_compute_bound_programs_reach_their_state(vector_runner: VectorRunner) -> None:
    files = sorted(BENCHMARKS.rglob("*.json"))
    if not files:
        pytest.skip(f"the compute-bound programs are not here: {ABSENT}")
    # Their results are for London; none of them does what a later fork changed.
    vectors = list(read_vectors(BENCHMARKS, FORKS["Cancun"]))
    assert len(vectors) >= len(files)
    for vector in vectors:
        assert "(London)" in vector.name
        assert vector_runner.judge(vector) is None, vector.name
