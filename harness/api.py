"""The Python interface, for notebooks and scripts: what `contend.run` and its like are.

Imported lazily by `contend`, since the command line must answer before pandas is there.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pandas

from contend.harness.compare.comparison_request import ComparisonRequest
from contend.harness.compare.exit_policy import SLOWER, checked_fail_on, checked_rate, checked_share
from contend.harness.compare.result_frame import ComparisonResult, result_of
from contend.harness.compare.targets import Records, parse_target
from contend.harness.compare.verdict import Rule
from contend.harness.errors import BadInputError, RecordWarning
from contend.harness.measure.cluster.choice import executor_for
from contend.harness.measure.keeper import Keeper
from contend.harness.measure.run_request import Engine
from contend.harness.observer import Observer
from contend.harness.plan.catalogue import catalogue
from contend.harness.plan.implied import implied
from contend.harness.plan.options import options, parameters_section, signature
from contend.harness.plan.request import Request
from contend.harness.present.notebook.cells_frame import Cells
from contend.harness.present.notebook.notebook_display import watching
from contend.harness.record.atomic_write import check_folder
from contend.harness.record.frame import to_frame
from contend.harness.record.store import Store

P = ParamSpec("P")
C = TypeVar("C", bound=Request)
R = TypeVar("R")
_OPTIONS = "<options>\n"


@dataclass(frozen=True)
class RunArguments(Request):
    """A request, and what else `run` can be told."""

    results: str | Path | None = None
    observer: Observer | None = None

    def request(self) -> Request:
        """The request alone, which can be sent to other processes."""
        return Request(**{field.name: getattr(self, field.name) for field in fields(Request)})


def takes_options(
    arguments: Callable[P, C], without: Collection[str] = ()
) -> Callable[[Callable[[C], R]], Callable[P, R]]:
    """Give a function the parameters of a request's class: names, types, defaults and documentation.

    The options are declared once, as fields of `Request`. The type checker sees the constructor's parameters, notebooks
    see them as the function's signature and in its docstring: in the section ``Parameters``, where a line ``<options>``
    is, or at its beginning.

    Parameters
    ----------
    arguments : type
        `Request`, or a dataclass derived from it. The function gets one of its instances.
    without : collection of str, optional
        Fields that the function does not take; they keep their defaults.
    """

    def decorate(function: Callable[[C], R]) -> Callable[P, R]:
        make: Any = arguments
        every = signature(make)
        parameters = every.replace(parameters=[one for name, one in every.parameters.items() if name not in without])

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            given = parameters.bind(*args, **kwargs).arguments
            said = {name: value for name, value in given.items() if value is not None}
            return function(make(**implied(said, make) | said))

        documented: Any = called
        documented.__signature__ = parameters.replace(return_annotation=function.__annotations__["return"])
        heading = "Parameters\n----------\n"
        text = inspect.cleandoc(function.__doc__ or "")
        if _OPTIONS not in text:
            text = text.replace(heading, f"{heading}{_OPTIONS}", 1)
        documented.__doc__ = text.replace(_OPTIONS, f"{parameters_section(make, without)}\n")
        return called

    return decorate


@takes_options(RunArguments)
def run(arguments: RunArguments) -> pandas.DataFrame:
    """Measure cells, every timed run verified, exactly as ``contend run`` does.

    Parameters
    ----------
    results : str or Path, optional
        Folder in which ``records/`` gets a record; nothing is written by default.
    observer : Observer, optional
        Told about progress. By default a notebook shows it, and nobody elsewhere.

    Returns
    -------
    DataFrame
        One row a cell, failed ones included; columns as in `contend.harness.record.frame.COLUMNS`. A notebook shows it
        as a table with speed-up and interval first (`contend.harness.present.notebook.cells_frame.Cells`).

    Raises
    ------
    BadInputError
        If a name, a dial, a number or the results folder is refused; nothing was measured or written.
    CrashError
        If nothing can be measured.
    KeyboardInterrupt
        If the user ended the run; its note says where what was measured until then can be read.

    Examples
    --------
    >>> import contend
    >>> cells = contend.run("swaps", ["serial", "block_stm"], workers=2, dials={"pools": 1})  # doctest: +SKIP
    >>> cells[["strategy", "workers", "tx_per_second", "speedup"]]  # doctest: +SKIP
    """
    engine = Engine(arguments.request(), executor=executor_for)
    keeper = None
    if arguments.results is not None:
        keeper = Keeper(Store(Path(arguments.results)), _warn)
        check_folder(keeper.store.folder)
        engine.accepted, engine.save = keeper.open, keeper.save
    return _watched(engine, keeper, arguments.observer)


def _warn(text: str) -> None:
    warnings.warn(text, RecordWarning, stacklevel=2)


def resume(record: str | Path, observer: Observer | None = None) -> pandas.DataFrame:
    """Measure what is missing of a record whose run was interrupted or killed, and complete the record.

    Parameters
    ----------
    record : str or Path
        The record, which is written anew; the request is its own.
    observer : Observer, optional
        Told about progress, as in `run`.

    Returns
    -------
    DataFrame
        All cells of the record, those measured before included; columns as in `contend.harness.record.frame.COLUMNS`.

    Raises
    ------
    BadInputError
        If the record cannot be read, is complete, is being measured, or what is missing cannot be measured under the
        same conditions; nothing was measured or written.
    """
    from contend.harness.record.resume import read_incomplete, request_of

    path = Path(record)
    request, store = request_of(path), Store(path.parent)
    try:
        # Claimed first: until then its run may still be going on.
        store.adopt(path)
        keeper = Keeper(store, _warn)
        engine = Engine(request, save=keeper.save, executor=executor_for)
        engine.resumed = read_incomplete(path)
    except BaseException:
        store.close()
        raise
    return _watched(engine, keeper, observer)


def _watched(engine: Engine, keeper: Keeper | None, observer: Observer | None) -> Cells:
    """Run an engine, watched by an observer, a notebook or nobody, and give its store free."""
    try:
        with watching(
            observer, lambda: engine.record, lambda: None if keeper is None else keeper.store.path
        ) as engine.observer:
            cells = Cells(to_frame([engine.run()]))
        if keeper is not None and keeper.failure is not None:
            _warn(f"{keeper.failure}; the cells are not on record")
        return cells
    finally:
        if keeper is not None:
            keeper.store.close()


@dataclass(frozen=True)
class _Sides:
    """What is compared; a base of its own, so that it stands before the options."""

    a: str | Path
    b: str | Path | None = None


@dataclass(frozen=True)
class CompareArguments(ComparisonRequest, _Sides):
    """A request, and what else `compare` can be told."""

    threshold: float = Rule.threshold
    virtual_threshold: float = Rule.virtual_threshold
    null: bool = False
    false_discovery_rate: float = Rule.false_discovery_rate
    fail_on: str | Iterable[str] = SLOWER
    observer: Observer | None = None

    def request(self) -> ComparisonRequest:
        """The request alone, which can be sent to other processes."""
        return ComparisonRequest(**{field.name: getattr(self, field.name) for field in fields(ComparisonRequest)})


_RUN_ONLY = frozenset(name for name, option in options(Request).items() if option.run_only)


@takes_options(CompareArguments, without=_RUN_ONLY)
def compare(arguments: CompareArguments) -> ComparisonResult:
    """Hold two measurements, two versions or strategies against each other, exactly as ``contend compare`` does.

    Versions are measured here and now in turns, A B B A; records have been measured already, and take no options of
    measuring. With records and `strategies`, the first strategy is what the others are held against, by pairs of runs
    of one round: is one faster than another?

    Parameters
    ----------
    a, b : str or Path
        Records or folders of records; or versions: git revisions, or folders with a checkout. Without `b`, `a` is a
        range: ``"main..HEAD"`` stands for main and HEAD, ``"main...HEAD"`` for where HEAD has branched off, and HEAD.
        With records and `strategies`, `a` and `b` are both places of records, and `b` may be left out.
    <options>
    threshold : float, default 0.05
        Growth of real time that counts, as a share.
    virtual_threshold : float, default 0.0
        Growth of simulated time that counts; it has no noise.
    null : bool, default False
        Whether to hold each version against itself, too, in exchanged places; what it differs by from itself is the
        floor below which no difference is claimed.
    false_discovery_rate : float, default 0.05
        Share of the differences claimed over all cells that may be none, on average; of versions, in real time.
    fail_on : str or iterable of str, default "slower"
        What makes a cell a regression: some of ``"slower"`` (also cells that fail in B only), ``"waste"`` (more aborts,
        executions or validations in simulated time), ``"inconclusive"``; or ``"never"``.
    observer : Observer, optional
        Told about progress.

    Returns
    -------
    ComparisonResult
        ``cells``, a DataFrame with a row a cell, the worst first; ``verdicts``, how many cells got each; ``exit_code``;
        ``summary``, ``notes``, ``as_json()``, ``markdown()``. Of strategies the same, each row with the ratio of the
        baseline's seconds to own (above 1 is faster), a verdict and a sentence.

    Raises
    ------
    BadInputError
        If a side cannot be read or is nothing of the kind, or a version refuses the request; nothing was written.
    CrashError
        If nothing can be measured.

    Warns
    -----
    RecordWarning
        For every file in a folder of records that cannot be read; it is left out.

    Examples
    --------
    >>> import contend
    >>> found = contend.compare("main", "HEAD", clock="virtual", workloads="swaps")  # doctest: +SKIP
    >>> found.cells.loc[found.cells["regression"], ["workload", "strategy", "ratio"]]  # doctest: +SKIP
    >>> found = contend.compare("results", strategies=["sharded", "block_stm"])  # doctest: +SKIP
    >>> found.cells[["workload", "workers", "ratio", "ratio_low", "ratio_high", "sentence"]]  # doctest: +SKIP
    """
    from contend.harness.compare.from_records import compare_records, read_side
    from contend.harness.compare.runner import VersionComparison
    from contend.harness.compare.targets import parse_targets
    from contend.harness.record.load_all import warn

    kinds = [arguments.fail_on] if isinstance(arguments.fail_on, str) else arguments.fail_on
    fail_on = checked_fail_on("fail_on", kinds)
    rule = Rule(
        checked_share("threshold", arguments.threshold),
        checked_share("virtual_threshold", arguments.virtual_threshold),
        checked_rate("false_discovery_rate", arguments.false_discovery_rate),
    )
    sides = (arguments.a,) if arguments.b is None else (arguments.a, arguments.b)
    if arguments.strategies and _are_records(sides):
        return _compare_strategies(arguments, sides, rule)
    a, b = parse_targets(tuple(map(str, sides)), Path.cwd())
    request = arguments.request()
    if isinstance(a, Records) and isinstance(b, Records):
        given = [name for name, value in request.as_json().items() if value != ComparisonRequest().as_json()[name]]
        given += ["null"] * arguments.null
        if given:
            raise BadInputError(f"{given[0]}: records have been measured already; the option is for revisions")
        read = read_side(a.path, warn), read_side(b.path, warn)
        return result_of(compare_records(*read, (a.label, b.label), rule, fail_on))
    assert not isinstance(a, Records) and not isinstance(b, Records)  # noqa: PT018  # sides of one kind only
    versions = VersionComparison(a, b, request, rule, fail_on, arguments.null)
    return result_of(versions.run(arguments.observer or Observer()))


def _are_records(sides: Iterable[str | Path]) -> bool:
    """Whether one is a place of records: a range of revisions is no place."""
    return any(
        isinstance(parse_target(str(side), Path.cwd()), Records) for side in sides if (Path.cwd() / side).exists()
    )


def _compare_strategies(arguments: CompareArguments, sides: Iterable[str | Path], rule: Rule) -> ComparisonResult:
    """Hold strategies of records against the first of them."""
    from contend.harness.compare.by_strategy.head_to_head import compare_strategies
    from contend.harness.compare.by_strategy.strategies_frame import strategies_result
    from contend.harness.compare.by_strategy.strategy_records import read_records
    from contend.harness.record.load_all import warn

    request: Request = arguments.request()
    usual = ComparisonRequest().as_json()
    given = [name for name, value in request.as_json().items() if value != usual[name]]
    if given != ["strategies"]:
        other = next(name for name in given if name != "strategies")
        raise BadInputError(f"{other}: records have been measured already; strategies says what is compared in them")
    records = read_records([str(side) for side in sides], warn)
    return strategies_result(compare_strategies(records, request.strategies, rule.threshold, rule.virtual_threshold))


def list_() -> dict[str, list[dict[str, Any]]]:
    """List what there is to measure: strategies, workloads with their dials, and suites, as ``contend list --json``.

    Returns
    -------
    dict
        ``strategies``: a list of dicts with ``name``, ``summary``, ``parallel``, ``error``. ``workloads``: ``name``,
        ``summary``, ``dials`` (each with ``name``, ``default``, ``summary``, ``low``, ``high`` and ``choices``),
        ``presets`` (each with ``name``, ``summary`` and ``dials``), ``error``. ``suites``: ``name``, ``summary``. An
        error says why a plug-in cannot be used, and is None where it can.

    Examples
    --------
    >>> import contend, pandas
    >>> sorted(contend.list())
    ['strategies', 'suites', 'workloads']
    >>> workloads = {one["name"]: one for one in contend.list()["workloads"]}
    >>> pandas.DataFrame(workloads["swaps"]["dials"])  # doctest: +SKIP
    """
    return catalogue()
