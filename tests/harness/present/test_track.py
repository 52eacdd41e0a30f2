"""Progress of loops: nothing but the loop where nobody looks, and what is compiled where somebody does."""

from __future__ import annotations

import threading

import pytest

from contend.harness.present.track import CompileNotice, track


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


def test_who_looks_at_a_terminal_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert list(track([1], "numbers", quiet=False)) == [1]
    assert "numbers" in capsys.readouterr().err
