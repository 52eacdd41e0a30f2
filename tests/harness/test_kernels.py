from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from contend.evm.runtime.jit import Native
from contend.evm.runtime.kernel_cache import KernelFolders, kernels_digest
from contend.harness import kernels
from contend.strategies import registry
from contend.strategies.serial import Serial


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kernels, "_folders", lambda: KernelFolders(tmp_path))
    return tmp_path


def test_a_strategy_is_cold_until_someone_has_had_a_turn() -> None:
    assert kernels.is_cold("serial")
    with kernels.compile_lock("serial"):
        assert kernels.is_cold("serial")
    assert not kernels.is_cold("serial")
    assert kernels.is_cold("block_stm")


def test_a_turn_that_failed_leaves_it_cold() -> None:
    with pytest.raises(ValueError, match="planted"), kernels.compile_lock("serial"):
        raise ValueError("planted")
    assert kernels.is_cold("serial")


def test_turns_at_one_strategy_do_not_overlap() -> None:
    inside: list[str] = []
    first_in, first_may_leave = threading.Event(), threading.Event()

    def first() -> None:
        with kernels.compile_lock("serial"):
            inside.append("first in")
            first_in.set()
            first_may_leave.wait(10)
            inside.append("first out")

    def second() -> None:
        with kernels.compile_lock("serial"):
            inside.append("second in")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert first_in.wait(10)
    threads[1].start()
    threads[1].join(0.3)
    assert inside == ["first in"]
    first_may_leave.set()
    for thread in threads:
        thread.join(10)
    assert inside == ["first in", "first out", "second in"]


def test_on_a_warm_cache_nobody_waits(cache: Path) -> None:
    with kernels.compile_lock("serial"):
        # A turn before this one, in another process, say.
        (cache / kernels._marker("serial")).touch()
        with kernels.compile_lock("serial"):
            assert not kernels.is_cold("serial")


def test_functions_called_by_address_are_compiled_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watched(Native):
        asked = False

        @property
        def address(self) -> int:
            self.asked = True
            return 0

    def function() -> None: ...

    inside, outside = Watched(function, "void()"), Watched(function, "void()")
    for name, native in (("planted_package.kernels", inside), ("planted_elsewhere.kernels", outside)):
        module = ModuleType(name)
        module.kernel = native  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    kind = type("Planted", (), {"__module__": "planted_package.strategy"})
    kernels.compile_natives([kind])
    assert inside.asked
    assert not outside.asked


def test_a_plug_in_whose_sources_have_changed_is_cold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site = tmp_path / "site" / "planted"
    site.mkdir(parents=True)
    (site / "__init__.py").write_text(
        "from contend.strategies.serial import Serial\nclass Planted(Serial):\n    name = 'planted'\n"
    )
    (site / "part.py").write_text("SIZE = 1\n")
    monkeypatch.syspath_prepend(site.parent)
    kind = importlib.import_module("planted").Planted
    monkeypatch.setattr(registry, "get", lambda name: kind)
    assert kernels.sources_digest([Serial]) == kernels_digest()
    before = kernels.sources_digest([Serial, kind])
    assert before != kernels_digest()
    with kernels.compile_lock("planted"):
        assert kernels.is_cold("planted")
    assert not kernels.is_cold("planted")
    (site / "part.py").write_text("SIZE = 2\n")
    assert kernels.is_cold("planted")
    assert kernels.sources_digest([Serial, kind]) not in (before, kernels_digest())


def test_without_a_cache_everyone_compiles_for_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folders in (KernelFolders(tmp_path / "missing"), KernelFolders(None)):
        monkeypatch.setattr(kernels, "_folders", lambda found=folders: found)
        with kernels.compile_lock("serial"):
            pass
        assert kernels.is_cold("serial")


def test_what_an_image_brings_is_warm(monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path) -> None:
    with kernels.compile_lock("serial"):
        pass
    for written in (None, tmp_path / "own"):
        monkeypatch.setattr(kernels, "_folders", lambda found=written: KernelFolders(found, (cache,)))
        assert not kernels.is_cold("serial")
        assert kernels.is_cold("block_stm")
