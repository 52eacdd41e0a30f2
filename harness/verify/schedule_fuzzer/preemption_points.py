"""Steps that can be cut in two: copies of strategies whose every atomic access of shared memory is a preemption point.

See `strategies.clocks.preemption` for why. What threads share they access atomically, so that every order of their
accesses is an order of these points; but workers that are cut go on in the reverse order, since they lie on one stack.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.runtime import atomics
from contend.evm.runtime.jit import Native
from contend.harness.verify.schedule_fuzzer.kernel_modules import kernel_modules
from contend.harness.verify.schedule_fuzzer.replacement import Replacement
from contend.harness.verify.schedule_fuzzer.variant import Variant
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.worker import step as speculative_step
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.clocks import preemption
from contend.strategies.clocks.preemption import attach
from contend.strategies.planned.engine import PlanFollower, planned_step

# Steps of the multi-version strategies, the first of which is reached from the other by its address.
STEPS = (speculative_step, planned_step)


def preemptible_variant(replacements: Sequence[Replacement] = ()) -> Variant:
    """Copies of all modules that `STEPS` have kernels from and that access anything atomically.

    Parameters
    ----------
    replacements : sequence of Replacement, optional
        Functions to exchange besides.
    """
    entries = [_module_of(step) for step in STEPS]
    return Variant(entries, replacements, {atomics: preemption}, kernel_modules(STEPS))


@cache
def _plain_variant() -> Variant:
    return preemptible_variant()


def _module_of(step: Native) -> ModuleType:
    return sys.modules[step.function.__module__]


def _copy_of(step: Native, copies: Variant) -> Native:
    found: Native = getattr(copies.module(_module_of(step)), step.function.__name__)
    return found


def repeatable(kind: type[OptimisticStrategy]) -> type[OptimisticStrategy]:
    """Make the same strategy, but with nothing left in its memory from the block before.

    Strategies do not clear what they do not read. A bug that makes one read it would depend on what was run before.
    """

    def workspace(self: Any, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        space = kind.workspace(self, image, state, workers, scale)
        space.arena[: int(space.shared["arena_used"])] = 0
        return space

    return type(kind.__name__, (kind,), {"workspace": workspace})


def preemptible(kind: type[OptimisticStrategy], variant: Variant | None = None) -> type[OptimisticStrategy] | None:
    """Make the same strategy with steps that can be cut in two; None where its step is neither of the two known.

    Parameters
    ----------
    kind : type
    variant : Variant, optional
        By default the copies without other changes.
    """
    attach()
    copies = variant or _plain_variant()
    if kind.step is speculative_step:
        return type(kind.__name__, (repeatable(kind),), {"step": _copy_of(kind.step, copies)})
    if issubclass(kind, PlanFollower) and kind.step is planned_step:
        speculative = _copy_of(speculative_step, copies)

        def prepare(self: Any, space: Workspace, image: BlockImage, state: State) -> None:
            kind.prepare(self, space, image, state)
            space.own_shared["speculative_step"] = speculative.address

        return type(kind.__name__, (repeatable(kind),), {"step": _copy_of(planned_step, copies), "prepare": prepare})
    return None
