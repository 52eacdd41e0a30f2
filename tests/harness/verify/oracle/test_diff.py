from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from contend.evm import Log, Receipts
from contend.harness.verify.oracle.diff import receipt_differences


class Told(Receipts):
    """Receipts with logs and outputs as they are told, in place of encoded ones."""

    told: tuple[list[Log], bytes]

    def logs(self, index: int) -> list[Log]:
        return self.told[0]

    def output(self, index: int) -> bytes:
        return self.told[1]

    def differences(self, other: Receipts) -> Iterator[tuple[int, str]]:
        assert isinstance(other, Told)
        if self.told[0] != other.told[0]:
            yield 0, "logs"
        if self.told[1] != other.told[1]:
            yield 0, "output"


def receipts(logs: list[Log], output: bytes = b"") -> Told:
    empty: Any = np.zeros(1, np.uint8)
    made = Told(empty, empty, empty, empty, empty)
    object.__setattr__(made, "told", (logs, output))
    return made


ONE = Log(b"\x01" * 20, (5, 6), b"\xaa")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (receipts([]), "number of logs: serial 1, here 0"),
        (receipts([ONE._replace(address=b"\x02" * 20)]), f"address of log 0: serial 0x{'01' * 20}, here 0x{'02' * 20}"),
        (receipts([ONE._replace(topics=(5, 7))]), "topics of log 0: serial ['0x5', '0x6'], here ['0x5', '0x7']"),
        (receipts([ONE._replace(data=b"")]), "data of log 0: serial 0xaa, here 0x"),
        (receipts([ONE], b"\x01"), "output: serial 0x, here 0x01"),
    ],
)
def test_a_difference_is_told_by_its_place(found: Told, words: str) -> None:
    assert list(receipt_differences(found, receipts([ONE]))) == [f"transaction 0, {words}"]


def test_long_values_are_cut() -> None:
    (line,) = receipt_differences(receipts([ONE], b"\x01" * 1_000), receipts([ONE]))
    assert line.endswith("... (2002 characters)")
    assert len(line) < 300


def test_digests_that_differ_are_never_taken_for_equal() -> None:
    assert list(receipt_differences(receipts([ONE]), receipts([ONE]))) == [
        "receipts: their digests differ although no field does"
    ]
