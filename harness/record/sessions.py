"""Sessions: the sittings in which one record was measured.

A run has one; each `contend run --resume` adds one. What the record was begun with is in its ``environment``; a
session says when it was, by which command, under which load, and what of the environment had changed by then (the
checkout, say: what would make times incomparable is refused, `harness.record.resume`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contend.harness.record.environment import load_average, utc_now

# When it is, is said by the session itself.
_OWN = ("time",)


def new_session(
    begun_with: Mapping[str, Any], environment: Mapping[str, Any], command: Sequence[str] | None, first_process: int
) -> dict[str, Any]:
    """Begin a session.

    Parameters
    ----------
    begun_with : mapping
        Environment of the record.
    environment : mapping
        The same now.
    command : sequence of str or None
        Command line; None where the run was started from Python.
    first_process : int
        Number of the first measuring process; all from this one on are the session's.

    Returns
    -------
    dict
        ``began``, ``ended``, ``command``, ``first_process``, ``load`` (``began`` and ``ended``: average number of
        processes that wanted a core in the minute before), ``changed``.
    """
    names = (name for name in environment if name not in _OWN)
    return {
        "began": environment["time"],
        "ended": None,
        "command": None if command is None else list(command),
        "first_process": first_process,
        "load": {"began": load_average(), "ended": None},
        "changed": {name: environment[name] for name in names if environment[name] != begun_with.get(name)},
    }


def runs_beside(samples: Iterable[Mapping[str, Any]], sessions: Sequence[Mapping[str, Any]]) -> int:
    """Count the wall-clock runs of others that were under way while some of these samples were taken.

    Parameters
    ----------
    samples : iterable of mapping
        Of one cell.
    sessions : sequence of mapping
        Of its record; one that has met others says so in ``other_runs`` (``process``, ``began``, ``ended``).
    """
    met: set[tuple[int, str]] = set()
    for sample in samples:
        session = session_of(sample["process"], sessions)
        for run in (session or {}).get("other_runs", ()):
            began, ended = sample.get("began"), run["ended"]
            if began is None:
                continue
            last = datetime.datetime.fromisoformat(began) + datetime.timedelta(seconds=sample["wall_seconds"])
            # All in one format and in UTC, so that the order of the texts is that of the times.
            if run["began"] <= last.isoformat(timespec="milliseconds") and (ended is None or began <= ended):
                met.add((run["process"], run["began"]))
    return len(met)


def session_of(process: int, sessions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The session that a measuring process was of."""
    return next((one for one in reversed(sessions) if one["first_process"] <= process), None)


def node_of(samples: Iterable[Mapping[str, Any]], sessions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The node of a cluster that these samples of one cell were taken on; None where it was no cluster, or several."""
    found = {}
    for process in {sample["process"] for sample in samples}:
        for node in (session_of(process, sessions) or {}).get("nodes", ()):
            if process in node["processes"]:
                found[node["name"]] = node
    return next(iter(found.values())) if len(found) == 1 else None


def environment_of(record: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any]:
    """Environment that a cell of a record was measured in: of its node, where a cluster measured in real time."""
    environment = dict(record["environment"])
    node = node_of(cell["samples"], record.get("sessions", ())) if "node" in cell else None
    return environment if node is None else environment | node["environment"]


def note_time(session: dict[str, Any]) -> None:
    """Note that the session has lasted until now."""
    session["ended"] = utc_now()
    session["load"]["ended"] = load_average()
