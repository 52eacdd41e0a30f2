"""Data that tests run on: what lies in the repository, and what is too large for it.

The sample of official vectors (`tests/vectors`) is part of the repository. Mainnet blocks and compute-bound programs
are not: they are looked for in ``$CONTEND_DATA_DIR``, else in ``shared/data`` beside the checkout. A test whose data
are absent skips and says which. Continuous integration, which sets ``CI``, must not pass because nothing was tested:
there a sample that is absent fails, and so does a ``$CONTEND_DATA_DIR`` that names nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "vectors"
VARIABLE = "CONTEND_DATA_DIR"


def data_folder() -> Path:
    """Folder of the data that are no part of the repository, whether it exists or not."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen) if chosen else ROOT.parent / "shared" / "data"


def shared(part: str) -> Path:
    """A part of the data that are no part of the repository; the test skips where it is absent.

    Parameters
    ----------
    part : str
        Path below the folder, such as ``mainnet``.

    Returns
    -------
    Path
        Of something that exists.
    """
    path = data_folder() / part
    if not path.exists():
        where = f"../shared/data beside the checkout, or ${VARIABLE}"
        absent(f"{part} of the shared data is not here: {where}", must_be_there=bool(os.environ.get(VARIABLE)))
    return path


def sample(name: str) -> Path:
    """A file of the sample in the repository; the test skips where it is absent, and fails under CI."""
    path = SAMPLE / name
    if not path.is_file():
        absent(f"tests/vectors/{name} is not here, though it is part of the repository", must_be_there=True)
    return path


def absent(reason: str, must_be_there: bool) -> NoReturn:
    """End a test whose data are absent: it fails under CI if they must be there, and skips otherwise."""
    if must_be_there and os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
