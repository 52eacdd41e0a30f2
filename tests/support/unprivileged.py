"""Processes to which a folder without the right to write is closed, whoever runs the tests.

Root writes everywhere by the capabilities CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH. A process whose bounding set lacks
them does not get them back when it executes a program, and is then a user like any other, with its own files.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_PR_CAPBSET_DROP = 24
_CAPABILITIES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def _drop() -> None:
    if os.geteuid() == 0:
        library = ctypes.CDLL(None, use_errno=True)
        for capability in _CAPABILITIES:
            if library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


def run_unprivileged(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run`, with its output captured as text; skips the test where rights cannot be given up."""
    try:
        return subprocess.run(command, preexec_fn=_drop, capture_output=True, text=True, check=False, **options)
    except subprocess.SubprocessError:
        pytest.skip("this root cannot give its rights up, and can write everything")


def close_to_writing(folder: Path) -> None:
    """Take the right to write from a folder and all folders below it."""
    for path in (*(one for one in folder.rglob("*") if one.is_dir() and not one.is_symlink()), folder):
        path.chmod(0o555)


def open_to_writing(folder: Path) -> None:
    """Give it back, so that it can be deleted."""
    for path in (folder, *(one for one in folder.rglob("*") if one.is_dir() and not one.is_symlink())):
        path.chmod(0o755)


def writes_everywhere(folder: Path) -> bool:
    """Whether a process without privilege can write a folder that is closed to writing, as on some file systems."""
    program = "import sys; open(sys.argv[1], 'w')"
    return run_unprivileged([sys.executable, "-c", program, str(folder / "probe")]).returncode == 0
