"""Steps that can be cut in two: copies of strategies whose every atomic access of shared memory is a preemption point.

See `strategies.clocks.preemption` for why. What threads share they access atomically, so that every order of their
accesses is an order of these points; but workers that are cut go on in the reverse order, since they lie on one stack.

Any strategy over multi-version memory can be cut, whatever its steps: that of its workers, those by which hints are
gathered or a plan is made, that which commits. Each is exchanged for its copy where the workspace drives it
(`Workspace.run`); where a step calls another one by an address in the strategy's own memory, as that of planned
strategies does, the address is exchanged as well.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from contend.evm import State
from contend.evm.block_image import BlockImage
from contend.evm.runtime import atomics
from contend.evm.runtime.jit import Native
from contend.harness.verify.schedule_fuzzer.kernel_modules import kernel_modules
from contend.harness.verify.schedule_fuzzer.module_source import SourceError
from contend.harness.verify.schedule_fuzzer.replacement import Replacement
from contend.harness.verify.schedule_fuzzer.variant import Variant
from contend.strategies import registry
from contend.strategies.block_list.encoded_list import EncodedList
from contend.strategies.block_stm.list_of_block import list_step
from contend.strategies.block_stm.strategy import OptimisticStrategy
from contend.strategies.block_stm.workspace import Workspace
from contend.strategies.clocks import preemption
from contend.strategies.clocks.preemption import attach
from contend.strategies.given import SOURCES, source_of

_STEP = "int64(int64, int64)"


def steps_of(kinds: Iterable[type]) -> tuple[Native, ...]:
    """Steps that strategies and sources of hints have workers make.

    All that the modules of their classes, and of those' bases, name.
    """
    modules = dict.fromkeys(sys.modules[base.__module__] for kind in kinds for base in kind.__mro__)
    named = (value for module in modules for value in vars(module).values())
    return tuple(dict.fromkeys(one for one in named if isinstance(one, Native) and one.signature == _STEP))


def preemptible_variant(steps: Sequence[Native], replacements: Sequence[Replacement] = ()) -> Variant:
    """Copies of all modules that some steps have kernels from and that access anything atomically.

    Parameters
    ----------
    steps : sequence of Native
    replacements : sequence of Replacement, optional
        Functions to exchange besides.

    Raises
    ------
    SourceError
        If a module cannot be copied.
    """
    entries = list(dict.fromkeys(_module_of(step) for step in steps))
    return Variant(entries, replacements, {atomics: preemption}, kernel_modules(steps))


def _module_of(step: Native) -> ModuleType:
    return sys.modules[step.function.__module__]


def shared_steps() -> tuple[Native, ...]:
    """Steps of workers of any strategy over multi-version memory: to gather hints from any source, to make a list."""
    sources = [type(found) for found in map(source_of, SOURCES) if found is not None]
    return (*steps_of([*sources, EncodedList]), list_step)


@cache
def _of_all_built_in() -> Variant | None:
    """Copies for all that is built in at once, so that what several of them share is compiled once."""
    strategies = map(registry.get, registry.built_in(variants=True))
    kinds = [kind for kind in strategies if issubclass(kind, OptimisticStrategy)]
    try:
        return preemptible_variant((*steps_of(kinds), *shared_steps()))
    except SourceError:
        return None


@cache
def _copied_alone(step: Native) -> Native:
    """A step's copy, without other changes; the step itself if there is no source to copy."""
    try:
        return _copy_in(preemptible_variant([step]), step)
    except SourceError:
        return step


def _copy_in(variant: Variant, step: Native) -> Native:
    found: Native = getattr(variant.module(_module_of(step)), step.function.__name__)
    return found


def _cut(step: Native, variant: Variant | None) -> Native:
    """A step's copy: that of a variant if it has one, else that of all built-in strategies', else one of its own."""
    for one in (variant, _of_all_built_in()):
        if one is not None and step.function.__module__ in one.copied:
            return _copy_in(one, step)
    return _copied_alone(step)


def _cut_runs(space: Workspace, steps: Sequence[Native], variant: Variant | None) -> None:
    """Let a workspace drive copies instead of steps."""
    run = space.run

    def run_cut(step: Native, *arguments: Any, **options: Any) -> None:
        # Only what has been compiled can have given its address to anyone.
        known = {one.address: _cut(one, variant) for one in steps if one._compiled is not None}
        for memory in (space.own_shared, space.own_workers):
            if memory is not None:
                _exchange_addresses(memory, known)
        run(_cut(step, variant), *arguments, **options)

    space.run = run_cut  # type: ignore[method-assign]  # of this one only


def _exchange_addresses(memory: Any, known: dict[int, Native]) -> None:
    """Wherever a struct has the address of a step, put that of its copy."""
    for name in memory.dtype.names:
        words = np.atleast_1d(memory[name])
        for address in set(words.ravel().tolist()) & known.keys():
            memory[name] = np.where(memory[name] == address, known[address].address, memory[name])


def repeatable(kind: type[OptimisticStrategy]) -> type[OptimisticStrategy]:
    """Make the same strategy, but with nothing left in its memory from the block before.

    Strategies do not clear what they do not read. A bug that makes one read it would depend on what was run before.
    """

    def workspace(self: Any, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        space = kind.workspace(self, image, state, workers, scale)
        space.arena[: int(space.shared["arena_used"])] = 0
        return space

    return type(kind.__name__, (kind,), {"workspace": workspace})


def preemptible(kind: type[OptimisticStrategy], variant: Variant | None = None) -> type[OptimisticStrategy]:
    """Make the same strategy with steps that can be cut in two, as far as the source of their modules can be had.

    Parameters
    ----------
    kind : type
    variant : Variant, optional
        Has copies with other changes besides; by default each step is copied as it is.
    """
    attach()
    steps, plain = steps_of([kind]), repeatable(kind)

    def workspace(self: Any, image: BlockImage, state: State, workers: int, scale: int) -> Workspace:
        space = plain.workspace(self, image, state, workers, scale)
        if "run" not in vars(space):
            _cut_runs(space, steps, variant)
        return space

    return type(kind.__name__, (plain,), {"workspace": workspace})
