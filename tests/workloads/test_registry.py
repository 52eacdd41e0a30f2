"""Workloads by name, and workloads from other packages: real ones, installed into a folder on the path."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contend.workloads import PluginError, UnknownName, Workload, get, names, registry

Install = Callable[[str, str, str], None]

GOOD = """
from contend.plugin import Workload

class Auction(Workload):
    name = "auction"
    summary = "an auction"
    dials = ()

    def build(self, dials, seed, block_size, blocks=1):
        raise NotImplementedError

    def check(self, scenario, state):
        return []
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Make a distribution with one module and one entry point importable."""
    modules: list[str] = []

    def make(module: str, source: str, entry: str) -> None:
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(source)
        information = tmp_path / f"{module}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[contend.workloads]\n{entry}\n")
        registry._plugins.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    for module in modules:
        sys.modules.pop(module, None)
    registry._plugins.cache_clear()


def test_the_built_in_workloads_come_first() -> None:
    assert names()[:4] == ["payments", "swaps", "nft", "dao"]
    for name in names()[:4]:
        assert get(name).name == name
        assert issubclass(get(name), Workload)
        assert get(name).summary


def test_an_unknown_name_brings_the_nearest_known_one() -> None:
    with pytest.raises(UnknownName, match=r"^unknown workload 'swap' \(did you mean 'swaps'\?\); known are payments,"):
        get("swap")
    with pytest.raises(LookupError, match=r"^unknown workload 'xyzzy'; known are payments, swaps, nft, dao"):
        get("xyzzy")


def test_a_plugin_is_found_by_its_entry_point(install: Install) -> None:
    install("auction_house", GOOD, "auction = auction_house:Auction")
    assert "auction" in names()
    assert get("auction").name == "auction"


def test_names_imports_no_plugin(install: Install) -> None:
    install("explosive", "raise SystemError('imported')", "boom = explosive:Boom")
    assert "boom" in names()


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("def broken(:", "SyntaxError: "),
        ("", "AttributeError: module 'faulty' has no attribute 'Faulty'"),
        ("from workloads.draft import Draft", "plug-ins import from contend.plugin and"),
        ("from contend.workloads import Draft", "plug-ins import from contend.plugin and"),
        ("import contend.workloads.draft", "plug-ins import from contend.plugin and"),
    ],
)
def test_a_plugin_that_fails_is_reported_in_one_line(install: Install, source: str, cause: str) -> None:
    install("faulty", source, "faulty = faulty:Faulty")
    with pytest.raises(PluginError) as report:
        get("faulty")
    assert str(report.value).startswith(
        "workload plug-in 'faulty' (faulty:Faulty of package faulty) cannot be imported"
    )
    assert cause in str(report.value)
    assert "\n" not in str(report.value)


@pytest.mark.parametrize("brought", ["thing = 5", "class thing: pass", "def thing(): pass"])
def test_a_plugin_that_is_no_workload_is_refused(install: Install, brought: str) -> None:
    install("other", brought, "other = other:thing")
    with pytest.raises(
        PluginError, match=r"^workload plug-in 'other' .* is not a class derived from contend.plugin.Workload$"
    ):
        get("other")


def test_a_plugin_cannot_take_a_built_in_name(install: Install) -> None:
    install("usurper", GOOD, "swaps = usurper:Auction")
    assert get("swaps").__module__ == "contend.workloads.generators.swaps"
    assert names().count("swaps") == 1


def test_naming_workloads_and_dials_does_not_import_the_compiler() -> None:
    code = (
        "import sys\nfrom contend import workloads\n"
        "dials = [workloads.resolve_dials(workloads.get(name)) for name in list(workloads.names())[:4]]\n"
        "assert all(dials)\n"
        "print(sorted({'numba', 'llvmlite', 'contend.evm.state', 'vyper'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"
