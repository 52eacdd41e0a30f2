"""Power study of the gate, at a scale that fits into a test; ``python -m tools.gate_power`` does the whole of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contend.harness.compare.ratio import Pair
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.observer import Observer
from tools.gate_power.__main__ import EFFECT, EVERY, LEVELS, fitted, main, planted_cells
from tools.gate_power.noise import Noise, fit
from tools.gate_power.planted import write_plugin
from tools.gate_power.real import Scale, simulated, timed
from tools.gate_power.simulate import Design, simulate


@pytest.mark.parametrize("level", LEVELS)
def test_a_version_against_itself_hardly_ever_gives_a_false_alarm(level: str) -> None:
    found = simulate([LEVELS[level]], 60, Design(cells=4), Rule())
    assert found.alarms <= 0.05 * found.comparisons


@pytest.mark.parametrize("level", ["quiet", "shared"])
def test_a_planted_slow_down_is_found_where_noise_does_not_hide_it(level: str) -> None:
    found = simulate([LEVELS[level]], 60, Design(cells=1), Rule(), EFFECT)
    assert found.found >= 0.95 * found.comparisons


def test_a_gate_without_replication_gives_more_false_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    # Effect of the rule: a spread of 4 % between processes fools a single measurement.
    spread = Noise(core=0.01, process=0.04)
    strict = simulate([spread], 60, Design(cells=4), Rule()).alarms
    monkeypatch.setattr("contend.harness.compare.verdict.REPLICATIONS", 1)
    assert simulate([spread], 60, Design(cells=4), Rule()).alarms > 2 * max(strict, 1)


def test_noise_is_found_again_in_samples_that_have_it() -> None:
    truth = Noise(core=0.03, process=0.02, burst_share=0.05, burst_size=1.0, drift=0.004)
    random = np.random.default_rng(5)
    pairs: list[Pair] = []
    for _ in range(40):
        pairs += truth.pairs(random, processes=1, rounds=60)
    found = fit(pairs)
    assert found.core == pytest.approx(truth.core, rel=0.2)
    assert found.process == pytest.approx(truth.process, rel=0.3)
    assert found.burst_share == pytest.approx(truth.burst_share, rel=0.3)
    assert found.burst_size == pytest.approx(truth.burst_size, rel=0.3)
    assert found.drift == pytest.approx(truth.drift, rel=0.6)


def test_a_quiet_machine_has_no_noise_that_is_not_there() -> None:
    random = np.random.default_rng(6)
    pairs = [pair for _ in range(20) for pair in Noise(core=0.01, process=0.0).pairs(random, 1, 40)]
    found = fit(pairs)
    assert found.process < 0.003
    assert found.burst_share < 0.002
    with pytest.raises(ValueError, match="fitted on 4 pairs"):
        fit(pairs[:3])


def test_one_more_abort_per_hundred_transactions_is_found_exactly(tmp_path: Path) -> None:
    plain, worse = write_plugin(tmp_path / "a"), write_plugin(tmp_path / "b", every=EVERY)
    scale = Scale(block_size=300, workers=(1, 4))
    same = simulated(plain, plain, scale, Rule(), Observer())
    assert [cell.verdict for cell in same.cells] == [Verdict.SAME, Verdict.SAME]
    assert not any(cell.counters for cell in same.cells)
    assert same.exit_code == 0
    found = simulated(plain, worse, scale, Rule(), Observer())
    assert found.exit_code == 1
    assert [cell.verdict for cell in found.cells] == [Verdict.SLOWER, Verdict.SLOWER]
    # Alone, a worker aborts nothing by itself: what is counted is what was planted, no more and no less.
    alone = next(cell for cell in found.cells if cell.name.workers == 1)
    assert alone.counters["aborts"] == (0, 300 // EVERY)
    assert alone.counters["executions"] == (300, 300 + 300 // EVERY)


def test_real_comparisons_give_no_false_alarm_and_give_the_model_its_noise(tmp_path: Path) -> None:
    plain = write_plugin(tmp_path / "a")
    scale = Scale(block_size=500, repeat=8, workers=(1,))
    found = [timed(plain, plain, scale, Rule(), Observer()) for _ in range(2)]
    # One false alarm is possible, if hardly ever; two are not.
    assert min(comparison.exit_code for comparison in found) == 0
    for comparison in found:
        assert [cell.compared for cell in comparison.cells] == [True, True]
    assert len(fitted([cell for one in found for cell in one.compared])) == 2


def test_a_strategy_that_takes_much_longer_is_found_for_real(tmp_path: Path) -> None:
    # Twenty times as long, so that no noise of a machine that runs tests can hide it.
    plain, slow = write_plugin(tmp_path / "a"), write_plugin(tmp_path / "b", share=20.0)
    comparison = timed(plain, slow, Scale(block_size=300, repeat=6, workers=(1,)), Rule(), Observer())
    (cell,) = planted_cells(comparison)
    assert cell.verdict is Verdict.SLOWER
    assert len(cell.ratios) >= 2
    assert comparison.exit_code == 1


def test_the_page_is_written_from_what_was_found(tmp_path: Path) -> None:
    page = tmp_path / "gate.md"
    assert main(["--real", "0", "--simulated", "5", "--output", str(page)]) == 0
    text = page.read_text()
    assert "python -m tools.gate_power --real 0 --simulated 5" in text
    assert "| shared | 3.0 % | 1.0 % | 5.0 % by 30.0 % | 0.3 % |" in text
    assert "| payments | 1 |" in text
    assert "0 → 20" in text
