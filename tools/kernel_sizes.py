"""Sizes of kernels: which of them each strategy needs, and how long each takes to compile.

``python -m tools.kernel_sizes`` compiles everything into an empty cache, strategy by strategy, under both clocks, and
writes what the progress of compilation goes by (`harness.present.progress.compile_progress`). Sizes are seconds of one
core of the machine that ran it, waiting left out; only their ratios matter, since a run scales them by what the first
kernels take where it runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

STRATEGIES = (
    "serial",
    "block_stm",
    "sharded",
    "placeholder",
    "bal",
    "static_partition",
    "groups",
    "locks",
    "occ_window",
    "sharded_ordered",
    "bal_longest",
    "hint_trial",
    "adaptive",
    "aria",
    "redo",
    "block_stm_v2",
)
CLOCKS = ("wall", "virtual")
_WORKERS, _BLOCK_SIZE = 2, 64
# What takes less is loaded, not compiled, or is nothing to wait for.
_LEAST_SECONDS = 0.1


def compile_all(clock: str) -> dict[str, dict[str, float]]:
    """Seconds by strategy and kernel under a clock, those of a kernel with the first strategy that needs it."""
    # Not before the cache has been named.
    from contend.evm.runtime.jit import on_compile
    from contend.harness.bench.bench import Bench
    from contend.harness.kernels import compile_lock
    from contend.harness.plan.clock_options import clock_maker
    from contend.harness.plan.request import Request
    from contend.harness.plan.resolve import CellKey, resolve
    from contend.strategies import registry as strategies
    from contend.workloads import registry as workloads

    request = Request(("payments",), STRATEGIES, (_WORKERS,), block_size=_BLOCK_SIZE, clock=clock)
    (plan,) = resolve(request).workloads
    found: dict[str, dict[str, float]] = {}
    began: list[float] = []
    strategy = STRATEGIES[0]

    def note(kernel: str, begins: bool, _: float) -> None:
        if begins:
            began.append(time.process_time())
            return
        seconds = time.process_time() - began.pop()
        of_strategy = found.setdefault(strategy, {})
        of_strategy[kernel] = round(of_strategy.get(kernel, 0.0) + seconds, 2)

    bench = Bench(strategies.get, workloads.get, compile_lock, clock_maker(request))
    with on_compile(note):
        bench.prepare(plan, request.seed, request.block_size)
        for strategy in STRATEGIES:
            bench.warm_up(CellKey(strategy, _WORKERS))
    bench.close()
    return {
        name: {kernel: seconds for kernel, seconds in sorted(kernels.items()) if seconds >= _LEAST_SECONDS}
        for name, kernels in found.items()
    }


def measure() -> dict[str, dict[str, dict[str, float]]]:
    """What `compile_all` finds under each clock, each from an empty cache in a process of its own."""
    found = {}
    for clock in CLOCKS:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "tools.kernel_sizes", clock]
            done = subprocess.run(
                command, env={**os.environ, "CONTEND_CACHE_DIR": folder}, capture_output=True, text=True, check=True
            )
        found[clock] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(compile_all(sys.argv[1])))
    else:
        from contend.harness.present.progress.compile_progress import SIZES_FILE

        SIZES_FILE.write_text(json.dumps(measure(), indent=1) + "\n")
        print(SIZES_FILE)
