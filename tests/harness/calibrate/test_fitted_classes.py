"""Calibration measures work of every class that strategies are charged for, so that no cost has to be typed in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from contend.harness.calibrate import calibrate as calibration
from contend.harness.calibrate import measure
from contend.harness.calibrate.measure import amounts, ratio, subjects
from contend.harness.calibrate.subject import Subject
from contend.strategies.clocks.cost_table import CLASSES, default_costs

# What no core does alone (messages), what Python does, what only programs of other forks use, and waiting itself.
NOT_FITTED = {"idle", "plan_transaction", "plan_location", "lock", "send", "receive", "code_byte", "precompile_gas"}
OWN = CLASSES[CLASSES.index("idle") :]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SIZE", 60)
    monkeypatch.setattr(measure, "LOADS", (("dao", {}), ("swaps", {})))


def of_blocks() -> list[Subject]:
    return [subject for subject in subjects() if not subject.name.startswith("program")]


@pytest.mark.usefixtures("small")
def test_every_class_of_bookkeeping_is_measured_somewhere() -> None:
    missing = {name for name in OWN if name not in NOT_FITTED}
    for subject in of_blocks():
        wanted = np.isin(CLASSES, sorted(missing))
        counts, rest = amounts(subject, wanted)
        assert rest.sum() > 0
        missing -= {CLASSES[k] for k in np.flatnonzero(counts.sum(axis=0))}
        if not missing:
            break
    assert not missing


@pytest.mark.usefixtures("small")
def test_what_is_counted_adds_up_to_the_simulated_time() -> None:
    known = np.array([default_costs().nanoseconds[name] for name in CLASSES]) / 1e9
    wanted = {"swaps serial", "swaps bal", "swaps locks, 4 in turn", "swaps placeholder+template"}
    for subject in of_blocks():
        if subject.name in wanted:
            wanted.remove(subject.name)
            own, rest = amounts(subject, np.isin(CLASSES, OWN))
            _, everything = amounts(subject, np.zeros(len(CLASSES), np.bool_))
            # Idle workers of a simulation count as well, but not here: one worker, or turns.
            assert own @ known + rest == pytest.approx(everything, rel=1e-4, abs=1e-9)
    assert not wanted


@pytest.mark.usefixtures("small")
def test_a_class_joins_a_table_and_the_others_keep_their_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(subject: Subject, reference: Subject) -> tuple[Any, float]:
        """As if everything but serial took twice as long as it took."""
        found, seconds = ratio(subject, reference, 1)
        return (found / found.sum() if subject is reference else 2 * found), seconds

    class Silent:
        def __getattr__(self, name: str) -> Any:
            return lambda *arguments: None

    monkeypatch.setattr(
        calibration, "subjects", lambda: [s for s in of_blocks() if s.name in ("dao serial", "dao bal")]
    )
    monkeypatch.setattr(calibration, "ratio", doubled)
    found = calibration.calibrate(Silent(), only=["list_item", "list_confirm"])  # type: ignore[arg-type]
    before = default_costs().nanoseconds
    changed = {name for name in CLASSES if found.costs.nanoseconds[name] != pytest.approx(before[name], abs=1e-3)}
    assert changed == {"list_item", "list_confirm"}
    with pytest.raises(ValueError, match="'list_itme' is not known"):
        calibration.calibrate(Silent(), only=["list_itme"])  # type: ignore[arg-type]


def test_a_class_that_is_fitted_again_is_from_its_last_machine() -> None:
    origin_after = calibration.origin_after
    table = origin_after("A, 2 cores", ["read", "fill"], "B, 4 cores")
    assert table == "A, 2 cores; read, fill: B, 4 cores"
    assert origin_after(table, ["fill", "wait"], "C, 1 core") == "A, 2 cores; read: B, 4 cores; fill, wait: C, 1 core"
    assert origin_after(table, ["wait"], "B, 4 cores") == "A, 2 cores; read, fill, wait: B, 4 cores"
    assert origin_after(table, ["read", "fill"], "C, 1 core") == "A, 2 cores; read, fill: C, 1 core"
