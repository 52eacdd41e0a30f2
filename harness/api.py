"""The Python interface, for notebooks and scripts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pandas

from contend.harness.measure.run_request import Engine
from contend.harness.observer import Observer
from contend.harness.plan.options import parameters_section, signature
from contend.harness.plan.request import Request
from contend.harness.plan.suites import fixed_by_suite
from contend.harness.record.atomic_write import check_folder
from contend.harness.record.frame import to_frame
from contend.harness.record.store import Store

P = ParamSpec("P")
C = TypeVar("C", bound=Request)
R = TypeVar("R")


@dataclass(frozen=True)
class RunArguments(Request):
    """A request, and what else `run` can be told."""

    results: str | Path | None = None
    observer: Observer | None = None

    def request(self) -> Request:
        """The request alone, which can be sent to other processes."""
        return Request(**{field.name: getattr(self, field.name) for field in fields(Request)})


def takes_options(arguments: Callable[P, C]) -> Callable[[Callable[[C], R]], Callable[P, R]]:
    """Give a function the parameters of a request's class: names, types, defaults and documentation.

    The options are declared once, as fields of `Request`. The type checker sees the constructor's parameters, notebooks
    see them as the function's signature and in its docstring, whose section ``Parameters`` begins with them.

    Parameters
    ----------
    arguments : type
        `Request`, or a dataclass derived from it. The function gets one of its instances.
    """

    def decorate(function: Callable[[C], R]) -> Callable[P, R]:
        make: Any = arguments
        parameters = signature(make)

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            given = parameters.bind(*args, **kwargs).arguments
            said = {name: value for name, value in given.items() if value is not None}
            return function(make(**fixed_by_suite(said) | said))

        documented: Any = called
        documented.__signature__ = parameters.replace(return_annotation=function.__annotations__["return"])
        heading = "Parameters\n----------\n"
        text = inspect.cleandoc(function.__doc__ or "")
        documented.__doc__ = text.replace(heading, f"{heading}{parameters_section(make)}\n", 1)
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
        All cells of the record, those measured before included; columns as in `harness.record.frame.COLUMNS`.

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
