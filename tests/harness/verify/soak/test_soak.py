"""Soaks: draws that can be made again, differences that can be repeated, memory that grows or not."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from running import children_of, lives, until

from contend.harness.cli import main
from contend.harness.observer import Observer
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import plan_workloads
from contend.harness.verify.soak.draws import drawn
from contend.harness.verify.soak.memory_growth import LEAST_SAMPLES, growth
from contend.harness.verify.soak.soak import Soak

MIB = 1 << 20
SMALL = Request("ledger", ["honest"], 1, block_size=10, repeat=1)


@given(seed=st.integers(0, 1_000), number=st.integers(0, 10_000))
def test_a_draw_is_made_again_by_its_number_and_is_one_that_can_be_planned(seed: int, number: int) -> None:
    request = drawn(seed, number)
    assert request == drawn(seed, number)
    assert Request.from_json(json.loads(json.dumps(request.as_json()))) == request
    (workload,) = plan_workloads(request)
    assert workload.dials


def soak(wrong: str | None, **more: Any) -> Any:
    """A soak of small draws, of which the third is of a strategy that fails."""

    def draw(seed: int, number: int) -> Request:
        strategy = wrong if wrong is not None and number == 2 else "honest"
        return Request("ledger", [strategy], 1, block_size=10 + number, seed=seed, repeat=1)

    with Soak(7, Observer(), draw, SMALL) as running:
        return running.run(time.monotonic() + 300, **more)


def test_a_soak_without_a_difference_runs_what_it_was_asked_for(plugins: None) -> None:
    tally = soak(None, draws=4)
    assert tally.difference is None
    # Serial and one strategy each, and the canary's.
    assert (tally.draws, tally.cells, tally.refused) == (4, 2 * 4 + 2, 0)
    assert len(tally.memory) == 1


@pytest.mark.parametrize("wrong", ["wrong_word", "crashing"])
def test_the_first_difference_ends_it_and_says_how_to_repeat_it(wrong: str, plugins: None) -> None:
    difference = soak(wrong).difference
    assert (difference.number, difference.what) == (2, f"ledger, {wrong} with 1 worker")
    assert difference.command == (
        f"contend run --workload ledger --strategy {wrong} --workers 1 --block-size 12 --seed 7 --isolated --no-charts"
    )


def test_an_interrupted_soak_tells_what_was_run_and_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "contend", "soak", "--for", "1h"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        until(lambda: children_of(run.pid), "a measuring process is there")
        children = children_of(run.pid)
        run.send_signal(signal.SIGINT)
        output, errors = run.communicate(timeout=60)
    assert run.returncode == 130, errors
    assert "Traceback" not in errors
    assert output.startswith("Interrupted. 0:00:")
    assert not any(map(lives, children))


def test_memory_that_settles_does_not_grow_and_a_leak_is_found() -> None:
    noise = random.Random(3)
    settled = [(400 + min(40 * place, 800) + noise.randint(-15, 15)) * MIB for place in range(120)]
    assert growth(settled) is None
    late_step = [(400 + (300 if place > 80 else 0) + noise.randint(-15, 15)) * MIB for place in range(120)]
    assert growth(late_step) is None
    leak = [round((400 + 2 * place + noise.randint(-15, 15)) * MIB) for place in range(120)]
    found = growth(leak)
    assert found is not None
    assert found[0] < found[1]
    assert growth(leak[: LEAST_SAMPLES - 1]) is None


@pytest.mark.parametrize("wrong", [("--for", "soon"), ("--for", "0s"), ("--draws", "0"), ("--seed", "-1")])
def test_what_makes_no_soak_is_one_line(wrong: tuple[str, str]) -> None:
    done = CliRunner().invoke(main, ["soak", *wrong], standalone_mode=False)
    assert isinstance(done.exception, SystemExit)
    assert done.exception.code == 2
    assert done.stderr.count("\n") == 1
