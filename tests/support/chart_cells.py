"""Cells as charts get them, made up: of any number of workloads and strategies, names and figures at their extremes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas

WORKLOADS = (
    "swaps",
    "docs/examples/a_workload_file_with_a_long_name.toml",
    "payments",
    "nft",
    "dao",
    "replay:mainnet_block_19807137_and_its_prestate",
    "orders",
    "a_plug_in_of_another_package_with_a_name_of_fifty_",
    "game",
    "grants",
    "supply",
    "metering",
    "adversarial",
)
TITLES = {WORKLOADS[1]: "constant product pool of forty characters"}
STRATEGIES = (
    "serial",
    "block_stm",
    "static_partition",
    "sharded",
    "sharded_ordered",
    "priority_scheduler_of_a_plug_in_40_chars",
    "optimistic",
    "coloured_graph",
    "two_phase_locking_with_wound_wait",
    "deterministic_2pl",
    "calvin",
    "bohm",
)
_CLASSES = ("token_balance", "pool_reserve", "counter", "allowance", "other_storage", "balance", "nonce", "code")


def cells(
    workloads: int = 1,
    strategies: int = 2,
    workers: Sequence[int] = (1, 2),
    simulated: bool = False,
    extreme: bool = False,
    seed: int = 1,
) -> pandas.DataFrame:
    """Cells of so many workloads and strategies, serial the first of them.

    Parameters
    ----------
    workloads, strategies : int
        At most 13 and 12.
    workers : sequence of int
    simulated : bool
        Whether time is.
    extreme : bool
        Whether speed-ups reach from 0.01 to 900, and some cells are missing.
    """
    random = np.random.default_rng(seed)
    rows = []
    for workload in WORKLOADS[:workloads]:
        for place, strategy in enumerate(STRATEGIES[:strategies]):
            for count in workers if place else (1,):
                if extreme and place and random.random() < 0.15:
                    continue
                rows.append(cell(random, workload, strategy, count, simulated, extreme))
    return pandas.DataFrame(rows)


def cell(
    random: np.random.Generator, workload: str, strategy: str, workers: int, simulated: bool, extreme: bool
) -> dict[str, Any]:
    """One of them."""
    serial = strategy == "serial"
    ratio = 1.0 if serial else float(workers**0.6 * random.uniform(0.6, 1.1))
    if extreme and not serial:
        ratio = float(random.choice([0.01, 0.3, 1.7, 40.0, 900.0]))
    seconds = 0.02 / ratio
    spread = 0.0 if simulated else 0.03
    waits = {"p99_seconds": list(0.1 * random.uniform(0.5, 3, 12) / ratio)}
    row: dict[str, Any] = {
        "workload": workload,
        "workload_title": TITLES.get(workload),
        "strategy": strategy,
        "workers": workers,
        "clock": "virtual" if simulated else "wall",
        "simulated": simulated,
        "verified": True,
        "transactions": 1_000,
        "gas": 50_000_000,
        "seconds": seconds,
        "tx_per_second": 1_000 / seconds,
        "samples_seconds": [] if simulated else list(seconds * random.uniform(0.96, 1.1, 10)),
        "speedup": ratio,
        "speedup_low": ratio * (1 - spread),
        "speedup_high": ratio * (1 + spread),
        "bound_speedup": min(workers, 40.0),
        "bound_speedup_commutative": min(workers, 60.0),
        "chain_share": 0.04,
        "latency": {"by_block": waits, "interval_seconds": 0.25},
        "latency_p50_seconds": 0.05 / ratio,
        "latency_p99_seconds": 0.2 / ratio,
        "block_transactions": list(random.integers(200, 3_000, 12)),
        "load": 0.8,
        "wasted_per_transaction": 0.0,
    }
    if not serial:
        aborts = float(random.integers(0, 400))
        parts = random.multinomial(int(aborts), [1 / len(_CLASSES)] * len(_CLASSES))
        row |= {"count.aborts": aborts, "count.wasted_gas": aborts * 20_000, "count.repairs": float(aborts // 3)}
        row["wasted_per_transaction"] = (aborts + aborts // 3) / row["transactions"]
        row |= {f"count.aborts_at_{name}": float(part) for name, part in zip(_CLASSES, parts, strict=True)}
    return row


def swept(frame: pandas.DataFrame, values: Sequence[float] = (1, 10, 100)) -> pandas.DataFrame:
    """The cells at several values of a dial, which makes the longest chain shorter."""
    parts = [
        frame.assign(**{"dial.pools": value, "chain_share": 0.5 / value, "speedup": frame["speedup"] * value**0.2})
        for value in values
    ]
    return pandas.concat(parts, ignore_index=True)
