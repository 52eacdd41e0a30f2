"""Summary: the answers of a report, in the order in which they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contend.harness.present.report.answer import Answer
from contend.harness.present.report.answer_safety import safety
from contend.harness.present.report.answer_slower import slower
from contend.harness.present.report.answer_stages import stages
from contend.harness.present.report.answer_where import where
from contend.harness.present.report.answer_which import which
from contend.harness.present.report.history import Series
from contend.harness.present.report.selection import Selection


def answers(
    selected: Sequence[Selection], records: Sequence[Mapping[str, Any]], histories: Sequence[Series]
) -> Iterator[Answer]:
    """Answer all questions; those of two clocks in a card each."""
    yield from which(selected)
    yield from where(selected)
    yield from stages(selected)
    yield from safety(selected)
    yield from slower(records, histories)
