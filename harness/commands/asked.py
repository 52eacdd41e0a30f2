"""Options that say what to measure, defined once for every command that takes them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ParamSpec, TypeVar

import click
from click.core import ParameterSource

from harness.plan.request import (
    DEFAULT_BLOCK_SIZE,
    DEFAULT_REPEAT,
    DEFAULT_WORKERS,
    Request,
    parse_dials,
    parse_names,
    parse_sweep,
    parse_workers,
)

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "workloads": (
        ("--workload", "-w"),
        {
            "metavar": "NAMES",
            "help": "Workloads, separated by commas, or all.  [default: payments,swaps,nft,dao]",
        },
    ),
    "suite": (
        ("--suite",),
        {"metavar": "NAME", "help": "Measure the fixed blocks of a suite, for instance standard-1, or of a file."},
    ),
    "strategies": (
        ("--strategy", "-s"),
        {"metavar": "NAMES", "help": "Strategies, separated by commas.  [default: all]"},
    ),
    "workers": (
        ("--workers",),
        {
            "metavar": "COUNTS",
            "help": "Worker counts, separated by commas; 1,2,...,1024 for powers of two.  "
            "[default: 1,2; virtual: 1,2,...,32]",
        },
    ),
    "clock": (
        ("--clock",),
        {
            "type": click.Choice(["wall", "virtual"]),
            "default": "wall",
            "show_default": True,
            "help": "Real threads and real time, or simulated workers, whose figures are the same everywhere.",
        },
    ),
    "costs": (
        ("--costs",),
        {"metavar": "FILE", "help": "Table of costs for the virtual clock.  [default: the project's]"},
    ),
    "network": (
        ("--network",),
        {
            "metavar": "NAME",
            "help": "Simulated network between shards: same_machine, rack, datacenter, region, wide_area, or "
            "latency:overhead in nanoseconds.  [default: same_machine]",
        },
    ),
    "settings": (
        ("--set",),
        {
            "metavar": "DIAL=VALUE",
            "multiple": True,
            "help": "Turn a dial, for instance pools=1 or swaps.pools=1; preset=NAME turns several. Repeatable.",
        },
    ),
    "sweep": (
        ("--sweep",),
        {
            "metavar": "DIAL=VALUES",
            "help": "Measure every workload that has this dial with each of these values, for instance pools=1,10,100.",
        },
    ),
    "block_size": (
        ("--block-size",),
        {"type": int, "default": DEFAULT_BLOCK_SIZE, "show_default": True, "help": "Transactions in a block."},
    ),
    "block_count": (
        ("--block-count",),
        {
            "type": int,
            "default": 1,
            "show_default": True,
            "help": "Blocks in a row, each on the state that the one before left; latency is then reported, too.",
        },
    ),
    "blocks": (
        ("--block",),
        {"metavar": "FILE", "multiple": True, "help": "Block for the workload replay. Repeatable."},
    ),
    "repeat": (
        ("--repeat",),
        {"type": int, "default": DEFAULT_REPEAT, "show_default": True, "help": "Timed runs of each cell."},
    ),
    "seed": (("--seed",), {"type": int, "default": 1, "show_default": True, "help": "Seed of the workloads."}),
    "processes": (
        ("--processes",),
        {
            "type": int,
            "default": 2,
            "show_default": True,
            "help": "Independent measuring processes; they take turns.",
        },
    ),
    "timeout": (
        ("--timeout",),
        {
            "type": float,
            "default": 300.0,
            "show_default": True,
            "metavar": "SECONDS",
            "help": "End a run that gives no sign of life for so long.",
        },
    ),
}


@dataclass(frozen=True)
class Asked:
    """What the options say, as they were given.

    Attributes
    ----------
    workloads, suite, strategies, workers, clock, costs, network, settings, sweep : str or None
    block_size, block_count, repeat, seed, processes : int
    blocks : tuple of str
    timeout : float
        As `harness.plan.request.Request` has them, but not parsed; ``settings`` are its dials.
    given : frozenset of str
        Which of them were given on the command line.
    """

    workloads: str | None = None
    suite: str | None = None
    strategies: str | None = None
    workers: str | None = None
    clock: str = "wall"
    costs: str | None = None
    network: str | None = None
    settings: tuple[str, ...] = ()
    sweep: str | None = None
    block_size: int = DEFAULT_BLOCK_SIZE
    block_count: int = 1
    blocks: tuple[str, ...] = ()
    repeat: int = DEFAULT_REPEAT
    seed: int = 1
    processes: int = 2
    timeout: float = 300.0
    given: frozenset[str] = frozenset()

    def request(self, **others: Any) -> Request:
        """Parse them.

        Parameters
        ----------
        **others
            Fields of `Request` that no option here is for, or that the command decides.

        Raises
        ------
        BadInputError
            If something cannot be parsed.
        """
        seed, block_size = self._fixed_by_suite()
        asked: dict[str, Any] = {
            "workloads": parse_names(self.workloads),
            "strategies": parse_names(self.strategies),
            "workers": DEFAULT_WORKERS[self.clock] if self.workers is None else parse_workers(self.workers),
            "dials": parse_dials(self.settings),
            "block_size": block_size,
            "block_count": self.block_count,
            "blocks": self.blocks,
            "repeat": self.repeat,
            "seed": seed,
            "processes": self.processes,
            "timeout": self.timeout,
            "clock": self.clock,
            "costs": self.costs,
            "network": self.network,
            "sweep": parse_sweep(self.sweep),
            "suite": self.suite,
        }
        return Request(**asked | others)

    def first_given(self) -> str | None:
        """The option of those given that comes first in the help; None if none was given."""
        return next((_OPTIONS[name][0][0] for name in _OPTIONS if name in self.given), None)

    def _fixed_by_suite(self) -> tuple[int, int]:
        """Seed and block size; those of a suite, unless others were given, which the plan then refuses."""
        if self.suite is None:
            return self.seed, self.block_size
        from harness.plan.suites import read

        fixed = read(self.suite)
        return (
            self.seed if "seed" in self.given else fixed.seed,
            self.block_size if "block_size" in self.given else fixed.block_size,
        )


def asks(*names: str, **changes: Mapping[str, Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a command these options; it takes ``asked``, an `Asked`, for all of them.

    Parameters
    ----------
    *names : str
        Fields of `Asked`, in the order of the help.
    **changes : mapping
        By name: what is different from the usual option, such as its default or its help.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> R:
            said: dict[str, Any] = {name: kwargs.pop(name) for name in names}
            source = click.get_current_context().get_parameter_source
            given = frozenset(name for name in names if source(name) is ParameterSource.COMMANDLINE)
            kwargs["asked"] = Asked(**said, given=given)
            return function(*args, **kwargs)

        for name in reversed(names):
            flags, usual = _OPTIONS[name]
            command = click.option(*flags, name, **{**usual, **changes.get(name, {})})(command)
        return command

    return decorate


EVERYTHING = tuple(field.name for field in fields(Asked) if field.name != "given")
"""All of these options, in the order of the help."""
