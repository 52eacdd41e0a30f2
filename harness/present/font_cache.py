"""Cache of matplotlib's list of fonts, where the user's home cannot be written: beside the kernels.

Otherwise every process that draws would search all fonts again, and matplotlib complain of it.
"""

from __future__ import annotations

import os
from pathlib import Path

from contend.cache_places import places

VARIABLE = "MPLCONFIGDIR"


def name_font_cache() -> None:
    """Name a folder that can be written to matplotlib, in this process and those that it starts, if it needs one."""
    if VARIABLE in os.environ:
        return
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.devnull)
    for variable, usual in (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache")):
        if not _can_be_made(Path(os.environ.get(variable) or home / usual) / "matplotlib"):
            written = places().written
            if written is not None:
                os.environ[VARIABLE] = str(written / "matplotlib")
            return


def _can_be_made(folder: Path) -> bool:
    """Whether a folder can be written, or made."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
