"""What runs in a version's own process: executes and builds blocks as it is asked, and answers with processor time.

A script, not a module of the version that runs it: it has to do with versions that are older than it, of which the
first had no package `contend`. A request is a line of JSON on standard input, an answer one on standard output.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any


def of_version(module: str) -> Any:
    """A module of the version, wherever its packages are."""
    try:
        return importlib.import_module(f"contend.{module}")
    except ModuleNotFoundError:
        return importlib.import_module(module)


def answers(requests: Iterable[list[Any]]) -> Iterator[float]:
    """Answer requests: ``["build", workload, size]`` or ``["execute", workload, size, strategy, workers]``."""
    workloads, registry = of_version("workloads.registry"), of_version("strategies.registry")
    resolve_dials = of_version("workloads.dials").resolve_dials
    of_version("strategies.clocks").WallClock.now = lambda self: time.process_time()
    scenarios: dict[tuple[str, int], Any] = {}
    strategies: dict[str, Any] = {}
    for what, workload, size, *of_run in requests:
        begin = time.process_time()
        if what == "build" or (workload, size) not in scenarios:
            kind = workloads.get(workload)
            scenario = kind().build(resolve_dials(kind, {}), 1, size)
            state = scenario.genesis
            scenarios[workload, size] = scenario.blocks[0], state, state.snapshot()
        if what == "build":
            yield time.process_time() - begin
            continue
        strategy, workers = of_run
        if strategy not in strategies:
            strategies[strategy] = registry.get(strategy)()
        block, state, before = scenarios[workload, size]
        outcome = strategies[strategy].execute(block, state, workers)
        state.restore(before)
        yield outcome.seconds


if __name__ == "__main__":
    for seconds in answers(map(json.loads, sys.stdin)):
        print(json.dumps(seconds), flush=True)
