"""Steps that can be cut in two: copies of strategies whose every atomic access of shared memory is a preemption point.

See `strategies.preemption` for why. What threads share they access atomically, so that every order of their accesses
is an order of these points; but workers that are cut go on in the reverse order, since they lie on one stack.
"""

from __future__ import annotations

import re
from typing import Any

from evm import State
from evm.image import BlockImage
from harness.schedules.variant import ROOM, Edits, Variant
from strategies import block_stm
from strategies.optimistic import OptimisticStrategy, Workspace
from strategies.planned import PlannedStrategy, planned_step
from strategies.preemption import attach
from strategies.shared import C_ARENA, S_SPECULATIVE_STEP

CUT_MODULES = ("multiversion", "scheduler", "incarnation", "block_stm", "planned")
_IMPORT = re.compile(r"^from evm import (.*\batomics\b.*)\n", re.M)
_NEW = "from strategies import preemption as atomics"


def make_cut(edits: Edits | None = None) -> Variant:
    """Copies of the multi-version strategies' modules with points of preemption.

    Parameters
    ----------
    edits : mapping, optional
        Further changes, as for `Variant`.
    """
    every: dict[str, list[tuple[str, str]]] = {name: list((edits or {}).get(name, ())) for name in CUT_MODULES}
    for name in CUT_MODULES:
        every[name].extend(_atomics_of(name))
    return Variant(every)


def _atomics_of(name: str) -> list[tuple[str, str]]:
    """The edit by which a module imports this one for `evm.atomics`."""
    found = _IMPORT.search((ROOM / f"{name}.py").read_text())
    if found is None:
        return []
    others = [one for one in found[1].split(", ") if one != "atomics"]
    kept = f"from evm import {', '.join(others)}\n" if others else ""
    return [(found[0], f"{kept}{_NEW}\n")]


def repeatable(kind: type[OptimisticStrategy]) -> type[OptimisticStrategy]:
    """Make the same strategy, but with nothing left in its memory from the block before.

    Strategies do not clear what they do not read. A bug that makes one read it would depend on what was run before.
    """

    def workspace(self: Any, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        space = kind.workspace(self, image, state, workers, scale)
        space.arena[: int(space.counters[C_ARENA])] = 0
        return space

    return type(kind.__name__, (kind,), {"workspace": workspace})


def cut_class(kind: type[OptimisticStrategy], variant: Variant | None = None) -> type[OptimisticStrategy] | None:
    """Make the same strategy with steps that can be cut in two; None where its step is neither of the two known.

    Parameters
    ----------
    kind : type
    variant : Variant, optional
        By default the copies without other changes.
    """
    attach()
    copies = variant or make_cut()
    if kind.step is block_stm.step:
        return type(kind.__name__, (repeatable(kind),), {"step": copies.module("block_stm").step})
    if issubclass(kind, PlannedStrategy) and kind.step is planned_step:
        speculative = copies.module("block_stm").step

        def prepare(self: Any, space: Workspace, image: BlockImage, state: State) -> None:
            kind.prepare(self, space, image, state)
            space.header[S_SPECULATIVE_STEP] = speculative.address

        step = copies.module("planned").planned_step
        return type(kind.__name__, (repeatable(kind),), {"step": step, "prepare": prepare})
    return None
