"""Risks of a sharded chain in a terminal."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from contend.harness.analysis.committees import threshold
from contend.harness.analysis.takeover import SECONDS, Takeover

HEADINGS = ("model", "one shard", "some shard", "in a year", "until then", "safe size")
_UNITS = (("years", "y"), ("days", "d"), ("hours", "h"), ("minutes", "m"), ("seconds", "s"))


def print_takeover(console: Console, found: Takeover) -> None:
    """Print what was asked, the risks by both models, and what the columns are."""
    chain, size = found.chain, found.chain.sizes[-1]
    needed = threshold(size, chain.resilience, chain.rule)
    console.print(
        f"{chain.nodes:,} nodes, {chain.bad_nodes:,} of them bad, in {chain.shards:,} shards of {size:,}; "
        f"{needed:,} bad members take one over ({chain.rule} {chain.resilience}). "
        f"An epoch is {duration(found.epoch)}.",
        highlight=False,
    )
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "model" else "right", no_wrap=True)
    for risk, committee in zip(found.risks, found.committees, strict=True):
        table.add_row(
            risk.model,
            probability(risk.one),
            ("" if risk.is_exact else "at most ") + probability(risk.some),
            probability(found.chance_in_a_year(risk)),
            duration(found.seconds_to_failure(risk)),
            "none" if committee is None else f"{committee:,}",
        )
    console.print(table)
    console.print(
        "Probabilities are of a takeover in an epoch, but for the year's. A safe size is the least at which a shard is "
        f"taken over with at most {found.target:.3g} (2^{math.log2(found.target):.1f}) in an epoch.",
        highlight=False,
    )


def probability(value: float) -> str:
    """A probability in three digits."""
    return f"{value:.3g}"


def duration(seconds: float) -> str:
    """A time in its largest unit, in three digits."""
    if math.isinf(seconds):
        return "never"
    for name, unit in _UNITS:
        if seconds >= SECONDS[unit] or unit == "s":
            count = seconds / SECONDS[unit]
            text = f"{count:,.0f}" if count >= 100 else f"{count:.3g}"
            return f"{text} {name.removesuffix('s') if text == '1' else name}"
    raise AssertionError
