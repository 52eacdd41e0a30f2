"""Refusals of contract files: their errors, and how a value from outside is shown in a message of one line."""

from __future__ import annotations

from typing import Any

from contend.workloads.errors import PluginError

MOST_SHOWN = 60


class ContractFileError(PluginError):
    """Contract file that cannot be used. The message is one line that names the file and the section."""


class ValueSpecError(ValueError):
    """Value that is neither a constant nor a distribution, or that its type cannot hold. The message is one line."""


class ArtifactError(ValueError):
    """Artifact that cannot be used. The message is one line."""


def shown(value: Any) -> str:
    """Value as a message shows it: on one line, of at most `MOST_SHOWN` characters, whatever it is."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 512:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = repr(value[: MOST_SHOWN + 1] if isinstance(value, str) else value)
    except (RecursionError, ValueError):  # nested too deeply, or an integer within it that has too many digits
        return f"a {type(value).__name__} that is too deep or too large to be shown"
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


def plain(name: str) -> str:
    """Name as a message shows it: as it is, if it is short and printable."""
    return name if name.isprintable() and len(name) <= MOST_SHOWN else shown(name)
