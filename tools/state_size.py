"""Wall-clock time of a block in a small and in a large state: the same transactions, the other accounts unused.

    .venv/bin/python tools/state_size.py [--workload payments] [--workers 2] [--repeats 15]

Prints for each strategy the least and the median seconds of its phases in both states, the ratio of the medians, and
the seconds outside the time, which do grow with the state.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from large_state import among_unused

from contend.strategies.registry import get
from contend.workloads import registry
from contend.workloads.dials import resolve_dials

FEW, MANY = 10_000, 1_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", default="payments")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--size", type=int, default=5_000, help="transactions in the block")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--strategies", nargs="+", default=["serial", "block_stm", "static_partition"])
    asked = parser.parse_args()
    kind = registry.get(asked.workload)
    scenario = kind().build(resolve_dials(kind, {}), 1, asked.size)
    states = {accounts: among_unused(scenario.genesis, accounts) for accounts in (FEW, MANY)}
    snapshots = {accounts: state.snapshot() for accounts, state in states.items()}
    for name in asked.strategies:
        seconds: dict[int, list[float]] = {FEW: [], MANY: []}
        untimed: dict[int, dict[str, float]] = {}
        with get(name)() as few, get(name)() as many:
            # Turn by turn, so that whatever else the machine does meets both.
            for repeat in range(asked.repeats + 1):
                for accounts, strategy in ((FEW, few), (MANY, many)):
                    states[accounts].restore(snapshots[accounts])
                    outcome = strategy.execute(scenario.blocks[0], states[accounts], asked.workers)
                    if repeat:
                        seconds[accounts].append(outcome.seconds)
                        untimed[accounts] = outcome.untimed
        least = [min(seconds[accounts]) for accounts in (FEW, MANY)]
        median = [statistics.median(seconds[accounts]) for accounts in (FEW, MANY)]
        print(
            f"{name}: least {least[0]:.4f} s and {least[1]:.4f} s ({least[1] / least[0]:.2f}), "
            f"median {median[0]:.4f} s and {median[1]:.4f} s: ratio {median[1] / median[0]:.2f}"
        )
        for accounts in (FEW, MANY):
            told = ", ".join(f"{what} {value:.4f} s" for what, value in sorted(untimed[accounts].items()))
            print(f"  outside the time, {accounts:,} accounts: {told or 'nothing told'}")


if __name__ == "__main__":
    main()
