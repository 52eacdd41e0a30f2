"""Targets of a comparison, A and B: records, a checkout in a folder, or a git revision."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from contend.harness.errors import BadInputError
from contend.harness.record.environment import git_state

_HINT = "give a record, a folder of records, a git revision, or a folder with a checkout of Contend"


@dataclass(frozen=True)
class Records:
    """MeasuredCell before.

    Attributes
    ----------
    label : str
        As it was given.
    path : Path
        A file or a folder.
    """

    label: str
    path: Path


@dataclass(frozen=True)
class Checkout:
    """A folder that holds the sources of a version, measured as they are.

    Attributes
    ----------
    label : str
    root : Path
    extra : tuple of Path
        Folders with plug-ins of this side alone, searched before what is installed.
    """

    label: str
    root: Path
    extra: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Revision:
    """A commit of a repository.

    Attributes
    ----------
    label : str
    repository : Path
        Top of the work tree.
    commit : str
        40 hexadecimal digits.
    """

    label: str
    repository: Path
    commit: str


Target = Records | Checkout | Revision


def parse_targets(texts: tuple[str, ...], here: Path) -> tuple[Target, Target]:
    """Find out what is to be compared.

    Parameters
    ----------
    texts : tuple of str
        ``A B``; or one range of revisions: ``main..HEAD`` or ``main..`` for both ends, ``main...HEAD`` for HEAD and
        what it has branched off from, as git has it.
    here : Path
        Folder to which names are relative.

    Raises
    ------
    BadInputError
        If one is nothing of the kind, or they are of kinds that cannot be compared.
    """
    a, b = _two(texts, here)
    if isinstance(a, Records) != isinstance(b, Records):
        raise BadInputError(
            f"{a.label} and {b.label}: a record can only be compared with records; give two records or two revisions"
        )
    return a, b


def _two(texts: tuple[str, ...], here: Path) -> tuple[Target, Target]:
    if len(texts) == 2:
        return parse_target(texts[0], here), parse_target(texts[1], here)
    if len(texts) != 1 or ".." not in texts[0]:
        raise BadInputError("compare takes two things, A and B, or one range of revisions such as main..HEAD")
    dots = "..." if "..." in texts[0] else ".."
    left, _, right = texts[0].partition(dots)
    if not left:
        raise BadInputError(f"{texts[0]}: a range names where it begins, as in main..HEAD")
    b = parse_target(right or "HEAD", here)
    if dots == "..":
        return parse_target(left, here), b
    top = _top(here, texts[0])
    base = _git(top, "merge-base", "--", left, right or "HEAD")
    if base is None:
        raise BadInputError(f"{texts[0]}: {left} and {right or 'HEAD'} have no common ancestor here")
    return Revision(f"merge base of {left} and {right or 'HEAD'}", top, base), b


def parse_target(text: str, here: Path) -> Target:
    """Find out what one side is. What exists as a file or folder is that; everything else must be a revision.

    Raises
    ------
    BadInputError
        If it is nothing of the kind.
    """
    path = here / text
    if path.is_dir():
        if is_checkout(path):
            return Checkout(text, path.resolve())
        return Records(text, path)
    if path.exists():
        return Records(text, path)
    top = _top(here, text)
    commit = None if text.startswith("-") else _git(top, "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}")
    if commit is None:
        raise BadInputError(f"{text}: no such file or folder, and no revision of {top.name}; {_HINT}")
    return Revision(text, top, commit)


def is_checkout(path: Path) -> bool:
    """Whether a folder holds the sources of Contend."""
    return (path / "pyproject.toml").is_file() and (path / "harness" / "__init__.py").is_file()


def _top(here: Path, text: str) -> Path:
    found = _git(here, "rev-parse", "--show-toplevel")
    if found is None:
        raise BadInputError(f"{text}: no such file or folder, and {here} lies in no git repository; {_HINT}")
    return Path(found)


def _git(folder: Path, *arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        raise BadInputError("git is not installed; it is needed to compare revisions")
    done = subprocess.run([git, "-C", str(folder), *arguments], capture_output=True, text=True)
    return done.stdout.strip() or None if done.returncode == 0 else None


def describe(side: Checkout | Revision) -> dict[str, object]:
    """Show a side as a comparison keeps it, except for what only its processes know."""
    if isinstance(side, Revision):
        return {"label": side.label, "kind": "tree", "revision": side.commit, "dirty": False}
    git = git_state(side.root) or {}
    return {"label": side.label, "kind": "tree", "revision": git.get("revision"), "dirty": git.get("dirty")}
