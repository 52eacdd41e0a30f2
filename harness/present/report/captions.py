"""Captions: what charts of a report show, as text with figures, also for readers who do not see the charts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas

from contend.harness.plan.resolve import BASELINE, LIMIT
from contend.harness.present.charts.abort_causes import aborts_of, worst
from contend.harness.present.charts.bound_lines import BOUND, WITH_VALUES, WITHOUT_VALUES, bound_lines
from contend.harness.present.charts.contention import swept
from contend.harness.present.formatting import count, duration, factor, listed, rate, share
from contend.harness.present.report.history import Series
from contend.harness.record.content.bottleneck import NAMES, stage_seconds
from contend.harness.record.statistics.block_spread import Spread, spreads_of

_MOST_TOLD = 6
_TOLD_LINES = {
    BOUND: "The bound is",
    WITHOUT_VALUES: "The bound of who waits for what it reads is",
    WITH_VALUES: "With the values that transactions read it is",
    LIMIT: "As many serial runs at once reach",
}


def _fastest(cells: pandas.DataFrame) -> pandas.Series[Any]:
    return cells.iloc[int(cells["speedup"].to_numpy().argmax())]


def throughput_caption(part: pandas.DataFrame) -> str:
    """The fastest cells."""
    best = part.sort_values("tx_per_second", ascending=False).head(_MOST_TOLD)
    told = [f"{one['strategy']} ({one['workers']:,}) {rate(one['tx_per_second'])}" for _, one in best.iterrows()]
    return f"transactions per second (workers in brackets), the fastest first: {listed(told)}."


def speedup_caption(part: pandas.DataFrame) -> str:
    """The best speed-up of each strategy, and what it is held against."""
    told = []
    for name, own in part[part["strategy"] != BASELINE].groupby("strategy", sort=False):
        best = _fastest(own)
        told.append(f"{name} {factor(best['speedup'])} with {best['workers']:,} workers")
    text = f"best speed-up over serial: {listed(told)}."
    rivals = part[part["strategy"] != BASELINE]
    for line in bound_lines(rivals, "workers"):
        if line.name in _TOLD_LINES:
            most = int(line.values.index[-1])
            text += f" {_TOLD_LINES[line.name]} {factor(float(line.values.iloc[-1]))} with {most:,} workers."
    return text


def blocks_caption(part: pandas.DataFrame) -> str:
    """Median, quartiles and ends of each contender, with its most workers."""
    found = spreads_of(part)
    most = {one.strategy: one for one in sorted(found, key=lambda one: one.workers)}
    return f"{'; '.join(spread_words(one) for one in most.values())}."


def spread_words(one: Spread) -> str:
    """Spread of a contender over blocks, in words."""
    (low, high), (least, largest) = one.quartiles, one.ends
    return (
        f"{one.strategy} with {count(one.workers, 'worker')} {factor(one.middle)} in the middle, half of the blocks "
        f"{factor(low)} to {factor(high)}, the least {factor(one.by_block[least])} ({least}), the most "
        f"{factor(one.by_block[largest])} ({largest})"
    )


def wasted_caption(part: pandas.DataFrame) -> str:
    """Wasted executions per transaction of each strategy."""
    own = part[part["wasted_per_transaction"].notna() & (part["strategy"] != BASELINE)]
    most = own.loc[own.groupby("strategy", sort=False)["workers"].idxmax()]
    told = [
        f"{one['strategy']} with {one['workers']:,} workers {one['wasted_per_transaction']:.2f}"
        for _, one in most.iterrows()
    ]
    return f"wasted executions per transaction: {listed(told)}." if told else "no strategy counts executions."


def causes_caption(part: pandas.DataFrame) -> str:
    """Classes of location that aborts were due to."""
    told = []
    for _, one in worst(part).iterrows():
        kinds = aborts_of(one.to_dict())
        total = sum(kinds.values())
        parts = [f"{share(number / total)} {kind}" for kind, number in sorted(kinds.items(), key=lambda item: -item[1])]
        told.append(f"{one['strategy']} with {one['workers']:,} workers: {listed(parts)}")
    return f"{'; '.join(told)}."


def latency_caption(part: pandas.DataFrame) -> str:
    """Latency of the cells where it is shortest."""
    known = part[part["latency_p99_seconds"].notna()].sort_values("latency_p99_seconds")
    told = [
        f"{one['strategy']} ({one['workers']:,}) {duration(one['latency_p50_seconds'])} and "
        f"{duration(one['latency_p99_seconds'])}"
        for _, one in known.head(_MOST_TOLD).iterrows()
    ]
    return f"median and 99th percentile (workers in brackets), the shortest first: {listed(told)}."


def stages_caption(part: pandas.DataFrame) -> str:
    """The stage that takes longest, of each strategy with its most workers."""
    known = part[part["bottleneck"].notna()]
    told = []
    for _, one in known.loc[known.groupby("strategy", sort=False)["workers"].idxmax()].iterrows():
        found = stage_seconds(dict(one))
        stage = max(found, key=lambda name: found[name])
        told.append(
            f"{one['strategy']} ({one['workers']:,}) {NAMES[stage]}, {share(found[stage] / sum(found.values()))} of "
            f"{duration(one['seconds'] / one['transactions'])}"
        )
    return f"what takes longest of a transaction (workers in brackets): {listed(told)}."


def contention_caption(part: pandas.DataFrame) -> str:
    """The fastest strategies where contention is least, and where it is most."""
    rivals = part[part["strategy"] != BASELINE]
    most = rivals[rivals["workers"] == rivals["workers"].max()]
    calm, hot = (
        most[most["chain_share"] == most["chain_share"].min()],
        most[most["chain_share"] == most["chain_share"].max()],
    )
    told = []
    for what, own in (("shortest", calm), ("longest", hot)):
        best = _fastest(own)
        told.append(
            f"with the {what} chain ({share(best['chain_share'])} of the block) {best['strategy']} is fastest, "
            f"{factor(best['speedup'])}"
        )
    return f"{most['workers'].iloc[0]:,} workers: {'; '.join(told)}."


def winners_caption(part: pandas.DataFrame) -> str:
    """Number of combinations in which each strategy is the fastest."""
    (dial,) = swept(part).values()
    wins: dict[str, int] = {}
    for _, own in part.groupby([dial, "workers"]):
        rivals = own[own["strategy"] != BASELINE]
        if rivals.empty:
            continue
        best = _fastest(rivals)
        name = str(best["strategy"]) if best["speedup"] > 1 else BASELINE
        wins[name] = wins.get(name, 0) + 1
    total = sum(wins.values())
    told = [f"{name} {number}" for name, number in sorted(wins.items(), key=lambda item: -item[1])]
    return f"fastest in so many of {total} combinations: {listed(told)}."


def both_caption(part: pandas.DataFrame) -> str:
    """Measured and simulated speed-up of the same cells."""
    rivals = part[part["strategy"] != BASELINE]
    told = []
    for (name, workers), own in rivals.groupby(["strategy", "workers"], sort=False):
        if own["clock"].nunique() == 2:
            wall, made = (own[own["simulated"] == simulated]["speedup"].iloc[-1] for simulated in (False, True))
            told.append(f"{name} ({workers}) {factor(wall)} and {factor(made)}")
    return (
        f"speed-up (workers in brackets) by the wall clock and simulated: {listed(told)}."
        if told
        else "no worker count on both clocks."
    )


def history_caption(lines: Iterable[Series]) -> str:
    """Steps that were found in the history of cells."""
    told = []
    for one in lines:
        name = f"{one.workload}, {one.strategy} with {one.workers:,}"
        if one.steps:
            steps = [
                f"{after / before - 1:+.0%} at record {one.records[place]}"
                for place, before, after in zip(one.steps, one.levels, one.levels[1:], strict=False)
            ]
            told.append(f"{name}: stepped {listed(steps)}")
        else:
            told.append(f"{name}: no step in {len(one.seconds)} records")
    return "; ".join(told[:_MOST_TOLD]) + "."
