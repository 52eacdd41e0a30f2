"""Official tests of whole blocks, under every strategy: gas, receipts and state as their headers say."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from block_tests import BlockTest, block_tests_of, differences
from shared_data import SAMPLE, sample

from contend.strategies.base import Strategy
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.registry import get, names
from contend.workloads.files.fields import load

ARCHIVE = "block_tests.tar.gz"
WORKERS = 3


def read_tests() -> Iterator[BlockTest]:
    with tarfile.open(SAMPLE / ARCHIVE) as files:
        for member in files:
            stream = files.extractfile(member)
            assert stream is not None
            name = member.name.partition("/")[2].removesuffix(".json")
            yield from block_tests_of(load(member.name, stream.read()), name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "block_test" not in metafunc.fixturenames:
        return
    tests = list(read_tests()) if (SAMPLE / ARCHIVE).is_file() else []
    cases = [pytest.param(test, id=test.name) for test in tests]
    metafunc.parametrize("block_test", cases or [pytest.param(None, id="absent")])


@pytest.fixture(scope="module", params=names())
def strategy(request: pytest.FixtureRequest) -> Iterator[Strategy]:
    with get(request.param)() as made:
        made.clock = VirtualClock()
        yield made


def test_blocks_end_as_their_headers_say(block_test: BlockTest | None, strategy: Strategy) -> None:
    path = sample(ARCHIVE)
    assert block_test is not None, f"{path} holds no test"
    assert differences(block_test, strategy, WORKERS) == []


def test_a_wrong_header_is_found() -> None:
    sample(ARCHIVE)
    test = next(test for test in read_tests() if len(test.blocks[0].block) > 1)
    first = test.blocks[0]
    with get("serial")() as strategy:
        assert differences(test, strategy, 1) == []
        for change, said in (
            ({"gas_used": first.gas_used + 1}, "gas instead of"),
            ({"types": (3, *first.types[1:])}, "root of the receipts"),
            ({"state_root": bytes(32)}, "state root"),
        ):
            wrong = replace(test, blocks=(replace(first, **change), *test.blocks[1:]))
            assert said in " ".join(differences(wrong, strategy, 1))
