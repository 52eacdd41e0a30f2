"""What can be wrong with the name of a workload, or with what stands behind it."""

from __future__ import annotations


class UnknownName(LookupError):  # noqa: N818  # says what the name is; all registries of the project say it so
    """No workload is registered under this name. The message is one line with the nearest known name."""


class PluginError(RuntimeError):
    """A plug-in could not be used. The message is one line that names it and the cause."""
