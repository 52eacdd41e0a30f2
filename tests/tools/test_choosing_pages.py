"""Pages about choosing: thresholds of sizes, sweeps that go on, and figures of choices as they are shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from contend.harness.analysis.learning.lessons import Lesson
from contend.strategies.adaptive.block_features import FEATURES
from contend.strategies.adaptive.decision_model import shipped_model
from tools.docs.choosing import adaptive_page, sizes_page, sweep
from tools.docs.choosing.judge import judged

SPEEDUPS = {
    ("swaps", name, 8, size): value
    for name, values in {"block_stm": (0.5, 1.2, 1.0, 1.5, 3.0), "bal": (2.0, 2.0, 2.0, 2.0, 0.9)}.items()
    for size, value in zip((1, 5, 20, 64, 200), values, strict=True)
}


def test_a_threshold_is_where_all_larger_blocks_are_clearly_faster() -> None:
    assert sizes_page.threshold(SPEEDUPS, "swaps", "block_stm", 8) == 64
    assert sizes_page.threshold(SPEEDUPS, "swaps", "bal", 8) is None
    assert sizes_page.threshold(SPEEDUPS, "swaps", "block_stm", 2) is None


def test_roles_stand_apart_and_whoever_never_gains_has_a_line(tmp_path: Path) -> None:
    text = sizes_page.page(SPEEDUPS, "abc", dict.fromkeys(sizes_page.ROLES, "images/x.svg"), (8,))
    builder, validator = text.split("## Builder")[1].split("## Validator")
    assert "| `block_stm` | 64 |" in builder
    assert "| `bal` | - |" in validator
    drawn = [sizes_page.draw(SPEEDUPS, 8, tmp_path, role, role).read_text() for role in sizes_page.ROLES]
    assert all("SIMULATED" in one for one in drawn)
    assert ["block_stm" in one for one in drawn] == [True, False]


def lesson(workload: str, transactions: int, workers: int) -> Lesson:
    features = np.full(len(FEATURES), -1, np.int64)
    features[:2], features[5:] = (workers, transactions), 50
    seconds = {"block_stm": 4e-4, "occ_window": 5e-4, "placeholder+dry_run": 6e-4, "bal": 3e-4}
    past = dict.fromkeys(seconds, (30_000, 10, 10))
    of_block = {(name, workers): value for name, value in seconds.items()}
    return Lesson(workload, f"{workload}{transactions}", workers, features, 1e-3, past, of_block)


def test_the_page_shows_what_was_judged_and_where_it_loses(tmp_path: Path) -> None:
    model = shipped_model()
    lessons = [lesson(name, size, workers) for name in "abcd" for size in (20, 300) for workers in (2, 8)]
    roles = [
        adaptive_page.Role(source, list(judged(part, lessons, source)), list(judged(part, lessons[:2], source)))
        for source, part in model.parts.items()
    ]
    text = adaptive_page.page(roles, lessons, model, "images/adaptive.svg")
    assert "always `block_stm`" in text
    assert "always `bal`" in text
    assert all(f"| `{name}` |" in text for name in FEATURES)
    assert text.count("nowhere below 0.9") + text.count("handed to `") == 2
    assert "SIMULATED" in adaptive_page.draw(roles[0], tmp_path, "adaptive").read_text()


def test_what_a_complete_record_has_is_not_measured_again(tmp_path: Path) -> None:
    wanted = list(sweep.sizes())[:2]
    (tmp_path / "records").mkdir()
    for number, request in enumerate(wanted):
        content = {"request": json.loads(json.dumps(request.as_json())), "complete": True, "environment": {}}
        (tmp_path / "records" / f"{number}.json").write_text(json.dumps(content))
    sweep.measure(tmp_path, iter(wanted), keep=True)
    found = [sweep._request_of(path, False) for path in (tmp_path / "records").iterdir()]
    assert found == [None, None]
    assert len({json.dumps(one.as_json()) for one in sweep.sweep()}) == len(list(sweep.sweep()))
