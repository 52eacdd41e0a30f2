"""Skeletons of plug-ins: packages of their own that work and are tested from the start (``contend new``).

Their files lie in ``templates/``, named as they will be but for the ending ``.in``. In names, ``package`` stands for
that of the package; in texts, ``$name`` and the like stand for what was asked for (`string.Template`).
"""

from __future__ import annotations

import keyword
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from string import Template

from contend.harness.errors import BadInputError
from contend.harness.plan.request import ALL, DEFAULT

TEMPLATES = Path(__file__).with_name("templates")
STRATEGY_KINDS = ("plan", "step")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ENDING = ".in"
_MOST_LETTERS = 40


@dataclass(frozen=True)
class Skeleton:
    """What a new package is about.

    Attributes
    ----------
    kind : str
        ``strategy`` or ``workload``.
    name : str
        Under which Contend will know it.
    template : str
        Folder of `TEMPLATES`.
    """

    kind: str
    name: str
    template: str

    @property
    def package(self) -> str:
        """Name of the package that is imported."""
        return f"contend_{self.name}"

    @property
    def distribution(self) -> str:
        """Name of what is installed, and of its folder."""
        return self.package.replace("_", "-")

    @property
    def class_name(self) -> str:
        """Name of the class."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    def files(self) -> Iterator[tuple[Path, str]]:
        """Relative path and text of every file."""
        words = {
            "kind": self.kind,
            "group": "strategies" if self.kind == "strategy" else "workloads",
            "name": self.name,
            "package": self.package,
            "distribution": self.distribution,
            "class_name": self.class_name,
        }
        for folder in (TEMPLATES / "common", TEMPLATES / self.template):
            for source in sorted(folder.rglob(f"*{_ENDING}")):
                parts = [self.package if part == "package" else part for part in source.relative_to(folder).parts]
                last = parts[-1].removesuffix(_ENDING)
                # Git would heed a template that is named so itself.
                parts[-1] = ".gitignore" if last == "gitignore" else last
                yield Path(*parts), Template(source.read_text()).substitute(words)


def strategy(name: str, kind: str) -> Skeleton:
    """The skeleton of a strategy of one of `STRATEGY_KINDS`.

    Raises
    ------
    BadInputError
        If the name cannot be used.
    """
    from contend.strategies import registry

    return _checked(Skeleton("strategy", name, kind), {*registry.names(), ALL, DEFAULT})


def workload(name: str) -> Skeleton:
    """The skeleton of a workload.

    Raises
    ------
    BadInputError
        If the name cannot be used.
    """
    from contend.harness.verify.schedule_fuzzer.cases import MADE
    from contend.workloads import registry

    return _checked(
        Skeleton("workload", name, "workload"), {*registry.names(), *registry.ON_REQUEST, *MADE, ALL, DEFAULT}
    )


def _checked(skeleton: Skeleton, taken: set[str]) -> Skeleton:
    name, what = skeleton.name, skeleton.kind
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _MOST_LETTERS:
        words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
        better = "_".join(words).lstrip("0123456789_")[:_MOST_LETTERS].rstrip("_")
        usable = _NAME.fullmatch(better) and not keyword.iskeyword(better) and better not in taken
        hint = f"; {better!r} would do" if usable else ""
        raise BadInputError(
            f"{what} name {name!r}: give lower-case letters, digits and single underscores, a letter first, at most "
            f"{_MOST_LETTERS}, and no word of Python{hint}"
        )
    if name in taken:
        raise BadInputError(f"{what} name {name!r}: is taken; `contend list` shows all names")
    if find_spec(skeleton.package) is not None:
        raise BadInputError(f"{what} name {name!r}: a package {skeleton.package} is installed already; choose another")
    return skeleton


def write(skeleton: Skeleton, folder: Path) -> list[Path]:
    """Write a package, whole or not at all.

    Parameters
    ----------
    skeleton : Skeleton
    folder : Path
        Must not exist; the folder that it lies in must.

    Returns
    -------
    list of Path
        The files, relative to `folder`.

    Raises
    ------
    BadInputError
        If the folder exists already or cannot be made.
    """
    place = folder.absolute()
    if os.path.lexists(place):
        raise BadInputError(f"{folder}: exists already, and nothing is overwritten; choose another with --output")
    if not place.parent.is_dir():
        raise BadInputError(f"{folder}: the folder {folder.parent} does not exist; make it first, or choose another")
    written = []
    try:
        with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as room:
            new = Path(room) / place.name
            new.mkdir()
            for path, text in skeleton.files():
                (new / path).parent.mkdir(parents=True, exist_ok=True)
                (new / path).write_text(text)
                written.append(path)
            new.rename(place)
    except OSError as error:
        raise BadInputError(
            f"{folder}: cannot be written ({error.strerror or error}); choose another with --output"
        ) from error
    return written
