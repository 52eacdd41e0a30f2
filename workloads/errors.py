"""Errors of the registry: unknown names of workloads, and plug-ins that cannot be used."""

from __future__ import annotations


class UnknownName(LookupError):  # noqa: N818  # says what the name is; all registries of the project say it so
    """Name under which no workload is registered. The message is one line with the nearest known name."""


class PluginError(RuntimeError):
    """Plug-in that cannot be used. The message is one line that names it and the cause."""
