"""The Python interface, for notebooks and scripts: what `contend.run` and its like are.

Imported lazily by `contend`, since the command line must answer before pandas is there.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pandas

from contend.harness.compare.comparison_request import ComparisonRequest
from contend.harness.compare.exit_policy import SLOWER, checked_fail_on, checked_rate, checked_share
from contend.harness.compare.result_frame import ComparisonResult, result_of
from contend.harness.compare.verdict import Rule
from contend.harness.errors import BadInputError
from contend.harness.measure.run_request import Engine
from contend.harness.observer import Observer
from contend.harness.plan.catalogue import catalogue
from contend.harness.plan.options import options, parameters_section, signature
from contend.harness.plan.request import Request
from contend.harness.plan.suites import fixed_by_suite
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
            return function(make(**fixed_by_suite(said) | said))

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
        Told about progress.

    Returns
    -------
    DataFrame
        One row a cell, failed ones included; columns as in `contend.harness.record.frame.COLUMNS`.

    Raises
    ------
    BadInputError
        If a name, a dial, a number or the results folder is refused; nothing was measured or written.
    CrashError
        If nothing can be measured.

    Examples
    --------
    >>> import contend
    >>> cells = contend.run("swaps", ["serial", "block_stm"], workers=2, dials={"pools": 1})  # doctest: +SKIP
    >>> cells[["strategy", "workers", "tx_per_second", "speedup"]]  # doctest: +SKIP
    """
    engine = Engine(arguments.request(), arguments.observer or Observer())
    if arguments.results is None:
        return to_frame([engine.run()])
    store = Store(Path(arguments.results))
    check_folder(store.folder)
    engine.accepted, engine.save = store.open, store.write
    try:
        return to_frame([engine.run()])
    finally:
        store.close()


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
        engine = Engine(request, observer or Observer(), save=store.write)
        engine.resumed = read_incomplete(path)
        return to_frame([engine.run()])
    finally:
        store.close()


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
    """Hold two measurements or two versions of Contend against each other, exactly as ``contend compare`` does.

    Versions are measured here and now in turns, A B B A; records have been measured already, and take no options of
    measuring.

    Parameters
    ----------
    a, b : str or Path
        Records or folders of records; or versions: git revisions, or folders with a checkout. Without `b`, `a` is a
        range: ``"main..HEAD"`` stands for main and HEAD, ``"main...HEAD"`` for where HEAD has branched off, and HEAD.
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
        ``summary``, ``notes``, ``as_json()``, ``markdown()``.

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
    """
    from contend.harness.compare.from_records import compare_records, read_side
    from contend.harness.compare.runner import VersionComparison
    from contend.harness.compare.targets import Records, parse_targets
    from contend.harness.record.load_all import warn

    kinds = [arguments.fail_on] if isinstance(arguments.fail_on, str) else arguments.fail_on
    fail_on = checked_fail_on("fail_on", kinds)
    rule = Rule(
        checked_share("threshold", arguments.threshold),
        checked_share("virtual_threshold", arguments.virtual_threshold),
        checked_rate("false_discovery_rate", arguments.false_discovery_rate),
    )
    sides = (arguments.a,) if arguments.b is None else (arguments.a, arguments.b)
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
