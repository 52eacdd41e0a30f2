"""Copies of modules with a known change: where they lie, what imports what, and what is refused."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contend.evm import state
from contend.harness.verify.schedule_fuzzer.kernel_modules import kernel_modules
from contend.harness.verify.schedule_fuzzer.module_source import SourceError
from contend.harness.verify.schedule_fuzzer.preemption_points import preemptible_variant, steps_of
from contend.harness.verify.schedule_fuzzer.replacement import Replacement, original
from contend.harness.verify.schedule_fuzzer.switch import OFF, turned_to
from contend.harness.verify.schedule_fuzzer.variant import Variant
from contend.strategies.block_stm.strategy import BlockSTM
from contend.strategies.optimistic.occ_window.strategy import OccWindow
from contend.strategies.planned.static_partition import StaticPartition

ROOT = Path(__file__).resolve().parents[3]

# A package two levels deep, in which every form of import is used once on the way from `top` to `bottom`.
TOWN = {
    "__init__.py": "",
    "top.py": """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        from town import north, south
        from town.other import SIDE
        if TYPE_CHECKING:
            from town.unused import Unused
        def ask():
            return north.ask() + south.ask() + SIDE
    """,
    "unused.py": "from town.deep import bottom\nUnused = bottom.answer\n",
    "other.py": "SIDE = 1000",
    "north.py": "from town.deep.middle import ask\n",
    "south.py": """
        import town.deep.middle as under, town.other as other
        def ask():
            return under.ask() + other.SIDE
    """,
    "deep/__init__.py": "from .middle import ask as reexported\n",
    "deep/middle.py": """
        from . import bottom
        from .bottom import answer as asked
        from ..other import SIDE
        def ask():
            return asked(1) + bottom.answer(1) + SIDE
    """,
    "deep/bottom.py": """
        from contend.evm.runtime.jit import kernel
        STEP = 1

        @kernel()
        def answer(count):
            return _more(count, STEP)

        @kernel(inline=True)
        def _more(count, step):
            return count + step
    """,
    "door.py": "from town.deep import reexported\ndef ask():\n    return reexported()\n",
    "dotted.py": "import town.deep.bottom\ndef ask():\n    return town.deep.bottom.answer(1)\n",
}
# What is put in the place of functions of the town, in a file of its own as beside a test.
REPLACEMENTS = """
    from contend.harness.verify.schedule_fuzzer.replacement import original
    from town.other import SIDE as FAR
    STEP = 7
    OWN = 8

    def answer(count: int) -> int:
        return original(count) + 1

    def _more(count, step):
        return count + step + original(0, 1)

    def far(count):
        return original(count) + FAR

    def neither(count):
        return original(count) + OWN

    def another(count):
        return original(count) + STEP

    def twice(count, times):
        return count * times

    def ask():
        return 0

    written = lambda count: 0
"""
HONEST = 2 * (2 + 2 + 1000) + 2 * 1000


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    # The package is found through a symbolic link.
    real, folder = tmp_path_factory.mktemp("real"), tmp_path_factory.mktemp("site")
    for name, text in TOWN.items():
        (real / "sources" / name).parent.mkdir(parents=True, exist_ok=True)
        (real / "sources" / name).write_text(textwrap.dedent(text))
    (folder / "fees.py").write_text("SIDE = 5\n")
    (folder / "replacements.py").write_text(textwrap.dedent(REPLACEMENTS))
    (folder / "town").symlink_to(real / "sources", target_is_directory=True)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("town", "fees", "replacements")]:
        del sys.modules[name]


def load(name: str) -> Any:
    return importlib.import_module(name)


def replace(function: str, module: str = "town.deep.bottom", name: str = "", number: int = OFF) -> Replacement:
    return Replacement(load(module), getattr(load("replacements"), function), name, number)


def test_a_function_two_packages_down_is_replaced_for_all_that_import_it(town: Path) -> None:
    top = load("town.top")
    assert top.ask() == HONEST
    variant = Variant([top], [replace("answer")])
    assert variant.copied == {"town.top", "town.north", "town.south", "town.deep.middle", "town.deep.bottom"}
    copy: Any = variant.module(top)
    assert copy.ask() == HONEST + 4
    assert top.ask() == HONEST
    package = copy.__name__.removesuffix(".town.top")
    assert variant.module("town.deep.bottom").__name__ == f"{package}.town.deep.bottom"
    # Everything else was loaded once, as itself.
    loaded = {name.removeprefix(f"{package}.") for name in sys.modules if name.startswith(f"{package}.")}
    assert loaded == {"town", "town.deep", *variant.copied}


def test_what_a_package_passes_on_is_the_copy_too(town: Path) -> None:
    door = load("town.door")
    variant = Variant([door], [replace("_more")])
    assert "town.deep" in variant.copied
    copy: Any = variant.module(door)
    assert copy.ask() == door.ask() + 2


def test_a_name_that_only_the_replacement_imports_is_imported_from_where_the_copies_have_it(town: Path) -> None:
    bottom, other = load("town.deep.bottom"), load("town.other")
    copy: Any = Variant([bottom], [replace("far", name="answer")]).module(bottom)
    assert copy.answer(1) == 1002
    variant = Variant([bottom], [replace("far", name="answer")], {other: load("fees")})
    assert variant.module(bottom).answer(1) == 7


def test_several_replacements_of_one_kernel_are_turned_on_by_their_numbers(town: Path) -> None:
    bottom = load("town.deep.bottom")
    planted = [replace("answer", number=1), replace("far", name="answer", number=2), replace("_more", number=3)]
    copy: Any = Variant([bottom], planted).module(bottom)
    found = []
    for number in range(4):
        with turned_to(number):
            found.append(copy.answer(1))
    assert found == [2, 3, 1002, 3]
    assert copy.answer(1) == 2


def test_another_module_stands_in(town: Path) -> None:
    top = load("town.top")
    variant = Variant([top], stand_ins={load("town.other"): load("fees")})
    copy: Any = variant.module(top)
    assert copy.ask() == HONEST - 4 * (1000 - 5)
    assert "town.deep.bottom" not in variant.copied
    assert top.ask() == HONEST


def test_compiled_code_of_a_copy_is_kept_for_the_next_process(town: Path) -> None:
    bottom = load("town.deep.bottom")
    copy: Any = Variant([bottom], [replace("answer")]).module(bottom)
    assert copy.answer(1) == 3
    again = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import replacements
        import contend.strategies  # compiled code is kept by the sources of all packages with kernels that are loaded
        from contend.harness.verify.schedule_fuzzer.variant import Variant
        from contend.harness.verify.schedule_fuzzer.replacement import Replacement
        from town.deep import bottom
        copy = Variant([bottom], [Replacement(bottom, replacements.answer)]).module(bottom)
        print(copy.__name__, copy.answer(1), sum(copy.answer.stats.cache_hits.values()))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(again), str(town)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == [copy.__name__, "3", "1"]


@pytest.mark.parametrize(
    ("function", "module", "name", "message"),
    [
        ("answer", "town.deep.bottom", "anwser", "town.deep.bottom defines no such function; did you mean answer?"),
        ("answer", "town.deep.bottom", "STEP", "town.deep.bottom.STEP: town.deep.bottom defines no such function"),
        ("twice", "town.deep.bottom", "answer", "answer: takes (count), and its replacement (count, times)"),
        ("neither", "town.deep.bottom", "answer", "has no name 'OWN', and replacements.py imports none"),
        ("another", "town.deep.bottom", "answer", "'STEP' is another thing there"),
        ("written", "town.deep.bottom", "answer", "a replacement is a function written with def"),
        ("ask", "town.door", "ask", "town.door.ask: town.top would not see the change"),
    ],
)
def test_a_replacement_that_does_not_fit_is_refused_in_one_line(
    town: Path, function: str, module: str, name: str, message: str
) -> None:
    with pytest.raises(SourceError) as refused:
        Variant([load("town.top")], [replace(function, module, name)])
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_cannot_be_copied_is_refused(town: Path) -> None:
    with pytest.raises(SourceError, match=r"write 'import town\.deep\.bottom as bottom'"):
        Variant([load("town.dotted")], [replace("answer")])
    with pytest.raises(SourceError, match=r"town\.other: not copied"):
        Variant([load("town.top")], [replace("answer")]).module("town.other")
    with pytest.raises(SourceError, match="sys: no Python source"):
        Variant([sys])
    with pytest.raises(TypeError, match="stands for the replaced function"):
        original(1)


def test_cut_steps_are_copied_with_all_that_they_access_atomically() -> None:
    steps = steps_of([BlockSTM, StaticPartition, OccWindow])
    linked, copied = kernel_modules(steps), preemptible_variant(steps).copied
    # Where the kernels of a step come from is known to the compiler: what its machine code is made from.
    assert {step.function.__module__ for step in steps} <= copied <= linked
    for name in linked:
        uses = {"atomics", "preemption"} & set(vars(sys.modules[name]))
        assert not uses or name in copied, name
    assert state.__name__ in copied
    assert "contend.evm.interpreter" not in linked
