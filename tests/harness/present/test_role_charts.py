"""Charts by role: nobody stands in a chart beside who knows more, and a bound is drawn for those whom it bounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from chart_cells import cells

from contend.harness.plan.resolve import LIMIT
from contend.harness.present.charts import draw
from contend.harness.present.charts.bound_lines import (
    BOUND,
    COMMUTATIVE,
    SCHEDULE,
    WITH_VALUES,
    WITHOUT_VALUES,
    bound_lines,
)
from contend.harness.present.charts.role_parts import role_parts
from contend.harness.present.charts.speedup import speedup
from contend.harness.present.charts.style import Style, chart_style
from contend.harness.present.report.page import render
from contend.harness.record.frame import to_frame

Make = Callable[..., dict[str, Any]]
ROLES = {"block_stm": "builder", "bal": "validator", "placeholder": "validator", "placeholder+truth": "ceiling"}


@pytest.fixture
def record(make_cell: Make, make_record: Make, make_given: Make) -> dict[str, Any]:
    shares = {"all": 0.98, "writes": 0.97, "conflicting": 0.5}
    made = [make_cell("swaps", "serial", 1, 1.0, given=make_given("serial", "nothing"))]
    for name, source, ratio in (
        ("block_stm", "none", 1.2),
        ("bal", "block", 1.9),
        ("placeholder", "block", 1.5),
        ("placeholder+truth", "truth", 1.6),
    ):
        quality = {"entries": 7, "recall": shares, "precision": shares} if name == "placeholder" else {}
        for workers in (1, 2):
            given = make_given(name.partition("+")[0], source, name == "bal", **quality)
            cell = make_cell("swaps", name, workers, ratio, critical_path=60_000_000, given=given)
            made.append(cell | {"refused_list": "transaction 3: a wrong value"} if name == "bal" else cell)
    return make_record(made)


def test_each_role_has_charts_of_its_own(record: dict[str, Any], tmp_path: Path) -> None:
    drawn = draw(to_frame([record]), tmp_path, "run")
    for role, suffix in {"builder": "", "validator": "-validator", "ceiling": "-ceiling"}.items():
        path = tmp_path / f"run-speedup{suffix}.png"
        assert path in drawn
        text = path.with_suffix(".svg").read_text()
        for name, own in ROLES.items():
            assert (f">{name}<" in text) == (own == role), (role, name)
        assert ">serial<" in text
        assert f"{role}s" in text


def test_one_role_is_named_only_where_it_is_not_the_builder() -> None:
    frame = cells(2, 3)
    (plain,) = role_parts(frame)
    (builders,) = role_parts(frame.assign(role="builder"))
    (validators,) = role_parts(frame.assign(role=np.where(frame["strategy"] == "serial", "builder", "validator")))
    assert [part.named for part in (plain, builders, validators)] == [False, False, True]
    assert (plain.titled("Throughput"), validators.titled("Throughput")) == ("Throughput", "Throughput: validators")
    assert len(plain.cells) == len(builders.cells) == len(validators.cells) == len(frame)


def test_the_baseline_that_was_asked_for_is_in_each_part(record: dict[str, Any]) -> None:
    parts = {part.role: set(part.cells["strategy"]) for part in role_parts(to_frame([record]), "bal")}
    assert parts["builder"] == {"serial", "bal", "block_stm"}
    assert parts["validator"] == {"serial", "bal", "placeholder"}


def lines(frame: pandas.DataFrame) -> dict[str, list[float]]:
    return {line.name: list(line.values) for line in bound_lines(frame, "workers")}


def test_a_panel_has_the_bound_of_those_who_are_in_it() -> None:
    plain = pandas.DataFrame(
        {
            "workers": [1, 8],
            "bound_speedup": [1.0, 3.0],
            "bound_speedup_commutative": [1.0, 3.0],
            "role_bound_speedup": [1.0, 3.0],
            "list_schedule_speedup": [1.0, 2.0],
            "uses_values": [False, False],
            "limit": [None, 1.7],
        }
    )
    valued = plain.assign(uses_values=True, role_bound_speedup=[1.0, 8.0])
    assert lines(plain) == {BOUND: [1.0, 3.0], SCHEDULE: [1.0, 2.0], LIMIT: [1.7]}
    assert lines(valued) == {WITH_VALUES: [1.0, 8.0], LIMIT: [1.7]}
    both = lines(pandas.concat([plain, valued]))
    assert (both[WITHOUT_VALUES], both[WITH_VALUES]) == ([1.0, 3.0], [1.0, 8.0])
    assert BOUND not in both, "nobody shall see somebody above what is called the bound"
    # What cannot be told from the bound is not drawn over it.
    assert COMMUTATIVE in lines(plain.assign(bound_speedup_commutative=[1.0, 5.0]))
    assert SCHEDULE not in lines(plain.assign(list_schedule_speedup=[1.0, 2.97]))


def test_nobody_who_uses_values_stands_above_his_bound(record: dict[str, Any]) -> None:
    frame = to_frame([record])
    (validators,) = (part.cells for part in role_parts(frame) if part.role == "validator")
    with chart_style():
        chart = speedup(validators, Style(list(ROLES)))
        assert chart is not None
        labels = {key.label for key in chart.keys}
        assert {WITHOUT_VALUES, WITH_VALUES} <= labels
        assert BOUND not in labels


def test_the_report_tells_what_was_given_and_refused(record: dict[str, Any]) -> None:
    page, figures = render([record], "contend report x")
    names = [figure.name for figure in figures]
    assert {"speedup-wall", "speedup-wall-validator", "speedup-wall-ceiling"} <= set(names)
    for question in ("Which strategy should a builder use?", "Which strategy should a validator use?"):
        assert question in page
    assert "a ceiling use?" not in page
    assert "swaps bal with 2: transaction 3: a wrong value" in page
    assert "equal to serial; list refused" in page
    for heading in ("role", "given", "limit", "prepare ms", "bytes/tx", "recall", "precision"):
        assert f">{heading}</button>" in page
    assert "98%" in page
