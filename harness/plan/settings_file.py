"""Settings file: defaults of a project, in a table of TOML.

It is the nearest one upward from where a command is called, as for other tools of a Python project: in each folder
``contend.toml``, whose keys stand at the top, and then the table ``[tool.contend]`` of ``pyproject.toml``; a
``pyproject.toml`` without that table is passed over. Keys are options without their dashes, ``block-size``, and
``block_size`` is the same. A text is read as the command line reads it; numbers, lists and tables may be written as
such. Files that a settings file names are looked for from its own folder.

.. code:: toml

    [tool.contend]
    strategy = ["serial", "my_strategy"]
    workers = [1, 2, 8]
    block-size = 2_000
    set = { pools = 10, "swaps.accounts" = 3_000 }
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import PATH, PATHS
from contend.harness.plan.options import Option
from contend.harness.plan.setting import FROM_FILE, Setting, checked
from contend.outside_files import reason, text_of, toml_of

_LOG = logging.getLogger(__name__)
OWN_FILE, PROJECT_FILE = "contend.toml", "pyproject.toml"
_TABLE = "[tool.contend]"


def read_nearest(folder: Path, known: Mapping[str, Option[Any, Any]]) -> list[Setting]:
    """Settings of the nearest file upward from a folder; none where there is no file.

    Parameters
    ----------
    folder : Path
        Absolute.
    known : mapping
        All options by name of their field.

    Raises
    ------
    BadInputError
        If the file cannot be read, has a key that is no option, or a value that is refused, by file and key.
    """
    for one in (folder, *folder.parents):
        own, project = one / OWN_FILE, one / PROJECT_FILE
        if _is_file(own):
            return _settings(own, _shown(own, folder), _content(own), folder, known)
        table = _content(project).get("tool") if _is_file(project) else None
        if isinstance(table, dict) and "contend" in table:
            return _settings(project, f"{_shown(project, folder)} {_TABLE}", table["contend"], folder, known)
    _LOG.info("no %s or %s with a table %s, from %s upward", OWN_FILE, PROJECT_FILE, _TABLE, folder)
    return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A folder above that this user may not look into holds nothing for him.
        return False


def _shown(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder)


def _content(path: Path) -> dict[str, Any]:
    try:
        return toml_of(text_of(path))
    except OSError as error:
        raise BadInputError(f"{path}: {reason(error)}; --isolated ignores it") from error
    except ValueError as error:
        raise BadInputError(f"{path}: not TOML: {reason(error)}; --isolated ignores it") from error


def _settings(
    path: Path, source: str, table: Any, folder: Path, known: Mapping[str, Option[Any, Any]]
) -> list[Setting]:
    from contend.workloads.suggest import nearest

    if not isinstance(table, dict):
        raise BadInputError(f"{source}: is no table of keys and values")
    _LOG.info("settings file %s, %d keys", path, len(table))
    by_key = {option.key: option for option in known.values()}
    settings = []
    for written, value in table.items():
        key = written.replace("_", "-")
        if key not in by_key:
            # The name in Python is the likeliest mistake.
            hint = f" (did you mean {known[written].key!r}?)" if written in known else nearest(key, by_key)
            raise BadInputError(f"{source}: unknown key {written!r}{hint}; known are {', '.join(sorted(by_key))}")
        option = by_key[key]
        given = checked(option, key, source, partial(option.type.from_toml, key, value))
        settings.append(Setting(option, _anchored(option, given, path.parent, folder), source, FROM_FILE))
    return settings


def _anchored(option: Option[Any, Any], given: Any, base: Path, folder: Path) -> Any:
    """The value with the files that it names, which are looked for beside the settings file, as seen from `folder`."""
    if base == folder:
        return given
    if isinstance(given, str):
        is_path = option.type in (PATH, PATHS) or given.endswith(".toml")
        return os.path.relpath(base / given, folder) if is_path and not os.path.isabs(given) else given
    if isinstance(given, list | tuple) and all(isinstance(one, str) for one in given):
        return type(given)(_anchored(option, one, base, folder) for one in given)
    return given
