"""Kernels of plug-ins: whatever source they are made from is edited, what runs is never what was compiled before."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from contend.evm.runtime import source_digest

ROOT = Path(__file__).resolve().parents[3]

STEP = """
import sys
from contend.evm.runtime.jit import kernel, native, on_compile
{imports}

@kernel()
def whole():
    return helper() * 10 + CONSTANT

@native("int64()")
def pointed():
    return helper() * 10 + CONSTANT
"""
HELPER = """
from contend.evm.runtime.jit import kernel
CONSTANT = {constant}

@kernel()
def helper():
    return {value}
"""
ASK = """
from ctypes import CFUNCTYPE, c_int64
import {module} as plugin
native = CFUNCTYPE(c_int64)(plugin.pointed.address)()
print(plugin.whole(), native, sum(plugin.whole.stats.cache_misses.values()))
"""


def ask(site: Path, module: str, cache: Path) -> list[int]:
    """What the plug-in computes by both kinds of kernels, in a new process; and how many kernels it had to compile."""
    path = os.pathsep.join([str(site), str(ROOT)])
    # Without bytecode: Python itself would miss an edit within the same second that keeps a file's size.
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "CONTEND_CACHE_DIR": str(cache),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(module=module)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("layout", ["one package", "modules side by side", "another plug-in"])
def test_an_edit_anywhere_is_seen(layout: str, tmp_path: Path) -> None:
    site, cache = tmp_path / "site", tmp_path / "cache"
    step, helper, imports = {
        "one package": ("mine/step.py", "mine/parts/helper.py", "from mine.parts.helper import CONSTANT, helper"),
        "modules side by side": ("step.py", "helper.py", "from helper import CONSTANT, helper"),
        "another plug-in": ("mine/step.py", "theirs/helper.py", "from theirs.helper import CONSTANT, helper"),
    }[layout]
    for package in ("mine", "mine/parts", "theirs"):
        write(site / package / "__init__.py", "")
    write(site / step, STEP.format(imports=imports))
    module = step.removesuffix(".py").replace("/", ".")
    write(site / helper, HELPER.format(constant=1, value=4))
    assert ask(site, module, cache) == [41, 41, 1]
    assert ask(site, module, cache) == [41, 41, 0], "nothing has changed, so it is loaded"
    write(site / helper, HELPER.format(constant=1, value=5))
    assert ask(site, module, cache)[:2] == [51, 51]
    write(site / helper, HELPER.format(constant=2, value=5))
    assert ask(site, module, cache)[:2] == [52, 52]
    write(site / helper, HELPER.format(constant=1, value=4))
    assert ask(site, module, cache) == [41, 41, 0], "what was compiled for these sources is still there"


def test_own_modules_have_no_digest_of_their_own() -> None:
    for module in ("evm.u256", "harness.analysis.list_schedule", "harness.verify.schedule_fuzzer.switch"):
        import_module(f"contend.{module}")
        file = ROOT / f"{module.replace('.', '/')}.py"
        assert file.is_file()
        assert source_digest.digest_of(f"contend.{module}", str(file)) == ""


@pytest.mark.parametrize(
    ("module", "file", "home"),
    [
        ("mine", "mine.py", "mine.py"),
        ("mine", "mine/__init__.py", "mine"),
        ("mine.parts.helper", "mine/parts/helper.py", "mine"),
        ("mine.parts", "mine/parts/__init__.py", "mine"),
        ("__main__", "scripts/run.py", "scripts/run.py"),
        # pytest may load a file under a name that says nothing about where it is.
        ("elsewhere.test_mine", "tests/test_mine.py", "tests/test_mine.py"),
    ],
)
def test_the_home_of_a_module(module: str, file: str, home: str, tmp_path: Path) -> None:
    write(tmp_path / file, "")
    assert source_digest.home_of(module, str(tmp_path / file)) == tmp_path / home


def test_a_source_that_is_not_there_is_no_error() -> None:
    assert source_digest.digest_of("__main__", "<ipython-input-1>") == source_digest.digest_of(
        "__main__", "<ipython-input-1>"
    )
