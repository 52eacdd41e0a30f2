"""Draws: random requests, each made of a seed and its number alone, so that any can be made again."""

from __future__ import annotations

import math
import random
from typing import Any

from contend.harness.plan.request import ALL, LIST_KINDS, Request

CANARY = Request("payments", ALL, workers=2, clock="virtual", block_size=100)
"""Always the same; what memory is measured after."""
_LARGEST_BLOCK, _LARGEST_NUMBER = 400, 20.0
_WALL_WORKERS, _VIRTUAL_WORKERS = 4, 64


def drawn(seed: int, number: int) -> Request:
    """Draw a request for all contenders on one workload.

    Workload, dials, sizes, clock, workers, and what strategies are given are drawn. Blocks are small: what goes wrong
    does so by its order, and in more of them there are more orders.

    Parameters
    ----------
    seed : int
        Of the soak.
    number : int
        Of the draw.
    """
    from contend.workloads import registry

    # Not a hash of the two: that of a text is another one in each process.
    choose = random.Random(f"{seed}:{number}")
    name = choose.choice(sorted(set(registry.BUILT_IN) - {"replay"}))
    clock = choose.choice(("wall", "virtual"))
    most = _VIRTUAL_WORKERS if clock == "virtual" else _WALL_WORKERS
    hints = choose.choice((None, None, ALL))
    return Request(
        name,
        ALL,
        workers=round(math.exp(choose.uniform(0, math.log(most)))),
        dials=_dials(choose, registry.get(name)),
        block_size=round(math.exp(choose.uniform(math.log(10), math.log(_LARGEST_BLOCK)))),
        block_count=choose.choice((1, 1, 1, 2, 3)),
        seed=choose.randrange(2**31),
        clock=clock,
        hints=hints,
        access_list=choose.choice(LIST_KINDS) if hints else LIST_KINDS[0],
        root=choose.choice(("none",) * 7 + ("mpt",)),
        repeat=1,
        processes=1,
    )


def _dials(choose: random.Random, workload: Any) -> dict[str, Any]:
    """Some of the dials, or a preset and some of the others."""
    found: dict[str, Any] = {}
    if workload.presets and choose.random() < 0.25:
        found["preset"] = choose.choice([preset.name for preset in workload.presets])
    for dial in workload.dials:
        if choose.random() < 0.5:
            continue
        if isinstance(dial.default, str):
            found[dial.name] = choose.choice(dial.choices)
            continue
        low = 0.0 if dial.low is None else dial.low
        high = _LARGEST_NUMBER * max(1.0, dial.default) if dial.high is None else dial.high
        # Near the default rather than anywhere in a range of many orders of magnitude.
        near = dial.default * math.exp(choose.uniform(-3, 1)) if choose.random() < 0.7 else choose.uniform(low, high)
        value = min(max(near, low), high, max(low, _LARGEST_NUMBER * max(1.0, dial.default)))
        found[dial.name] = round(value) if isinstance(dial.default, int) else round(value, 3)
    return found
