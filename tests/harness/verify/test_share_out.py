"""Work shared out over processes: results by place, what becomes of those that die, and that none is left."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contend.harness.errors import CrashError
from contend.harness.verify import share_out
from contend.harness.verify.share_out import done_here, shared_out

SQUARES = {place: place * place for place in range(9)}


def squared(task: int) -> int:
    if task < 0:
        os._exit(7)
    if task > 100:
        raise ValueError(f"too large: {task}")
    return task * task


@contextmanager
def keeping(folder: Path) -> Iterator[Callable[[int], int]]:
    """Work that leaves a file when it is closed in order."""
    yield squared
    (folder / f"{os.getpid()}").write_text("closed")


def stubborn(flag: Path) -> int:
    """Work that does not end when it is told to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    flag.with_name(f"{os.getpid()}").write_text("begun")
    time.sleep(600)
    return 0


@contextmanager
def squaring() -> Iterator[Callable[[int], int]]:
    yield squared


@contextmanager
def being_stubborn() -> Iterator[Callable[[Path], int]]:
    yield stubborn


def test_each_result_has_the_place_of_its_task_and_all_is_closed(tmp_path: Path) -> None:
    work = partial(keeping, tmp_path)
    assert dict(done_here(work, range(9))) == SQUARES
    assert len(list(tmp_path.iterdir())) == 1
    assert dict(one for one in shared_out(work, range(9), 3) if one is not None) == SQUARES
    assert len(list(tmp_path.iterdir())) == 4
    # No more processes than tasks.
    assert dict(one for one in shared_out(work, range(1), 3) if one is not None) == {0: 0}
    assert len(list(tmp_path.iterdir())) == 5
    assert not multiprocessing.active_children()


def test_who_dies_loses_one_task() -> None:
    def lost(how: str) -> int:
        assert how == "its process ended: with exit code 7"
        return -1

    tasks = (0, 1, -1, 3, -1, 5)
    found = dict(one for one in shared_out(squaring, tasks, 2, lost) if one is not None)
    assert found == {place: -1 if task < 0 else task * task for place, task in enumerate(tasks)}
    with pytest.raises(CrashError, match="task 1: its process ended: with exit code 7"):
        list(shared_out(squaring, (0, -1), 2))
    assert not multiprocessing.active_children()


def test_what_a_task_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="too large: 101") as raised:
        list(shared_out(squaring, (0, 101), 2))
    assert "in squared" in "".join(raised.value.__notes__)
    assert not multiprocessing.active_children()


def test_who_stops_waiting_leaves_no_process_and_waits_once_for_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(share_out, "_GRACE_S", 0.5)
    waits: list[float] = []
    join = share_out._join

    def counted(jobs: Sequence[Any], seconds: float) -> None:
        waits.append(seconds)
        join(jobs, seconds)

    monkeypatch.setattr(share_out, "_join", counted)
    results = shared_out(being_stubborn, [tmp_path / "flag"] * 3, 3)
    while len(list(tmp_path.iterdir())) < 3:
        assert next(results) is None
    assert len(multiprocessing.active_children()) == 3
    results.close()
    assert waits == [0.0, 0.5]
    assert not multiprocessing.active_children()
