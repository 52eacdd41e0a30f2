"""Contention asked for by its result: dials that give a dependent share or a longest chain, found by measuring.

A workload that can be aimed names two ends of its dials, a calm and a hot one. Between them lies a line (whole numbers
in equal ratios, others in equal steps), and on it the point whose block comes nearest to what was asked for is searched
by halving. What a point gives is not guessed but recorded: the block is built and executed, and its read and write sets
say how many transactions depend on an earlier one. What was achieved stands in every cell's bounds, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import DialValue
from contend.harness.plan.resolve import lookup, resolve_dials

if TYPE_CHECKING:
    from contend.harness.record.bound import Bound

# Halvings of the line: the last ones move a dial by a ten-thousandth of its range.
STEPS = 12
# How far what is achieved may be from what was asked for.
TOLERANCE = 0.02

KINDS = ("contention", "chain")


@dataclass(frozen=True)
class FoundDials:
    """Dials, and what they give.

    Attributes
    ----------
    dials : dict
        Only those that were turned.
    share : float
        Dependent share or longest chain of the block, recorded.
    """

    dials: dict[str, DialValue]
    share: float


def find_dials(
    workload: str,
    kind: str,
    wanted: float,
    seed: int,
    block_size: int,
    overrides: Mapping[str, DialValue] | None = None,
    tell: Callable[[str], object] = lambda text: None,
) -> FoundDials:
    """Find dials that give a share.

    Parameters
    ----------
    workload : str
    kind : str
        ``contention``: share of transactions that depend on an earlier one. ``chain``: longest chain of dependent
        transactions, as a share of the block.
    wanted : float
        From 0 to 1.
    overrides : mapping, optional
        Dials that are not to be turned.
    tell : callable, optional
        Told about progress, one line a time.

    Raises
    ------
    BadInputError
        If the workload cannot be aimed, or no point of its line comes near; the message says what can be had.
    """
    from contend.workloads import registry

    if not 0.0 <= wanted <= 1.0:
        raise BadInputError(f"{kind}: {wanted} is not a share; give a number from 0 to 1")
    ends = lookup(registry, workload).ends
    if ends is None:
        able = ", ".join(name for name in registry.BUILT_IN if registry.get(name).ends is not None)
        raise BadInputError(f"{kind}: workload {workload} has no dials that aim at it; those that have: {able}")
    fixed = dict(overrides or {})

    begin, end = ends

    def measure(at: float) -> FoundDials:
        dials = {name: value for name, value in between(begin, end, at).items() if name not in fixed}
        share = _share(_bound(workload, resolve_dials(workload, {**fixed, **dials}), seed, block_size), kind)
        tell(f"{kind} {share:.3f} with {', '.join(f'{name}={value}' for name, value in dials.items())}")
        return FoundDials(dials, share)

    calm, hot = measure(0.0), measure(1.0)
    if not calm.share - TOLERANCE <= wanted <= hot.share + TOLERANCE:
        raise BadInputError(
            f"{kind}: {workload} in blocks of {block_size:,} cannot give {wanted:g}; "
            f"it gives from {calm.share:.3f} to {hot.share:.3f}"
        )
    best = min(calm, hot, key=lambda found: abs(found.share - wanted))
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        if abs(best.share - wanted) <= TOLERANCE / 4:
            break
        middle = (low + high) / 2
        found = measure(middle)
        best = min(best, found, key=lambda one: abs(one.share - wanted))
        low, high = (middle, high) if found.share < wanted else (low, middle)
    if abs(best.share - wanted) > TOLERANCE:
        nearest = f"the nearest that was found is {best.share:.3f}"
        raise BadInputError(f"{kind}: {workload} cannot give {wanted:g}; {nearest}")
    return best


def between(calm: Mapping[str, Any], hot: Mapping[str, Any], position: float) -> dict[str, DialValue]:
    """Dials at a point of the line from `calm` (0) to `hot` (1)."""
    dials: dict[str, DialValue] = {}
    for name, begin in calm.items():
        end = hot[name]
        if isinstance(begin, str):
            # There is nothing between two texts; both ends have the same.
            dials[name] = begin
        elif isinstance(begin, int):
            # In equal ratios: from 1 to 10,000 pools, the middle is 100.
            dials[name] = max(1, round(begin ** (1.0 - position) * end**position))
        else:
            dials[name] = round(begin + (end - begin) * position, 6)
    return dials


def _bound(workload: str, dials: Mapping[str, DialValue], seed: int, block_size: int) -> Bound:
    from contend.evm.drivers.recorder import record
    from contend.harness.analysis.profile import bounds_of
    from contend.strategies.clocks.cost_table import default_costs
    from contend.workloads import registry

    scenario = registry.get(workload)().build(dials, seed, block_size)
    return bounds_of(record(scenario.blocks[0], scenario.genesis, default_costs().table)).plain


def _share(bound: Bound, kind: str) -> float:
    return bound.dependent_share if kind == "contention" else bound.chain_share
