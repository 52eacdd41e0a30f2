"""From a request to the cells that are measured: names looked up, dials resolved."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import DialValue, unique
from contend.harness.plan.request import ALL, DEFAULT, DEFAULT_BASELINE, NO_STAGE, Request

BASELINE = DEFAULT_BASELINE
REPLAY = "replay"
LIMIT = "machine's limit"
"""Stands for a strategy where serial runs are timed that execute at once, each by itself: what this machine can do."""


class CellKey(NamedTuple):
    """One cell of a workload's table: a strategy, with what it is given, and a number of workers."""

    strategy: str
    workers: int

    def __str__(self) -> str:
        return f"{self.strategy} with {self.workers} worker{'s' if self.workers > 1 else ''}"


BASELINE_CELL = CellKey(BASELINE, 1)


@dataclass(frozen=True)
class WorkloadPlan:
    """A workload and the value of every one of its dials.

    Attributes
    ----------
    name : str
    dials : dict
    label : str
        What tables and records call it, where that is not its name.
    expected : tuple of str or None, optional
        Digests of genesis and block that a suite promises; None for what it does not say.
    file : str, optional
        Of the block, where it is replayed.
    block_count : int, optional
        Blocks in a row.
    own_title : str, optional
        What the workload calls itself where its name is a path, for charts.
    """

    name: str
    dials: dict[str, DialValue]
    label: str = ""
    expected: tuple[str | None, str | None] = (None, None)
    file: str | None = None
    block_count: int = 1
    own_title: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        """Title in tables and records: files are told apart."""
        if self.label:
            return self.label
        return self.name if self.file is None else f"{self.name}:{_stem(self.file)}"


@dataclass(frozen=True)
class MeasurementPlan:
    """Measurement plan: the workloads and cells that a request means.

    Attributes
    ----------
    workloads : tuple of WorkloadPlan
    cells : tuple of CellKey
        Measured for every workload, the serial baseline always and first.
    reported : frozenset of CellKey
        The cells that were asked for: all of them, except that the baseline may be there for comparison only.
    kernels_digest : str
        Digest of the kernel sources, those of plug-ins among the strategies included.
    cold : bool
        Whether kernels of these strategies were missing from the compilation cache.
    cold_strategies : tuple of str
        Of which strategies, the baseline first; empty where an older version does not say.
    costs_digest : str or None
        Digest of the cost table, where time is simulated.
    llvm : str or None
        Version of LLVM.
    """

    workloads: tuple[WorkloadPlan, ...]
    cells: tuple[CellKey, ...]
    reported: frozenset[CellKey]
    kernels_digest: str
    cold: bool
    costs_digest: str | None = None
    llvm: str | None = None
    cold_strategies: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Show what is to be measured as a record keeps it."""
        return {
            "workloads": [
                {"workload": one.title, "dials": one.dials}
                | ({"block_count": one.block_count} if one.block_count > 1 else {})
                for one in self.workloads
            ],
            "cells": [{"strategy": one.strategy, "workers": one.workers} for one in self.cells if one in self.reported],
        }


def resolve(request: Request) -> MeasurementPlan:
    """Look up names and dials. Imports every strategy and workload that is named, and with them the compiler.

    Raises
    ------
    BadInputError
        For a name that is not registered, a plug-in that cannot be imported, or a dial that does not exist, is of the
        wrong type, or is out of range.
    """
    from llvmlite.binding import llvm_version_info

    from contend.harness.kernels import is_cold, sources_digest
    from contend.harness.plan.chosen_model import read_model
    from contend.harness.plan.contenders import contenders
    from contend.strategies import registry as strategies

    workloads = plan_workloads(request)
    _check_stages(request.stages)
    named = [name for name in request.strategies if name not in (ALL, DEFAULT)]
    kinds = {name: lookup(strategies, name) for name in chosen_strategies(request.strategies)}
    # Those that the user did not name in particular are measured if they run under this clock.
    kinds = {name: kind for name, kind in kinds.items() if name in named or request.clock in kind.clocks}
    for name, kind in kinds.items():
        if request.clock not in kind.clocks:
            raise BadInputError(
                f"strategy {name!r} does not run under the {request.clock} clock, only under: {', '.join(kind.clocks)}"
            )
    kinds = contenders(kinds, request, named, lambda name: lookup(strategies, name))
    _check_baseline(request.baseline, kinds)
    parallel = {name: bool(kind.parallel) for name, kind in kinds.items()}
    _check_pipeline(request, kinds)
    digest = costs_digest(request)
    if request.model is not None:
        read_model(request.model)
    # In a pipeline the other stages have use for more workers than serial execution has.
    alone = () if request.pipeline == NO_STAGE else tuple(count for count in request.workers if count > 1)
    wanted = tuple(
        CellKey(name, workers)
        for name in kinds
        for workers in (request.workers if parallel[name] else (1, *alone) if name == BASELINE else (1,))
    )
    cells = (BASELINE_CELL, *(cell for cell in wanted if cell != BASELINE_CELL))
    cold = tuple(name for name in dict.fromkeys(cell.strategy for cell in cells) if is_cold(name))
    return MeasurementPlan(
        workloads=workloads,
        cells=cells,
        reported=frozenset(wanted),
        kernels_digest=sources_digest(kinds.values(), with_stages=bool(request.stages)),
        cold=bool(cold),
        costs_digest=digest,
        llvm=".".join(map(str, llvm_version_info)),
        cold_strategies=cold,
    )


def _check_stages(asked: Mapping[str, str]) -> None:
    """Refuse stages of a node that cannot be had here."""
    if not asked:
        return
    from contend.node.base import StageError
    from contend.node.registry import check

    try:
        check(asked)
    except StageError as error:
        raise BadInputError(one_line(error)) from None


def _check_pipeline(request: Request, kinds: Mapping[str, Any]) -> None:
    """Refuse strategies and worker counts that no pipeline can be made of."""
    from contend.node.registry import seats_of
    from contend.node.seats import EXECUTION
    from contend.strategies.compiled import CompiledStrategy
    from contend.strategies.sharded.strategy import Sharded

    seats = seats_of(request.stages)
    if seats is None:
        return
    others = [name for name, kind in kinds.items() if not issubclass(kind, CompiledStrategy)]
    if seats.shared or not request.simulated:
        others += [name for name, kind in kinds.items() if issubclass(kind, Sharded)]
    if others:
        raise BadInputError(
            f"pipeline: {', '.join(others)}: workers that cannot be driven together with those of other stages; "
            "name other strategies (shards go with split:... and --clock virtual)"
        )
    phases = {"signatures": "recover", "root": "root"}
    stations = [EXECUTION, *(phase for option, phase in phases.items() if option in request.stages)]
    for workers in request.workers:
        try:
            seats.divide(workers, stations)
        except ValueError as error:
            raise BadInputError(f"pipeline: {error}") from None


def _check_baseline(baseline: str, measured: Iterable[str]) -> None:
    """Refuse a baseline that is not measured: what the strategies are held against runs in every round of theirs."""
    from contend.workloads.suggest import nearest

    known = list(dict.fromkeys([BASELINE, *measured]))
    if baseline not in known:
        raise BadInputError(
            f"baseline: {baseline!r} is not measured{nearest(baseline, known)}; measured are {', '.join(known)}; "
            "name it among the strategies, too"
        )


def chosen_strategies(asked: Iterable[str]) -> tuple[str, ...]:
    """Strategies that names stand for; a plug-in's only where it is named."""
    from contend.strategies import registry

    groups = {ALL: registry.built_in(variants=True), DEFAULT: registry.built_in()}
    return _expanded(asked, groups)


def chosen_workloads(asked: Iterable[str]) -> tuple[str, ...]:
    """Workloads that names stand for; a plug-in's only where it is named."""
    from contend.workloads import registry

    return _expanded(asked, {ALL: tuple(registry.BUILT_IN), DEFAULT: registry.DEFAULT})


def _expanded(asked: Iterable[str], groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return unique(one for name in tuple(asked) or (DEFAULT,) for one in groups.get(name, (name,)))


def costs_digest(request: Request) -> str | None:
    """Digest of the cost table that a request asks for; None under the wall clock.

    Raises
    ------
    BadInputError
        If the table cannot be used.
    """
    from contend.harness.plan.clock_options import read_costs, read_network

    read_network(request.network)
    return read_costs(request.costs).digest if request.simulated else None


def plan_workloads(request: Request) -> tuple[WorkloadPlan, ...]:
    """Workloads of a request with all their dials; a replay for each block file.

    Raises
    ------
    BadInputError
        As `resolve`, and for a block file that cannot be read.
    """
    from contend.workloads import registry

    if request.suite is not None:
        return _suite(request)
    names = chosen_workloads(request.workloads)
    dials = {name: dials_of(name) for name in names}
    overrides = split_overrides(request.dials, dials)
    if (REPLAY in names) != bool(request.blocks):
        raise BadInputError(f"workload {REPLAY} and block files go together: --workload {REPLAY} --block PATH")
    if REPLAY in names and request.block_count > 1:
        raise BadInputError(f"block count: each file of {REPLAY} is one block; leave that option out")
    variants = _variants(request, dials, overrides)
    plans = []
    for name in names:
        if name == REPLAY:
            plans += [_replay(path) for path in _block_files(request.blocks)]
        else:
            title = lookup(registry, name).title
            plans += [
                WorkloadPlan(name, resolve_dials(name, turned), block_count=request.block_count, own_title=title)
                for turned in variants(name, overrides[name])
            ]
    return _timed(request, tuple(plans))


def _timed(request: Request, plans: tuple[WorkloadPlan, ...]) -> tuple[WorkloadPlan, ...]:
    """The plans, if they make use of a rate that transactions are to arrive at."""
    if (request.load, request.rate) != (None, None) and all(plan.block_count == 1 for plan in plans):
        raise BadInputError("load, rate: say how fast the transactions of several blocks arrive; add --block-count")
    return plans


def _block_files(paths: Iterable[str]) -> tuple[str, ...]:
    """Block files that are asked for, those of a folder by number; each once."""
    from contend.workloads.files.block_folder import block_files
    from contend.workloads.files.fields import FieldError

    try:
        return unique(file for path in paths for file in block_files(path))
    except FieldError as error:
        raise BadInputError(one_line(error)) from None


def _replay(path: str) -> WorkloadPlan:
    """Plan the block of a file, which is read here once, so that a bad one is found before anything is measured."""
    from contend.workloads.files.block_file import read_block
    from contend.workloads.files.fields import FieldError

    try:
        read_block(path)
    except FieldError as error:
        raise BadInputError(one_line(error)) from None
    return WorkloadPlan(REPLAY, {"file": path}, file=path)


def _stem(path: str) -> str:
    return os.path.basename(path).removesuffix(".gz").removesuffix(".json")


def _variants(
    request: Request, dials: Mapping[str, Iterable[str]], overrides: Mapping[str, Mapping[str, DialValue]]
) -> Callable[[str, dict[str, DialValue]], list[dict[str, DialValue]]]:
    """Make the dials of every cell of a sweep from those that are set: none for a workload that is not swept.

    Raises
    ------
    BadInputError
        For a dial that is set as well.
    """
    if request.sweep is None:
        return lambda name, turned: [turned]
    dial, values = request.sweep
    takers = {name for name, split in split_overrides({dial: values[0]}, dials).items() if split}
    own = dial.rpartition(".")[2]
    both = [name for name in dials if name in takers and own in overrides[name]]
    if both:
        raise BadInputError(
            f"dial {own}: set to {overrides[both[0]][own]} and swept over {', '.join(map(str, values))} "
            f"in {', '.join(both)}; leave one of the two out"
        )
    return lambda name, turned: [turned | {own: value} for value in values] if name in takers else []


def _suite(request: Request) -> tuple[WorkloadPlan, ...]:
    """The workloads of a suite, which fixes all that makes a block."""
    from contend.harness.plan import suites
    from contend.workloads import registry

    suite = suites.read(str(request.suite))
    if request.workloads or request.dials or request.sweep:
        raise BadInputError(f"suite {suite.name}: fixes workloads and dials; leave out --workload, --set and --sweep")
    for what, given, fixed in (
        ("seed", request.seed, suite.seed),
        ("block size", request.block_size, suite.block_size),
        # Each entry has its own.
        ("block count", request.block_count, 1),
    ):
        if given != fixed:
            raise BadInputError(f"suite {request.suite}: fixes the {what} at {fixed}; leave that option out")
    plans = []
    for place, entry in enumerate(suite.entries, 1):
        try:
            lookup(registry, entry.workload)
            dials = resolve_dials(entry.workload, entry.dials)
        except BadInputError as error:
            raise BadInputError(f"suite {request.suite}: [[workloads]] {place}: {error}") from error
        digests = (entry.genesis, entry.block)
        plans.append(WorkloadPlan(entry.workload, dials, entry.label, digests, block_count=entry.block_count))
    return _timed(request, tuple(plans))


def dials_of(workload_name: str) -> tuple[str, ...]:
    """Names of what can be set of a workload: its dials, and ``preset`` where it has presets.

    Raises
    ------
    BadInputError
        If it is not registered, or its plug-in cannot be imported.
    """
    from contend.workloads import registry
    from contend.workloads.dials import PRESET

    workload = lookup(registry, workload_name)
    return (*(dial.name for dial in workload.dials), *((PRESET,) if workload.presets else ()))


def resolve_dials(workload: str, overrides: Mapping[str, DialValue]) -> dict[str, DialValue]:
    """Every dial of one workload with its value.

    Raises
    ------
    BadInputError
        For a dial that does not exist, is of the wrong type, or is out of range.
    """
    from contend.workloads import DialError, registry
    from contend.workloads import resolve_dials as resolve_all

    try:
        return dict(resolve_all(registry.get(workload), overrides))
    except DialError as error:
        raise BadInputError(one_line(error)) from error


def lookup(registry: Any, name: str) -> Any:
    """Find the class registered under `name` by the module ``strategies.registry`` or ``workloads.registry``.

    Raises
    ------
    BadInputError
        If no such name is registered, or its plug-in cannot be imported.
    """
    try:
        return registry.get(name)
    except (registry.UnknownName, registry.PluginError) as error:
        raise BadInputError(one_line(error)) from error


def split_overrides(
    settings: Mapping[str, DialValue], dials: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, DialValue]]:
    """Overrides of dials by workload.

    Parameters
    ----------
    settings : mapping
        ``dial`` goes to every workload that has such a dial, ``workload.dial`` to that one, whichever comes last.
    dials : mapping
        Names of the dials by chosen workload.

    Raises
    ------
    BadInputError
        For a setting that no chosen workload takes.
    """
    from contend.workloads.suggest import nearest

    split: dict[str, dict[str, DialValue]] = {name: {} for name in dials}
    for setting, value in settings.items():
        workload, dot, dial = setting.rpartition(".")
        if dot and workload not in dials:
            raise BadInputError(f"dial {setting}: workload {workload!r} is not among those chosen ({', '.join(dials)})")
        takers = [name for name in ([workload] if dot else dials) if dial in dials[name]]
        if not takers:
            known = sorted({one for name in ([workload] if dot else dials) for one in dials[name]})
            whose = workload or ", ".join(dials)
            raise BadInputError(f"unknown dial {dial!r}{nearest(dial, known)}; dials of {whose}: {', '.join(known)}")
        for name in takers:
            split[name][dial] = value
    return split


def one_line(error: BaseException) -> str:
    """Put the text of an error in one line; its type where it has no text."""
    # A LookupError such as KeyError shows its argument quoted; the argument itself is the sentence.
    text = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return " ".join(text.split()) or type(error).__name__
