"""Check of one generated block: here against the specification, and contenders against serial execution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, cast

from contend.harness.verify.block_fuzzer.block_case import BlockCase
from contend.harness.verify.block_fuzzer.our_side import OurSide
from contend.harness.verify.block_fuzzer.specification import Specification
from contend.harness.verify.block_fuzzer.whole_result import differences
from contend.harness.verify.whole_block.contender_check import ContenderCheck, SerialResult

Contender = tuple[str, str, int]  # name, clock, workers


class BlockChecker(AbstractContextManager["BlockChecker"]):
    """Checks blocks, keeping machines and strategies from one to the next.

    Parameters
    ----------
    contenders : sequence of (str, str, int)
        Names, clocks and workers of those that execute each block.

    Attributes
    ----------
    refused : Counter
        By our reason, how many transactions of all blocks were refused.
    failing : set of str
        Titles of the contenders that differed in the block that was checked last.
    """

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self._kept = ExitStack()
        self._checks = [self._kept.enter_context(ContenderCheck(*one)) for one in contenders]
        self._ours = OurSide()
        self._specifications: dict[str, Specification] = {}
        self.refused: Counter[str] = Counter()
        self.failing: set[str] = set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the strategies."""
        self._kept.close()

    @property
    def seen(self) -> Counter[str]:
        """What executed blocks had in them, by name."""
        return sum((one.seen for one in self._specifications.values()), Counter())

    def differences(self, case: BlockCase, titles: set[str] | None = None) -> list[str]:
        """What differs, a line each; nothing where all agree.

        Parameters
        ----------
        case : BlockCase
        titles : set of str, optional
            Of the contenders to be run; all by default.
        """
        if case.fork not in self._specifications:
            self._specifications[case.fork] = Specification(case.fork)
        there = self._specifications[case.fork].run(case)
        self.failing = set()
        try:
            here, executed = self._ours.run(case)
        # A block that cannot be executed is one difference among the others.
        except Exception as error:
            return [f"serial execution: {type(error).__name__}: {error}"]
        self.refused.update(here.refused.values())
        found = list(differences(here, there))
        if found or not case.transactions:
            return found
        # It asks of a chain and a block of one what an executed block has, too.
        serial = SerialResult(cast(Any, executed), cast(Any, executed))
        for check in self._checks:
            if titles is None or check.title in titles:
                wrong = check.difference(serial)
                if wrong is not None:
                    self.failing.add(check.title)
                    found.append(f"{check.title}: {wrong}")
        return found
