"""The Python interface, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.archive.store import Store
from harness.archive.writing import check_folder
from harness.frame import to_frame
from harness.measure.engine import Engine
from harness.observer import Observer
from harness.request import DEFAULT_BLOCK_SIZE, DEFAULT_REPEAT, DEFAULT_WORKERS, DialValue, Request, unique

if TYPE_CHECKING:
    import pandas


def run(
    workloads: str | Iterable[str] | None = None,
    strategies: str | Iterable[str] | None = None,
    workers: int | Iterable[int] | None = None,
    dials: Mapping[str, DialValue] | None = None,
    block_size: int = DEFAULT_BLOCK_SIZE,
    repeat: int = DEFAULT_REPEAT,
    seed: int = 1,
    processes: int = 2,
    timeout: float = 300.0,
    blocks: str | Path | Iterable[str | Path] = (),
    clock: str = "wall",
    costs: str | Path | None = None,
    network: str | None = None,
    sweep: tuple[str, Iterable[DialValue]] | None = None,
    suite: str | None = None,
    block_count: int = 1,
    load: float | None = None,
    rate: float | None = None,
    results: str | Path | None = None,
    observer: Observer | None = None,
) -> pandas.DataFrame:
    """Measure cells, every timed run verified, exactly as ``contend run`` does.

    Parameters
    ----------
    workloads, strategies : str or iterable of str, optional
        Names (``contend list`` shows them), or ``"all"``; by default all strategies, and four workloads that differ.
    workers : int or iterable of int, optional
        Worker counts, each for every strategy that is parallel. By default 1 and 2; 1, 2, 4, ..., 32 virtual ones.
    dials : mapping, optional
        Overrides of dials: ``{"pools": 1}``, or ``{"swaps.pools": 1}`` for one workload; ``{"preset": "burst-day"}``.
    block_size : int
        Transactions.
    repeat : int
        Timed runs of each cell.
    seed : int
        Of the workloads.
    processes : int
        Independent measuring processes.
    timeout : float
        Seconds after which a run without a sign of life counts as failed.
    blocks : path or iterable of paths
        Block files for the workload ``replay``.
    clock : str
        ``wall`` or ``virtual``.
    costs : str or Path, optional
        Table of costs for the virtual clock, instead of the one that is part of the project.
    network : str, optional
        Simulated between shards: a name of `strategies.virtual_network.NETWORKS`, or ``latency:overhead`` in ns.
    sweep : tuple, optional
        A dial and its values: ``("pools", [1, 10, 100])``. Workloads that have it are measured with each of them.
    suite : str, optional
        Name or file of a suite, which fixes workloads, dials, seed and block size.
    block_count : int
        Blocks in a row, each executed on the state that the one before left; latency is then reported, too.
    load : float, optional
        Of several blocks: rate at which transactions arrive, as a share of the serial strategy's throughput; 0.8.
    rate : float, optional
        The same in transactions per second.
    results : str or Path, optional
        Folder in which ``records/`` gets a record; nothing is written by default.
    observer : Observer, optional
        Told about progress.

    Returns
    -------
    DataFrame
        One row a cell, failed ones included; columns as in `harness.frame.COLUMNS`.

    Raises
    ------
    BadInputError
        If a name, a dial, a number or the results folder is refused; nothing was measured or written.

    Examples
    --------
    >>> import harness
    >>> cells = harness.run("swaps", ["serial", "block_stm"], workers=2, dials={"pools": 1})  # doctest: +SKIP
    >>> cells[["strategy", "workers", "tx_per_second", "speedup"]]  # doctest: +SKIP
    """
    if workers is None:
        workers = DEFAULT_WORKERS.get(clock, (1,))
    if suite is not None:
        from harness.suite_file import read

        fixed = read(suite)
        seed, block_size = fixed.seed, fixed.block_size
    request = Request(
        workloads=_names(workloads),
        strategies=_names(strategies),
        workers=unique([workers] if isinstance(workers, int) else workers),
        dials=dict(dials or {}),
        block_size=block_size,
        repeat=repeat,
        seed=seed,
        processes=processes,
        timeout=timeout,
        blocks=tuple(str(path) for path in ([blocks] if isinstance(blocks, str | Path) else blocks)),
        clock=clock,
        costs=None if costs is None else str(costs),
        network=network,
        sweep=None if sweep is None else (sweep[0], unique(sweep[1])),
        suite=suite,
        block_count=block_count,
        load=load,
        rate=rate,
    )
    engine = Engine(request, observer or Observer())
    if results is not None:
        store = Store(Path(results))
        check_folder(store.folder)
        engine.accepted, engine.save = store.open, store.write
        try:
            return to_frame([engine.run()])
        finally:
            store.close()
    return to_frame([engine.run()])


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
        All cells of the record, those measured before included; columns as in `harness.frame.COLUMNS`.

    Raises
    ------
    BadInputError
        If the record cannot be read, is complete, is being measured, or what is missing cannot be measured under the
        same conditions; nothing was measured or written.
    """
    from harness.archive.resume import read_incomplete, request_of

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


def _names(names: str | Iterable[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else unique(names)
