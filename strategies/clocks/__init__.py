"""Clocks: wall time by threads, virtual time by an event loop, random schedules; and what they share.

The light ones are here; `strategies.clocks.virtual` and `strategies.clocks.schedule` are imported where they are used.
"""

from contend.strategies.clocks.base import (
    ACT_COMMIT,
    ACT_EXECUTE,
    ACT_MESSAGE,
    ACT_PLAN,
    ACT_SCHEDULE,
    ACT_VALIDATE,
    ACT_WAIT,
    ACT_WASTED,
    ACTIVITIES,
    FAILED,
    FINISHED,
    IDLE,
    NO_ACTIVITY,
    WORKED,
    Clock,
    NetworkHooks,
    Workers,
)
from contend.strategies.clocks.wall import WALL, WallClock

__all__ = [
    "ACTIVITIES",
    "ACT_COMMIT",
    "ACT_EXECUTE",
    "ACT_MESSAGE",
    "ACT_PLAN",
    "ACT_SCHEDULE",
    "ACT_VALIDATE",
    "ACT_WAIT",
    "ACT_WASTED",
    "FAILED",
    "FINISHED",
    "IDLE",
    "NO_ACTIVITY",
    "WALL",
    "WORKED",
    "Clock",
    "NetworkHooks",
    "WallClock",
    "Workers",
]
