"""What the bench finds out about a contender: what it was given, how good it was, and what it made of the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, cast

import numpy as np
import pytest

from contend.evm import Block, State
from contend.harness.analysis import contender_facts
from contend.harness.analysis.hint_quality import VIEWS, HintTally
from contend.harness.bench import serial_runs_at_once
from contend.harness.bench.bench import Bench
from contend.harness.bench.failures import RunError
from contend.harness.plan.resolve import LIMIT, CellKey, WorkloadPlan
from contend.harness.record.content.cell_facts import given_in
from contend.strategies.base import HintedSets, Outcome, Strategy
from contend.strategies.given import DRY_RUN, TRUTH, MissingKnowledgeError
from contend.strategies.registry import get

LEDGER = WorkloadPlan("ledger", {"accounts": 20})
TOLD = CellKey("telling", 2)

Open = Callable[[type[Strategy]], Bench]


@pytest.fixture
def opened(fakes: Any) -> Iterator[Open]:
    """A bench with one strategy beside serial, on transfers."""
    found: list[Bench] = []

    def make(kind: type[Strategy]) -> Bench:
        bench = Bench(lambda name: get("serial") if name == "serial" else kind, lambda name: fakes.Ledger)
        bench.prepare(LEDGER, 1, 30)
        found.append(bench)
        return bench

    yield make
    for bench in found:
        bench.close()


@pytest.fixture
def telling(fakes: Any) -> type[Strategy]:
    """Says every second entry of the truth, and of each transaction one that is wrong."""

    class Telling(fakes.Honest):  # type: ignore[misc]
        takes: ClassVar[tuple[str, ...]] = (TRUTH, DRY_RUN)
        asked: ClassVar[list[bool]] = []

        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            outcome: Outcome = super().execute(block, state, workers)
            self.asked.append(self.reports_hints)
            sets = self.knowledge.recorded
            if self.reports_hints and sets is not None:
                owners = np.repeat(np.arange(len(block)), np.diff(sets.offsets))[::2]
                keys, writes = sets.keys[sets.entries][::2], sets.writes[::2]
                keys = np.concatenate([keys, np.full((len(block), 7), 3, np.uint64)])
                owners = np.concatenate([owners, np.arange(len(block))])
                order = np.argsort(owners, kind="stable")
                offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(block)))])
                writes = np.concatenate([writes, np.zeros(len(block), np.bool_)])
                outcome.hinted = HintedSets(offsets, keys[order], writes[order])
            return outcome

    return Telling


def test_hints_are_judged_once_by_the_recorded_sets(opened: Open, telling: Any) -> None:
    bench = opened(telling)
    assert bench.facts_of(TOLD) is None
    for _ in range(3):
        bench.run(TOLD)
    assert telling.asked == [True, False, False]
    facts = bench.facts_of(TOLD)
    assert facts is not None
    assert facts.given is not None
    assert (facts.given["source"], facts.given["role"]) == ("truth", "ceiling")
    # Five entries a transfer, nonce, balances and codes: of 150 every second, and 30 wrong ones.
    assert facts.given["entries"] == 75 + 30
    assert facts.given["recall"]["all"] == 0.5
    assert facts.given["precision"]["all"] == 75 / 105
    assert facts.list_schedule
    assert facts.list_origin is None


@pytest.mark.parametrize(("templates", "said"), [([0, 0], "nothing learned"), ([0, 7], "template"), ([], "template")])
def test_where_nothing_was_learned_the_row_says_so(
    templates: list[int], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contender_facts, "_tally", lambda *_: {view: HintTally(1, 1, 1, 1) for view in VIEWS})
    hinted = HintedSets(np.zeros(2, np.int64), np.zeros((5, 7), np.uint64), np.zeros(5, np.bool_))
    counters = [{"templates": count} for count in templates] or [{}]
    outcomes: Any = [Outcome(None, cast("Any", None), {}, one, hinted=hinted) for one in counters]
    found = contender_facts.quality_of(outcomes, [cast("Any", None)] * len(outcomes), cast("Any", None))
    assert given_in({"given": {"source": "template", **found}}) == said


def test_each_workload_is_judged_by_itself(opened: Open, telling: Any) -> None:
    bench = opened(telling)
    bench.run(TOLD)
    bench.prepare(LEDGER, 2, 10)
    assert bench.facts_of(TOLD) is None
    bench.run(TOLD)
    assert telling.asked == [True, True]


def test_who_tells_no_hints_has_no_recall(opened: Open, fakes: Any) -> None:
    bench = opened(fakes.Honest)
    bench.run(TOLD)
    facts = bench.facts_of(TOLD)
    assert facts is not None
    assert facts.given == {
        "strategy": "telling",
        "source": "nothing",
        "role": "builder",
        "list_kind": None,
        "values": False,
        "bytes_per_transaction": 0.0,
    }


def test_a_refused_list_is_noted_and_the_run_counts(opened: Open, fakes: Any) -> None:
    class Refusing(fakes.Honest):  # type: ignore[misc]
        def execute(self, block: Block, state: State, workers: int) -> Outcome:
            outcome: Outcome = super().execute(block, state, workers)
            outcome.refused_list = "transaction 3: wrong value"
            return outcome

    bench = opened(Refusing)
    assert bench.run(TOLD).seconds > 0
    facts = bench.facts_of(TOLD)
    assert facts is not None
    assert facts.as_plain()["refused_list"] == "transaction 3: wrong value"


def test_what_is_missing_is_said_with_the_name_and_no_trace(opened: Open, fakes: Any) -> None:
    bench = opened(fakes.Needing)
    with pytest.raises(MissingKnowledgeError, match=r"^strategy 'telling': truth: it is nowhere$"):
        bench.run(TOLD)
    facts = bench.facts_of(TOLD)
    assert facts is not None
    assert facts.given is not None
    assert facts.given["role"] == "ceiling"


def test_serial_runs_at_once_leave_the_state_and_have_a_time(opened: Open, fakes: Any) -> None:
    bench = opened(fakes.Honest)
    for _ in range(2):
        sample = bench.run(CellKey(LIMIT, 2))
        assert sample.seconds == pytest.approx(sum(sample.phases.values()))
        assert 0 < sample.seconds < sample.wall_seconds
    assert bench.run(TOLD).seconds > 0


def test_a_serial_run_that_fails_at_once_with_others_ends_them(
    opened: Open, fakes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = opened(fakes.Honest)
    bench.run(CellKey(LIMIT, 2))
    runs = bench._at_once
    assert runs is not None

    def fail(*_: object) -> Outcome:
        raise ValueError("planted")

    monkeypatch.setattr(runs._serial[1], "execute", fail)
    with pytest.raises(RunError, match="a serial run at once with others failed"):
        bench.run(CellKey(LIMIT, 2))


def test_a_serial_run_at_once_that_differs_is_refused(opened: Open, fakes: Any) -> None:
    bench = opened(fakes.Honest)
    bench.run(CellKey(LIMIT, 2))
    runs = bench._at_once
    assert runs is not None
    runs._expected = "another"
    with pytest.raises(RunError, match="another result than one alone"):
        bench.run(CellKey(LIMIT, 2))


def test_so_many_states_as_there_is_no_memory_for_are_not_made(
    opened: Open, fakes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = opened(fakes.Honest)
    monkeypatch.setattr(serial_runs_at_once, "available_bytes", lambda files: 1 << 20)
    with pytest.raises(RunError, match=r"2 states at once take .* MiB, of 1 MiB available"):
        bench.run(CellKey(LIMIT, 2))
    monkeypatch.setattr(serial_runs_at_once, "available_bytes", lambda files: None)
    assert bench.run(CellKey(LIMIT, 2)).seconds > 0
