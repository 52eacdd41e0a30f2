"""How far compilation is: it only grows, ends where all is done, and goes by the machine that compiles."""

from __future__ import annotations

import platform
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contend.evm.runtime.jit import Native
from contend.harness.present.progress import compile_progress
from contend.harness.present.progress.compile_progress import (
    CompileProgress,
    Rate,
    announcement,
    earlier_rate,
    expected,
    keep_rate,
    sizes,
)

KERNELS = {"a": 10.0, "b": 30.0, "c": 60.0}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_kernel_moves_the_bar_while_it_compiles() -> None:
    clock = Clock()
    progress = CompileProgress(KERNELS, clock=clock)
    assert progress.share() == 0
    progress.begin(0, "a")
    clock.now += 5
    progress.end(0)
    assert progress.share() == pytest.approx(0.1)
    # Ten in five seconds: this machine is twice as fast as that of the table.
    progress.begin(0, "b")
    clock.now += 5
    assert progress.share() == pytest.approx(0.2)
    assert progress.seconds_left() == pytest.approx(40)
    assert progress.text() == "20%, about 40 s left"


def test_a_kernel_that_takes_longer_than_it_should_is_not_done() -> None:
    clock = Clock()
    progress = CompileProgress(KERNELS, clock=clock)
    progress.begin(0, "c")
    clock.now += 3_600
    assert 0.5 < progress.share() < 0.6


def test_what_another_process_has_compiled_says_nothing_of_this_machine() -> None:
    clock = Clock()
    progress = CompileProgress(KERNELS, clock=clock)
    for process in (0, 1):
        progress.begin(process, "c")
        clock.now += 60 if process == 0 else 0.01
        progress.end(process)
    assert progress.share() == pytest.approx(0.6)
    assert progress.rate() == pytest.approx(Rate(1.0, 1.0), rel=0.01)


def test_what_is_loaded_is_done_and_tells_nothing_of_how_fast_this_machine_compiles() -> None:
    clock = Clock()
    progress = CompileProgress(KERNELS, clock=clock)
    progress.begin(0, "c")
    clock.now += 0.01
    progress.end(0)
    assert progress.share() == pytest.approx(0.6)
    assert progress.rate() is None
    assert progress.seconds_left() is None
    progress.begin(0, "a")
    clock.now += 5
    progress.end(0)
    # Thirty are left, at ten in five seconds.
    assert progress.seconds_left() == pytest.approx(15, rel=0.01)


def test_what_was_not_expected_is_named_and_counts_for_nothing() -> None:
    clock = Clock()
    progress = CompileProgress({}, clock=clock)
    progress.begin(3, "plugin.step")
    assert progress.lasting() == []
    clock.now += 1
    assert progress.lasting() == ["plugin.step"]
    assert progress.text() == ""
    progress.end(3)
    assert progress.lasting() == []
    assert progress.rate() is None


STEPS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([*KERNELS, "other"]), st.floats(0, 50)), max_size=30)


@given(STEPS)
def test_the_bar_never_goes_back_and_each_kernel_that_is_done_counts_in_full(
    steps: list[tuple[int, str, float]],
) -> None:
    clock, done, before = Clock(), set(), 0.0
    progress = CompileProgress(KERNELS, Rate(1.0, 1.5), clock)
    for process, kernel, seconds in steps:
        progress.begin(process, kernel)
        clock.now += seconds
        assert before <= progress.share() <= 1
        progress.end(process)
        done.add(kernel)
        before = progress.share()
        assert before >= sum(KERNELS.get(name, 0.0) for name in done) / 100 - 1e-9
        assert before < 1 or done >= set(KERNELS)
        left = progress.seconds_left()
        assert left is None or left >= 0


def test_the_first_time_nothing_is_promised_and_the_next_time_the_last_one_is_gone_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTEND_CACHE_DIR", str(tmp_path))
    assert earlier_rate() is None
    first = announcement(["serial", "sharded"], CompileProgress(KERNELS, earlier_rate()))
    assert "serial, sharded" in first
    assert " s here" not in first
    keep_rate(Rate(1.0, 2.0))
    assert earlier_rate() == Rate(1.0, 2.0)
    assert "about 50 s here" in announcement(["serial"], CompileProgress(KERNELS, earlier_rate()))


@pytest.mark.parametrize("content", ["", "[]", '{"elsewhere": [1, 2]}', '{"NODE": 3}', '{"NODE": ["x", 2]}'])
def test_a_rate_that_cannot_be_read_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setenv("CONTEND_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(platform, "node", lambda: "NODE")
    (tmp_path / compile_progress.RATE_FILE).write_text(content)
    assert earlier_rate() is None


def test_the_table_knows_the_kernels_that_there_are() -> None:
    # After a kernel was renamed or moved: `python -m tools.kernel_sizes`.
    unknown = []
    for by_strategy in sizes().values():
        for kernels in by_strategy.values():
            for name in kernels:
                module, _, kernel = name.rpartition(".")
                found = None
                for room in ("contend.evm", "contend.strategies", "contend.harness"):
                    try:
                        found = getattr(import_module(f"{room}.{module}"), kernel, None)
                    except ModuleNotFoundError:
                        continue
                    break
                if found is None:
                    unknown.append(name)
    assert unknown == []


def test_the_table_has_all_that_is_called_by_address_and_takes_long() -> None:
    for clock in ("wall", "virtual"):
        known = {name for kernels in sizes()[clock].values() for name in kernels}
        assert {"interpreter.resume", "block_stm.worker.step", "planned.engine.planned_step"} <= known
    resume = import_module("contend.evm.interpreter").resume
    assert isinstance(resume, Native)


def test_what_is_warm_is_not_expected() -> None:
    assert expected([], simulated=False) == {}
    everything, of_serial = (expected(cold, simulated=False) for cold in (sizes()["wall"], ["serial"]))
    assert 0 < len(of_serial) < len(everything)
    assert expected(["a plug-in"], simulated=True) == {}
