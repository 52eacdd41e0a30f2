"""Worker process: measures one version of Contend, task by task, for the client at the other end of its socket.

This file is run as a script, by the interpreter of the version that is measured: this one, or any from commit 149af5f
on. What it uses of that version is named in one table (`_NAMES`), and it imports nothing of Contend before the import
path has been set. What it says and hears is JSON, which needs no class of either version: lists, the first item the
verb.

From the client: ``plan`` (a request to be looked up), ``compile`` (strategies, ahead of their turn), ``build``,
``warm`` and ``run`` (a task), ``forget`` (all that is kept of tasks), ``memory``, ``close``. In return: ``plan`` or
``refused``, and for each task one ``result``, in the form of `contend.harness.measure.task.Result`. ``run`` builds the
workload and warms the cell up where that has not been done: a task is all that is needed. Meanwhile ``stage`` and
``compile`` tell what takes so long, and ``warning`` passes on what the version logs. The answer to ``memory`` is what
the worker and its processes hold now. The worker ends when the client is gone.

Arguments: the descriptor of the socket, and a JSON object with ``paths`` (the import path), ``root`` (the sources; null
for the version that the client runs), ``own_environment`` (whether the interpreter's own import path follows) and
``cores`` (to which the process is pinned, if any).
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import logging
import os
import queue
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# What is used of the measured version, `module:name` or a module: where it is in this layout, under one top-level
# package, and where it was at commit 149af5f.
_NAMES: dict[str, tuple[str, str]] = {
    "package": ("contend.harness", "harness"),
    "BadInputError": ("contend.harness.errors:BadInputError", "harness.errors:BadInputError"),
    "Request": ("contend.harness.plan.request:Request", "harness.request:Request"),
    "resolve": ("contend.harness.plan.resolve:resolve", "harness.plan:resolve"),
    "WorkloadPlan": ("contend.harness.plan.resolve:WorkloadPlan", "harness.plan:WorkloadPlan"),
    "CellKey": ("contend.harness.plan.resolve:CellKey", "harness.plan:CellKey"),
    "clock_maker": ("contend.harness.plan.clock_options:clock_maker", "harness.clocks:clock_maker"),
    "Bench": ("contend.harness.bench.bench:Bench", "harness.measuring.bench:Bench"),
    "compile_lock": ("contend.harness.kernels:compile_lock", "harness.measuring.kernels:turn"),
    "compile_natives": ("contend.harness.kernels:compile_natives", "harness.measuring.kernels:compile_natives"),
    "strategies": ("contend.strategies.registry", "strategies.registry"),
    "workloads": ("contend.workloads.registry", "workloads.registry"),
    "on_compile": ("contend.evm.runtime.jit:on_compile", "evm.jit:on_compile"),
}
# What versions of this layout may lack.
_OPTIONAL = {"plugins_of": "contend.harness.measure.plugin_provenance:plugins_of"}
_THIS_LAYOUT, _OLD_LAYOUT = range(2)
# Errors that are no fault of what is measured: nothing of it can be measured as it was asked for. The first one is of
# older versions, which refused blocks of which they knew that they would execute them wrongly.
_REFUSALS = ("RefusedBlockError", "FieldError", "MissingKnowledgeError", "StageError")
# Set by `main`. Told by the sources and not by what can be imported: this version may be installed beside an older one.
_layout = _THIS_LAYOUT


def _is_refusal(error: BaseException) -> bool:
    """Whether an error says that nothing of it can be measured as it was asked for."""
    return any(kind.__name__ in _REFUSALS for kind in type(error).__mro__)


def find(what: str) -> Any:
    """Find something of the measured version.

    Raises
    ------
    ImportError
        If it is not in its place: the version is too old, or broken.
    """
    place = _NAMES[what][_layout]
    module, _, name = place.partition(":")
    try:
        found = importlib.import_module(module)
        return getattr(found, name) if name else found
    except (ModuleNotFoundError, AttributeError) as error:
        # Only the module itself may be missing, or a package around it: not what it imports.
        if isinstance(error, ModuleNotFoundError) and not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ImportError(f"it has no {place.replace(':', '.')}") from None


def main(descriptor: int, where: Mapping[str, Any]) -> None:
    """Serve the client until it says ``close`` or is gone."""
    # First of all: threads inherit it, and imports start some.
    if where["cores"]:
        os.sched_setaffinity(0, where["cores"])
    behind = sys.path if where["own_environment"] else []
    sys.path[:] = [*where["paths"], *behind]
    root = None
    if where["root"] is not None:
        global _layout
        root = Path(where["root"]).resolve()
        _layout = _THIS_LAYOUT if (root / "contend").is_dir() else _OLD_LAYOUT
        # An editable installation answers for every module that the version does not have itself, and with its own.
        sys.meta_path[:] = [one for one in sys.meta_path if not _is_editable_contend(one)]
    _Worker(Connection(descriptor), root).serve()


def _is_editable_contend(finder: object) -> bool:
    module = getattr(finder, "__module__", None) or ""
    return module.startswith("__editable___contend_")


class _PassOn(logging.Handler):
    """Tells the client what is logged in this process, but not in the copies that strategies make of it."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._process = os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        if os.getpid() == self._process:
            self._tell(record.getMessage())


class _Worker:
    def __init__(self, connection: Connection[Any, Any], root: Path | None) -> None:
        self._connection = connection
        self._root = root
        self._sending = threading.Lock()
        self._inbox: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        self._listening: ExitStack | None = None
        self._compile_seconds = 0.0
        # One bench for each clock, by what the task says of it: a cost table is read once.
        self._benches: dict[tuple[Any, ...], Any] = {}
        self._bench: Any = None
        # What of a task is done already: its workload, and which of its cells are warm.
        self._built: Any = None
        self._warm: set[tuple[str, int]] = set()

    def serve(self) -> None:
        threading.Thread(target=self._listen, name="contend-listen", daemon=True).start()
        logging.getLogger("contend").addHandler(_PassOn(lambda text: self._send("warning", text)))
        verbs: dict[str, Callable[[Any], None]] = {
            "plan": self._plan,
            "forget": lambda _: self._close(),
            "memory": lambda _: self._send("memory", resident_bytes()),
            "compile": self._compile,
            "build": lambda task: self._work(task, self._build),
            "warm": lambda task: self._work(task, self._build, self._warm_up),
            "run": lambda task: self._work(task, self._build, self._warm_up, self._run),
        }
        while True:
            verb, *content = self._inbox.get()
            if verb == "close":
                break
            verbs[verb](*content)
        self._close()

    def _close(self) -> None:
        """Close all strategies, and forget what was built."""
        for bench in self._benches.values():
            bench.close()
        self._benches.clear()
        self._warm.clear()
        self._bench = self._built = None
        gc.collect()

    def _listen(self) -> None:
        # A kernel cannot be interrupted, but it holds no GIL: this thread notices that the client is gone at once.
        while True:
            try:
                message = json.loads(self._connection.recv_bytes())
            except (EOFError, OSError):
                end_group()
                return
            self._inbox.put(message)

    def _send(self, *message: Any) -> None:
        with self._sending:
            try:
                self._connection.send_bytes(json.dumps(message).encode())
            except OSError:
                end_group()

    def _plan(self, asked: dict[str, Any]) -> None:
        try:
            found = Path(str(find("package").__file__)).resolve()
            if self._root is not None and self._root not in found.parents:
                self._send("refused", f"its sources are not what is imported, but {found.parent}")
                return
            refused = find("BadInputError")
            for needed in _NAMES:
                find(needed)
        except ImportError as error:
            self._send("refused", f"too old to be measured by this version, or broken: {error}")
            return
        try:
            plan = find("resolve")(_request(asked))
        except refused as error:
            self._send("refused", str(error))
            return
        self._send(
            "plan",
            {
                "workloads": [asdict(one) for one in plan.workloads],
                "cells": [list(cell) for cell in plan.cells],
                "reported": [list(cell) for cell in plan.cells if cell in plan.reported],
                "kernels_digest": plan.kernels_digest,
                "costs_digest": plan.costs_digest,
                "cold": bool(plan.cold),
                "cold_strategies": list(getattr(plan, "cold_strategies", ())),
                "llvm": plan.llvm,
                "python": sys.version.split()[0],
                "plugins": _plugins_of(plan),
            },
        )

    def _compile(self, strategies: list[str]) -> None:
        self._announce_compilations()
        self._send("stage", "compiling ahead")
        find("compile_natives")(find("strategies").get(name) for name in strategies)

    def _work(self, task: dict[str, Any], *parts: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
        """Do parts of a task until one fails, and send what came of it."""
        result: dict[str, Any] = {"facts": None, "sample": None, "failure": None, "broken": False, "refused": False}
        result["about"] = None
        for part in parts:
            result["broken"] = part == self._build
            try:
                part(task, result)
            except Exception as error:
                result["failure"] = _failure(error)
                result["refused"] = _is_refusal(error)
                break
        result["broken"] = result["broken"] and result["failure"] is not None
        seconds, self._compile_seconds = self._compile_seconds, 0.0
        self._send("result", {**result, "compile_seconds": seconds, "peak_memory_bytes": _peak_memory_bytes()})

    def _build(self, task: dict[str, Any], result: dict[str, Any]) -> None:
        names = ("workload", "seed", "block_size", "clock", "costs", "network", "access_list", "stages")
        wanted = {**{name: task[name] for name in names}, "model": task.get("model")}
        if wanted == self._built:
            return
        self._announce_compilations()
        self._send("stage", "building")
        self._built = None
        self._warm.clear()
        self._bench = self._bench_of(task)
        facts = self._bench.prepare(_workload(task["workload"]), task["seed"], task["block_size"])
        self._built = wanted
        result["facts"] = asdict(facts)

    def _bench_of(self, task: dict[str, Any]) -> Any:
        clock = {name: task[name] for name in ("clock", "costs", "network")}
        key = (*clock.values(), task["access_list"], task.get("model"), *task["stages"].items())
        if key not in self._benches:
            maker = find("clock_maker")(_request({name: value for name, value in clock.items() if value is not None}))
            strategies, workloads = find("strategies"), find("workloads")
            bench = find("Bench")(strategies.get, workloads.get, find("compile_lock"), maker)
            # An older version gives no lists and has no stages, and has refused a request that asks for any.
            bench.list_kind, bench.stages, bench.model = task["access_list"], task["stages"], task.get("model")
            self._benches[key] = bench
        return self._benches[key]

    def _warm_up(self, task: dict[str, Any], result: dict[str, Any]) -> None:
        cell = task["strategy"], task["workers"]
        if cell in self._warm:
            return
        key = find("CellKey")(*cell)
        try:
            self._bench.warm_up(key)
            self._warm.add(cell)
        finally:
            about = self._bench.facts_of(key) if hasattr(self._bench, "facts_of") else None
            result["about"] = None if about is None else about.as_plain()

    def _run(self, task: dict[str, Any], result: dict[str, Any]) -> None:
        result["sample"] = asdict(self._bench.run(find("CellKey")(task["strategy"], task["workers"])))

    def _announce_compilations(self) -> None:
        if self._listening is None:
            # For the life of the process: the stack is kept, because listening ends with the context that it holds.
            self._listening = ExitStack()
            self._listening.enter_context(find("on_compile")(self._announce))

    def _announce(self, kernel: str, begins: bool, seconds: float) -> None:
        self._compile_seconds += 0.0 if begins else seconds
        self._send("compile", kernel, begins, seconds)


def _plugins_of(plan: Any) -> list[dict[str, Any]]:
    """Packages behind the plan, as the version itself tells them; none where it does not know how."""
    module, _, name = _OPTIONAL["plugins_of"].partition(":")
    if _layout == _OLD_LAYOUT or importlib.util.find_spec(module) is None:
        return []
    found: list[dict[str, Any]] = getattr(importlib.import_module(module), name)(plan)
    return found


def _request(asked: dict[str, Any]) -> Any:
    """A request of the version's own kind."""
    kind = find("Request")
    missing = [name for name in asked if name not in kind.__dataclass_fields__]
    if missing:
        raise find("BadInputError")(f"this version does not know the option {missing[0]!r}")
    return kind(**{name: _tuples(value) for name, value in asked.items()})


def _workload(content: dict[str, Any]) -> Any:
    """A workload plan of the version's own kind, which said itself what is in it."""
    kind = find("WorkloadPlan")
    known = {name: _tuples(value) for name, value in content.items() if name in kind.__dataclass_fields__}
    return kind(**known)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _peak_memory_bytes() -> int:
    """The most that this process had resident so far; macOS counts bytes, others KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def resident_bytes() -> int:
    """Memory that this process and those that its strategies keep have resident now; 0 where the system does not say.

    What they share counts as often as they are.
    """
    pages, group = 0, os.getpgrp()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the name, which may hold spaces: state, parent, group.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                pages += int((folder / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            # It has ended since it was listed.
            continue
    return pages * resource.getpagesize()


def _failure(error: Exception) -> dict[str, Any]:
    text = " ".join(str(error).split())
    # What a bench raises is a sentence; anything else is an error of the version's own, of which a trace is kept.
    if type(error).__name__ not in ("RunError", "WorkloadError", "BadInputError") and not _is_refusal(error):
        traceback.print_exc()
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return {"error": text, "differences": list(getattr(error, "differences", ()))}


def end_group() -> None:
    """End this process and every process that its strategies keep.

    SIGTERM, not SIGKILL: it ends a process within a kernel just as well, and leaves alive the trackers that unlink
    shared memory nobody owns any more.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.killpg(os.getpgrp(), signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
