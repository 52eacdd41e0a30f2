"""The machine code of all kernels: no reference count, no floating-point arithmetic.

numba keeps what it compiled as object files in the cache folder of these sources. That is where this looks, so that
nothing is compiled twice, and everything that any test before it has used is covered.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
from numba import njit

from contend.evm.runtime.jit import Native
from contend.evm.runtime.kernel_cache import cache_root, kernel_folders

ROOT = Path(__file__).resolve().parent.parent
OBJECT = re.compile(rb"\x7fELF|\xcf\xfa\xed\xfe")
RUNTIME = b"NRT_"
MNEMONIC = re.compile(r"^\s*[0-9a-f]+:\s+(\S+)", re.MULTILINE)
# Arithmetic and conversions only: compilers move integers through the same registers. x86-64, then AArch64.
FLOAT = re.compile(
    r"\sv?(?:(?:add|sub|mul|div|sqrt|max|min|u?comi|cmp\w*|fn?m(?:add|sub)\d+)(?:ss|sd|ps|pd)|cvt\w+)\s"
    r"|\s(?:f(?:n?m?add|n?m?sub|n?mul|div|sqrt|max|min|cmpe?|cvt\w+)|[su]cvtf)\s"
)


def compiled_kernels() -> list[Path]:
    """Compile every function that is reached by address; the files of all that is in the cache."""
    for room in ("evm", "strategies", "node"):
        for source in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(source.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for value in vars(import_module(f"contend.{module}")).values():
                if isinstance(value, Native):
                    assert value.address
    return sorted(file for folder in kernel_folders() for file in folder.rglob("*.nbc"))


@pytest.fixture(scope="module")
def kernels() -> list[Path]:
    files = compiled_kernels()
    assert any("interpreter.resume" in file.name for file in files), f"no kernels are kept in {cache_root()}"
    return files


def test_no_kernel_counts_references(kernels: list[Path]) -> None:
    assert [file.name for file in kernels if RUNTIME in file.read_bytes()] == []


def test_no_kernel_computes_in_floating_point(kernels: list[Path], tmp_path: Path) -> None:
    disassembler = shutil.which("objdump") or shutil.which("llvm-objdump")
    if disassembler is None:
        pytest.skip("there is no objdump on this machine")
    found = {}
    for file in kernels:
        content = file.read_bytes()
        for number, start in enumerate(OBJECT.finditer(content)):
            part = tmp_path / f"{number}.o"
            part.write_bytes(content[start.start() :])
            command = [disassembler, "-d", "--no-show-raw-insn", str(part)]
            text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert "ret" in text, f"{file.name} was not disassembled"
            # Of each line the mnemonic alone: `jmp fadd` is a jump to an address.
            mnemonics = "".join(f" {name} \n" for name in MNEMONIC.findall(text))
            assert mnemonics, f"{file.name} was not disassembled"
            if hits := FLOAT.findall(mnemonics):
                found[file.name] = hits[:3]
    assert found == {}


def test_a_float_and_a_reference_count_would_be_seen() -> None:
    halve = njit("float64(int64)")(lambda a: a / 2)
    double = njit("int64(int64)")(lambda a: a * 2)
    keep = njit("int64(int64)")(lambda a: len([a, a]))
    (halved,), (doubled,), (kept,) = (one.inspect_asm().values() for one in (halve, double, keep))
    assert FLOAT.search(halved)
    assert RUNTIME.decode() in kept
    body = doubled[: doubled.index("wrapper")] if "wrapper" in doubled else doubled
    assert RUNTIME.decode() not in body
