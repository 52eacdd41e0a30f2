"""Power study of the gate, at a scale that fits into a test; ``python -m tools.gate_power`` does the whole of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contend.harness.compare.ratio import Pair, paired
from contend.harness.compare.verdict import Rule, Verdict
from contend.harness.observer import Observer
from tools.gate_power.__main__ import EFFECT, EVERY, LEVELS, fitted, main
from tools.gate_power.noise import Noise, fit
from tools.gate_power.outcomes import BIASED, SAME, SLOWER, CellOutcome, Outcome, Outcomes, outcome_of
from tools.gate_power.page import PowerStudy
from tools.gate_power.page import page as written
from tools.gate_power.planted import DELAYED, write_plugin
from tools.gate_power.real import Scale, simulated, timed
from tools.gate_power.simulate import CLAIMS, Design, simulate

ONE = Design(cells=1, slower=1)
FEW = Design(cells=4, slower=1)


@pytest.mark.parametrize("level", LEVELS)
def test_a_version_against_itself_hardly_ever_gives_a_false_alarm(level: str) -> None:
    found = simulate([LEVELS[level]], 4 if level == "busy" else 12, FEW, Rule())
    assert found.alarms <= 0.05 * found.comparisons
    assert found.false_discoveries <= 0.05


@pytest.mark.parametrize("level", ["quiet", "shared"])
def test_a_planted_slow_down_is_found_where_noise_does_not_hide_it(level: str) -> None:
    found = simulate([LEVELS[level]], 12, ONE, Rule(), EFFECT)
    assert found.found >= 0.95 * found.planted


def test_a_planted_bias_is_no_slow_down() -> None:
    biased = simulate([LEVELS["shared"]], 8, Design(cells=2, slower=1, bias=0.10), Rule())
    assert biased.alarms == 0
    assert biased.floor > 0.08
    # Without exchanged places, a bias is a difference as good as any other.
    deceived = simulate([LEVELS["shared"]], 5, Design(cells=2, slower=1, bias=0.10, null=False), Rule())
    assert deceived.alarms == 5


def test_a_slow_down_is_found_beside_a_smaller_bias() -> None:
    found = simulate([LEVELS["quiet"]], 8, Design(cells=1, slower=1, bias=0.03), Rule(), EFFECT)
    assert (found.alarms, found.found) == (0, found.planted)


def test_a_pilot_alone_gives_false_alarms() -> None:
    # What replication is for: a spread of 4 % between processes fools a single measurement.
    spread, random = Noise(core=0.01, process=0.04), np.random.default_rng(7)
    pilots = [Rule().single(paired(spread.pairs(random, 2, 20))) for _ in range(100)]
    assert sum(verdict in CLAIMS for verdict in pilots) >= 5
    assert simulate([spread], 8, Design(cells=4, slower=1, null=False), Rule()).alarms <= 1


def test_a_simulation_does_not_depend_on_the_number_of_cores() -> None:
    assert simulate([LEVELS["quiet"]], 4, ONE, Rule()) == simulate([LEVELS["quiet"]], 4, ONE, Rule(), cores=2)


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
    # What a study kept of comparisons that ended early is too short to say anything, and hinders nothing.
    short = CellOutcome("serial x1", False, "same", "0 %", "±1 %", [[[1.0] * 3, [1.0] * 3]] * 4)
    assert fitted([short]) == []


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


def test_real_comparisons_give_no_false_alarm_and_give_the_model_its_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where a machine that runs tests is noisy, a comparison would go on measuring for minutes.
    monkeypatch.setattr("contend.harness.compare.runner.MOST_MEASUREMENTS", 3)
    plain = write_plugin(tmp_path / "a")
    # Two pairs of processes share the rounds; where a first measurement is enough, four are left to each.
    scale = Scale(block_size=300, repeat=8, workers=(1,))
    found = [timed(plain, plain, scale, Rule(), Observer()) for _ in range(2)]
    # One false alarm is possible, if hardly ever; two are not.
    assert min(comparison.exit_code for comparison in found) == 0
    for comparison in found:
        assert [cell.compared for cell in comparison.cells] == [True, True]
        assert all(cell.floor for cell in comparison.cells)
    outcomes = [outcome_of(SAME, one, DELAYED, None, 1.0) for one in found]
    assert len(fitted([cell for one in outcomes for cell in one.cells])) == 2


def test_a_strategy_that_takes_much_longer_is_found_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Twenty times as long, so that no noise of a machine that runs tests can hide it.
    monkeypatch.setattr("contend.harness.compare.runner.MOST_MEASUREMENTS", 3)
    plain, slow = write_plugin(tmp_path / "a"), write_plugin(tmp_path / "b", share=20.0)
    comparison = timed(plain, slow, Scale(block_size=300, repeat=6, workers=(1,)), Rule(), Observer())
    (cell,) = [cell for cell in comparison.cells if cell.name.strategy == DELAYED]
    assert cell.verdict is Verdict.SLOWER
    assert len(cell.ratios) >= 2
    assert comparison.exit_code == 1


def test_whatever_is_in_a_slower_place_is_not_called_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Again by so much that the machine cannot hide it. One measurement is enough to see it.
    monkeypatch.setattr("contend.harness.compare.runner.MOST_MEASUREMENTS", 1)
    plain, slow = write_plugin(tmp_path / "a"), write_plugin(tmp_path / "b", share=20.0)
    scale = Scale(block_size=300, repeat=4, workers=(1,))
    comparison = timed(plain, plain, scale, Rule(), Observer(), second=slow)
    outcome = outcome_of(BIASED, comparison, DELAYED, None, 1.0)
    (cell,) = [cell for cell in outcome.cells if cell.planted]
    assert not cell.claimed
    null = next(cell for cell in comparison.cells if cell.name.strategy == DELAYED).nulls[0]
    assert null.places.low > 2.0
    assert null.floor > 1.0


def same(verdict: str = "same") -> Outcome:
    pairs = [[[1.0, 1.1, 0.9, 1.0], [1.0, 1.0, 1.1, 0.9]]] * 2
    return Outcome(SAME, [CellOutcome("serial x1", False, verdict, "0 %", "±1 %", pairs)], "", 0.5, 1.0)


def test_the_page_is_written_from_what_was_found(tmp_path: Path) -> None:
    page, kept = tmp_path / "gate.md", tmp_path / "kept.jsonl"
    sizes = ["--real", "0", "--biased", "0", "--simulated", "1"]
    assert main([*sizes, "--output", str(page), "--kept", str(kept)]) == 0
    text = page.read_text()
    assert "python -m tools.gate_power --real 0 --biased 0 --simulated 1`" in text
    assert "| shared | 3.0 % | 1.0 % | 5.0 % by 30.0 % | 0.3 % | - | ±" in text
    assert "| shared | 3.0 % | 1.0 % | 5.0 % by 30.0 % | 0.3 % | 10 % | ±" in text
    assert "| payments | 1 |" in text
    assert "0 → 20" in text


def test_a_study_goes_on_where_it_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def measure(outcomes: Outcomes, kind: str, *others: object) -> None:
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(kind)
        outcomes.add(replace(same(), kind=kind))

    monkeypatch.setattr("tools.gate_power.__main__._measure", measure)
    page, kept = tmp_path / "gate.md", tmp_path / "kept.jsonl"
    arguments = ["--real", "2", "--biased", "1", "--simulated", "1", "--output", str(page), "--kept", str(kept)]
    assert main(arguments) == 130
    assert not page.exists()
    # A line that was being written when the machine went down is no outcome.
    with kept.open("a") as file:
        file.write('{"kind": "sa')
    first, made[:] = list(made), []
    assert main(arguments) == 0
    assert sorted([*first, *made]) == sorted([SAME, SLOWER, SAME, SLOWER, BIASED])
    assert "| nothing | 2 | 0 false alarms |" in page.read_text()
    assert main([*arguments, "--repeat", "5"]) == 2


def test_a_page_counts_what_was_claimed(tmp_path: Path) -> None:
    def cells(verdict: str) -> list[CellOutcome]:
        serial = CellOutcome("serial x1", False, "same", "0 %", "±1 %")
        return [serial, *(CellOutcome(f"planted x{workers}", True, verdict, "+9 %", "±11 %") for workers in (1, 2))]

    bias = "Bias: the same version takes +10 % in the second place of a pair of processes"
    study = PowerStudy("command", {"cpu": "c", "cores": 2, "python": "3", "numba": "0", "time": "t"}, Rule(), 0.1, ONE)
    study.outcomes = [
        same(),
        same("slower"),
        Outcome(SLOWER, cells("slower"), "", 9.0, 1.0),
        Outcome(SLOWER, cells("inconclusive"), "", 9.0, 1.0),
        Outcome(BIASED, cells("inconclusive"), bias, 9.0, 1.0),
    ]
    text = written(study)
    assert "| nothing | 2 | 1 false alarm |" in text
    assert "| a slow-down | 2, with 4 slower cells | 2 of 4 found; 0 of the 2 other cells claimed |" in text
    assert "| a bias | 1, with 2 biased cells | 0 of 2 claimed; named as a bias in 1 of 1 |" in text
    assert "Not found: planted x1 +9 %, floor ±11 %, inconclusive" in text
    assert f"> {bias}" in text
    assert "an overloaded machine" in text
