"""Workloads: seeded generators of blocks of real contract calls, with dials that move contention."""

from contend.inner_names import refuse_top_level

refuse_top_level(__name__)

from contend.workloads.base import Dial, DialValue, Preset, Scenario, Workload
from contend.workloads.dials import DialError, resolve_dials
from contend.workloads.errors import PluginError, UnknownName
from contend.workloads.registry import get, names

__all__ = [
    "Dial",
    "DialError",
    "DialValue",
    "PluginError",
    "Preset",
    "Scenario",
    "UnknownName",
    "Workload",
    "get",
    "names",
    "resolve_dials",
]
