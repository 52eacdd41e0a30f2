"""Official state tests at Cancun, Prague and Osaka, and a collection of compute-bound programs: state root and logs.

This also tests `harness.verify.statetest`, which runs them: the test and the command are one. The state tests are the
sample in the repository (`tests/vectors`); the programs are no part of it.
"""

from __future__ import annotations

import pytest
from shared_data import SAMPLE, sample, shared

from contend.evm.forks import FORKS
from contend.harness.verify.statetest import Vector, VectorRunner, vectors_in

ARCHIVE = "state_tests.tar.gz"
P256VERIFY = 0x100


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vector" not in metafunc.fixturenames:
        return
    path = SAMPLE / ARCHIVE
    vectors = vectors_in(path, FORKS["Cancun"]) if path.is_file() else []
    # With nothing to run there is one case, which says so.
    metafunc.parametrize("vector", vectors or [None], ids=[vector.name for vector in vectors] or ["absent"])


@pytest.fixture(scope="module")
def vector_runner() -> VectorRunner:
    return VectorRunner()


@pytest.mark.bounds
def test_vector(vector: Vector | None, vector_runner: VectorRunner) -> None:
    path = sample(ARCHIVE)
    assert vector is not None, f"{path} holds no vector"
    assert vector_runner.check(vector) is None


# Two vectors are of a draft of EIP-2537 that had nine contracts: what they call by 0x10 and 0x13 came to be another
# one, and none.
DRAFT = "ethereum-tests-stEIP2537/"


def test_prague_and_osaka(vector_runner: VectorRunner) -> None:
    path = shared("eest/statetests_prague_osaka_dev.tar.gz")
    run, wrong = 0, []
    for vector in vectors_in(path, None):
        if vector.name.startswith(DRAFT):
            continue
        run += 1
        difference = vector_runner.check(vector)
        if difference is not None:
            wrong.append(f"{vector.name}: {difference}")
    assert run > 1400
    assert wrong == []


def test_compute_bound_programs_reach_their_state(vector_runner: VectorRunner) -> None:
    folder = shared("evm_benchmarks/benchmarks")
    # Their results are for London; none of them does what a later fork changed.
    vectors = vectors_in(folder, FORKS["Cancun"], "London")
    assert len(vectors) >= len(sorted(folder.rglob("*.json"))) > 0
    for vector in vectors:
        assert "(London)" in vector.name
        assert vector_runner.check(vector) is None, vector.name
