"""Kinds of figures that are made of cells, and how to read each: what a report and a paper draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contend.harness.present.charts.abort_causes import CLASSES, KINDS, causes
from contend.harness.present.charts.both_clocks import both_clocks
from contend.harness.present.charts.contention import contention, winners
from contend.harness.present.charts.latency import latency
from contend.harness.present.charts.over_blocks import over_blocks
from contend.harness.present.charts.speedup import speedup
from contend.harness.present.charts.stage_times import stage_times
from contend.harness.present.charts.throughput import throughput
from contend.harness.present.charts.waste import wasted
from contend.harness.present.report.captions import (
    blocks_caption,
    both_caption,
    causes_caption,
    contention_caption,
    latency_caption,
    speedup_caption,
    stages_caption,
    throughput_caption,
    wasted_caption,
    winners_caption,
)
from contend.harness.record.content.bottleneck import STAGE_COLUMNS
from contend.harness.record.content.execution_counts import DEFERRED, OF_EXECUTIONS

if TYPE_CHECKING:
    import pandas

    from contend.harness.present.charts.chart import Chart

Draw = Callable[..., "Chart | None"]


@dataclass(frozen=True)
class FigureKind:
    """Kind of figures.

    Attributes
    ----------
    name : str
        Of its files.
    title : str
    about : str
        How to read it, in a sentence or two.
    chart : callable
        Of cells and a style.
    caption : callable
        Of cells: what there is to see, with figures.
    columns : tuple of str
        Of the cells' frame: what is drawn.
    hint : str
        What else Contend can tell of it.
    together : bool
        Whether one picture is of all workloads.
    """

    name: str
    title: str
    about: str
    chart: Draw
    caption: Callable[[pandas.DataFrame], str]
    columns: tuple[str, ...]
    hint: str = ""
    together: bool = False


_SPEED = (
    "speedup",
    "speedup_low",
    "speedup_high",
    "bound_speedup",
    "bound_speedup_commutative",
    "role_bound_speedup",
    "list_schedule_speedup",
    "limit",
    "share_of_bound",
)
BOTH = FigureKind(
    "scaling",
    "Scaling on both clocks",
    "Filled marks with intervals were measured on real cores, hollow ones on dashed lines simulated. Where they part, "
    "believe the wall clock.",
    both_clocks,
    both_caption,
    _SPEED,
)
PLAIN = (
    FigureKind(
        "blocks",
        "Spread over blocks",
        "A dot is a real block; the line is the median, the grey bar holds the middle half. Each block counts once, "
        "however long it is.",
        over_blocks,
        blocks_caption,
        ("speedup", "speedup_low", "speedup_high", "transactions", "seconds"),
        together=True,
    ),
    FigureKind(
        "throughput",
        "Throughput",
        "Median transactions per second of the block's whole time, all phases added; dots are single runs.",
        throughput,
        throughput_caption,
        ("tx_per_second", "gas_per_second", "seconds", "transactions", "gas"),
    ),
    FigureKind(
        "speedup",
        "Speed-up and its bound",
        "Median of the paired ratios to the serial run of the same round, with its interval. Black lines are what no "
        "strategy can beat on this block: waiting for what it reads, or with the values that its transactions read; "
        "beside them what a list schedule reaches that knows everything. The dashed grey line, where there is one, is "
        "what as many serial runs at once reach on this machine.",
        speedup,
        speedup_caption,
        _SPEED,
    ),
    FigureKind(
        "wasted",
        "Wasted work",
        "Executions that were thrown away (aborted, begun again after a wait, or repaired), and the gas that they "
        "burned.",
        wasted,
        wasted_caption,
        ("transactions", "gas", *(f"count.{name}" for name in (*OF_EXECUTIONS, "wasted_gas", DEFERRED))),
    ),
    FigureKind(
        "causes",
        "What aborts were due to",
        "By class of location, with the most workers that were measured.",
        causes,
        causes_caption,
        ("transactions", "count.aborts", "count.repairs", *CLASSES, *KINDS),
        "contend explain names the locations: which pool, which counter, whose allowance.",
    ),
    FigureKind(
        "latency",
        "Latency from arrival to commit",
        "Several blocks in a row, into which transactions arrive at a rate: left, what the slowest hundredth of each "
        "block waited, above the blocks' sizes; right, all transactions, median and 99th percentile.",
        latency,
        latency_caption,
        ("block_count", "offered_tx_per_second", "latency_p50_seconds", "latency_p99_seconds"),
    ),
    FigureKind(
        "stages",
        "Where a transaction's time goes",
        "A bar is the time of a transaction in the node, by stage, with the most workers that were measured; behind it "
        "stands the time in microseconds.",
        stage_times,
        stages_caption,
        ("seconds", "transactions", *STAGE_COLUMNS, "bottleneck", "pipeline_overlap"),
    ),
)
SWEPT = (
    FigureKind(
        "contention",
        "Speed-up against contention",
        "From left to right the longest chain of dependent transactions grows: that is contention as it was recorded, "
        "not as it was asked for.",
        contention,
        contention_caption,
        (*_SPEED, "chain_share", "dependent_share"),
    ),
    FigureKind(
        "winners",
        "Map of winners",
        "The fastest strategy by contention and workers, and by how many times it beats serial.",
        winners,
        winners_caption,
        (*_SPEED, "chain_share"),
    ),
)
