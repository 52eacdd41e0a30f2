"""Progress of loops: nothing but the loop where nobody looks, and what is compiled where somebody does."""

from __future__ import annotations

import threading

import pytest
from numba.core import event

from contend.harness.present.progress.compile_notice import CompileNotice, compilations_told
from contend.harness.present.progress.tracked_loop import track


@pytest.mark.parametrize("quiet", [True, False])
def test_a_loop_is_a_loop(quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([1, 2, 3], "numbers", quiet)) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_a_compilation_that_lasts_is_told() -> None:
    said, heard = list[str](), threading.Event()

    def say(text: str) -> None:
        said.append(text)
        heard.set()

    notice = CompileNotice(say, after=0.0)
    notice("crypto.pairing", True, 0.0)
    assert heard.wait(60)
    notice("crypto.pairing", False, 2.0)
    assert said == ["compiling crypto.pairing, which is done once"]


def test_one_that_does_not_last_is_not() -> None:
    said = list[str]()
    notice = CompileNotice(said.append, after=3600)
    notice("a", True, 0.0)
    notice("a", False, 0.001)
    notice("b", True, 0.0)
    waiting = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    notice("b", False, 0.001)
    for thread in waiting:
        thread.join(60)
        assert not thread.is_alive()
    assert said == []


@pytest.mark.parametrize(
    ("terminal", "told"),
    [
        ("1", ["compiling curve, which is done once", "compiling bloom, which is done once"]),
        ("", ["compiling kernels, which is done once and may take minutes"]),
    ],
)
def test_a_log_hears_once_what_a_terminal_hears_by_name(
    terminal: str, told: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", terminal)
    said = list[str]()
    with compilations_told(quiet=False, after=0.0):
        for name in ("curve", "bloom"):
            with event.trigger_event("contend:native", data={"name": name}):
                for timer in [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]:
                    timer.join(60)
            said += capfd.readouterr().err.splitlines()
    assert said == told


def test_who_wants_quiet_hears_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with compilations_told(quiet=True, after=0.0), event.trigger_event("contend:native", data={"name": "curve"}):
        assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert capfd.readouterr().err == ""


def test_who_looks_at_a_terminal_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert list(track([1], "numbers", quiet=False)) == [1]
    assert "numbers" in capsys.readouterr().err
