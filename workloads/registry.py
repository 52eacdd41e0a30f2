"""Registry of workloads by name: built-in ones, and plug-ins of other packages.

A package registers a workload by an entry point in the group ``contend.workloads`` whose object is a `Workload` class.
The entry point's name is the workload's. The name of a built-in workload always means the built-in one.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from contend.inner_names import import_failure
from contend.workloads.base import Workload
from contend.workloads.errors import PluginError, UnknownName
from contend.workloads.suggest import nearest

GROUP = "contend.workloads"
# Known without the package's metadata, so that a plain checkout works; imported on first use.
BUILT_IN = {
    "payments": "contend.workloads.generators.payments:Payments",
    "swaps": "contend.workloads.generators.swaps:Swaps",
    "nft": "contend.workloads.generators.nft:Nft",
    "dao": "contend.workloads.generators.dao:Dao",
    "lending": "contend.workloads.generators.lending:Lending",
    "orders": "contend.workloads.generators.orders:Orders",
    "stablecoin": "contend.workloads.generators.stablecoin:Stablecoin",
    "game": "contend.workloads.generators.game:Game",
    "grants": "contend.workloads.generators.grants:Grants",
    "supply": "contend.workloads.generators.supply:Supply",
    "metering": "contend.workloads.generators.metering:Metering",
    "mixed": "contend.workloads.generators.mixed:Mixed",
    "adversarial": "contend.workloads.generators.adversarial:Adversarial",
}
# Workloads that need an input; they run when they are named, and are not part of "all".
ON_REQUEST = {"replay": "contend.workloads.files.replay:Replay"}

# Workloads of a run that names none: a whole table in minutes, not in half an hour.
DEFAULT = ("payments", "swaps", "nft", "dao")


def names() -> list[str]:
    """Names of all workloads: the built-in ones, then plug-ins in alphabetical order. Imports none of them."""
    return [*BUILT_IN, *sorted(_plugins())]


def get(name: str) -> type[Workload]:
    """Class of a workload by its name.

    Parameters
    ----------
    name : str
        Of a built-in workload or a plug-in; or the path of a TOML file (`workloads.contract_file`), which ends in
        ``.toml``.

    Raises
    ------
    UnknownName
        If there is none of this name.
    PluginError
        If its plug-in cannot be imported, or is no workload; or if the file cannot be used.
    """
    if name.endswith(".toml"):
        from contend.workloads.contract_file import load

        return load(name)
    own = BUILT_IN | ON_REQUEST
    if name in own:
        module, _, attribute = own[name].partition(":")
        found: type[Workload] = getattr(import_module(module), attribute)
        return found
    plugins = _plugins()
    if name not in plugins:
        known = [*names(), *ON_REQUEST]
        raise UnknownName(f"unknown workload {name!r}{nearest(name, known)}; known are {', '.join(known)}")
    return _loaded(plugins[name])


@lru_cache(maxsize=1)
def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN | ON_REQUEST}


def _loaded(point: EntryPoint) -> type[Workload]:
    origin = f" of package {point.dist.name}" if point.dist is not None else ""
    what = f"workload plug-in {point.name!r} ({point.value}{origin})"
    try:
        found = point.load()
    except Exception as error:  # A plug-in can fail in any way at all; every way is reported as one line.
        raise PluginError(f"{what} cannot be imported: {import_failure(error)}") from error
    if not (isinstance(found, type) and issubclass(found, Workload)):
        raise PluginError(f"{what} is not a class derived from contend.plugin.Workload")
    return found
