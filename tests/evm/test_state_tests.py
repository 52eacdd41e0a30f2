"""Official state tests of ethereum/tests at Cancun, and a collection of compute-bound programs: state root and logs.

This also tests `harness.statetest`, which runs them: the test and the command are one.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from evm.forks import FORKS
from harness.statetest import Vector, VectorRunner, read_vectors, vectors_of
from tests.evm.conftest import data_folder
from workloads.fields import read

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
    london = replace(FORKS["Cancun"], name="London")
    count = 0
    for file in files:
        for vector in vectors_of(read(file), file.stem, london):
            as_cancun = replace(vector, environment=replace(vector.environment, fork="Cancun"))
            assert vector_runner.judge(as_cancun) is None, vector.name
            count += 1
    assert count >= len(files)
