"""What a kernel is to the kernels that call it: compiled once, to no machine code of its own, and kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba.core.caching import NullCache
from numba.core.errors import TypingError
from numba.core.types import int64, uint64

from contend.evm.runtime.integers import U
from contend.evm.runtime.jit import kernel

SEVEN = 7


@kernel()
def doubled(value: Any) -> Any:
    return value + value


@kernel(inline=True)
def tripled(value: Any) -> Any:
    return doubled(value) + value


@kernel()
def whole(value: Any) -> Any:
    return tripled(value) + doubled(SEVEN) + doubled(3)


@kernel()
def for_words(value: Any) -> Any:
    return doubled(U(value))


@pytest.fixture(autouse=True, scope="module")
def compiled_here() -> None:
    """Whatever was kept of these kernels: what is loaded has no callees to look at."""
    for one in (doubled, tripled, whole, for_words):
        one._cache = one.linked._cache = NullCache()


def test_callees_have_no_machine_code_until_python_calls_them() -> None:
    assert whole(5) == 35
    assert list(whole.overloads) == [(int64,)]
    assert doubled.overloads == tripled.overloads == {}
    assert doubled(4) == 8
    assert list(doubled.overloads) == [(int64,)]


def test_named_constants_and_integers_share_one_compilation() -> None:
    assert whole(5) == 35
    assert for_words(2**63 + 1) == 2
    # Two literals, and what `tripled` hands on; words are another type.
    assert set(doubled.linked.overloads) == {(int64,), (uint64,)}


def test_the_outermost_kernel_has_its_callees_in_it() -> None:
    assert whole(5) == 35
    (text,) = whole.inspect_llvm().values()
    assert "whole" in text
    assert [line for line in text.splitlines() if " call " in line and ("doubled" in line or "tripled" in line)] == []


def test_what_does_not_type_is_told_of_by_name() -> None:
    @kernel()
    def inner(value: Any) -> Any:
        return value.missing

    @kernel()
    def outer(value: Any) -> Any:
        return inner(value)

    with pytest.raises(TypingError, match="missing"):
        outer(1)


MODULE = """
from contend.evm.runtime.source_digest import register
register(__name__, __file__.rpartition("/")[0])
from contend.evm.runtime.jit import kernel

@kernel()
def inner(value):
    return value + 1

@kernel()
def first(value):
    return inner(value) * 2

@kernel()
def second(value):
    return inner(value) * 3
"""
ASK = """
import {module}
print({module}.{name}({value}), {module}.inner.linked.stats.cache_hits, {module}.inner.linked.stats.cache_misses)
"""


def ask(folder: Path, name: str, value: str) -> str:
    module = "planted_kernels"
    code = ASK.format(module=module, name=name, value=value)
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONTEND_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "planted_kernels"
    folder.mkdir()
    (folder / "__init__.py").write_text(MODULE)
    return tmp_path


def test_another_caller_in_another_process_loads_what_is_kept(planted: Path) -> None:
    assert ask(planted, "first", "20") == "42 Counter() Counter({(int64,): 1})\n"
    # The second caller is compiled, what it calls is not.
    assert ask(planted, "second", "20") == "63 Counter({(int64,): 1}) Counter()\n"
    # Who finds the caller needs nothing of it.
    assert ask(planted, "first", "20") == "42 Counter() Counter()\n"
