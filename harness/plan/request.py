"""What to measure, as asked for: checked in form here, in substance (names, dials) when it is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.errors import BadInputError

DialValue = int | float | str

MAX_WORKERS = 1_024
MAX_BLOCK_SIZE = 1_000_000
MAX_BLOCK_COUNT = 1_000
MAX_REPEAT = 10_000
MAX_PROCESSES = 64
# The name that stands for all names.
ALL = "all"
DEFAULT_BLOCK_SIZE = 10_000
DEFAULT_REPEAT = 10
DEFAULT_WORKERS = {"wall": (1, 2), "virtual": (1, 2, 4, 8, 16, 32)}
CLOCKS = tuple(DEFAULT_WORKERS)
# Of the serial strategy's throughput: busy, but not so busy that a steady stream would wait for ever.
DEFAULT_LOAD = 0.8


@dataclass(frozen=True)
class Request:
    """Which cells to measure and how.

    Attributes
    ----------
    workloads, strategies : tuple of str
        Names; ``("all",)`` for all that are registered; empty for all strategies and the default workloads.
    workers : tuple of int
        Worker counts, each for every strategy that is parallel.
    dials : mapping
        Overrides, ``preset`` among them: ``dial`` for every chosen workload that has it, ``workload.dial`` for one.
    block_size : int
        Transactions; of several blocks, on average.
    repeat : int
        Timed runs of each cell, in all processes together.
    seed : int
        Of the workloads.
    processes : int
        Independent measuring processes. They measure in turn, never at the same time.
    timeout : float
        Seconds after which a run that gives no sign of life is ended and its cell failed.
    clock : str
        ``wall``: threads and real time. ``virtual``: simulated workers, which take as long as a table of costs says.
        Its figures are the same in every run, so that one run of each cell in one process is all of them.
    blocks : tuple of str
        Block files, each a workload ``replay`` of its own.
    costs : str, optional
        File of that table; the one that is part of the project by default.
    network : str, optional
        Simulated network between shards: a name, or ``latency:overhead`` in nanoseconds.
    sweep : tuple, optional
        A dial and the values that it takes one after the other: every workload that has it is measured with each.
    suite : str, optional
        Name or file of a suite (`harness.plan.suites`), which fixes workloads, dials, seed and block size.
    block_count : int
        Blocks in a row, each executed on the state that the one before left.
    load : float, optional
        Rate at which transactions of several blocks arrive, as a share of the serial strategy's throughput; by default
        `DEFAULT_LOAD`, unless there is a `rate`.
    rate : float, optional
        The same in transactions per second.

    Raises
    ------
    BadInputError
        If a number is out of range or not a number.
    """

    workloads: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    workers: tuple[int, ...] = (1, 2)
    dials: Mapping[str, DialValue] = field(default_factory=dict)
    block_size: int = DEFAULT_BLOCK_SIZE
    repeat: int = DEFAULT_REPEAT
    seed: int = 1
    processes: int = 2
    timeout: float = 300.0
    clock: str = "wall"
    costs: str | None = None
    network: str | None = None
    sweep: tuple[str, tuple[DialValue, ...]] | None = None
    blocks: tuple[str, ...] = ()
    suite: str | None = None
    block_count: int = 1
    load: float | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.clock not in CLOCKS:
            raise BadInputError(f"clock: {self.clock!r} is not known; choose one of {', '.join(CLOCKS)}")
        if self.costs is not None and self.clock != "virtual":
            raise BadInputError("costs: a table of costs is for the virtual clock; add --clock virtual")
        if self.network is not None and self.clock != "virtual":
            raise BadInputError("network: networks are simulated; add --clock virtual")
        if not self.workers:
            raise BadInputError("workers: name at least one worker count, for instance 1,2")
        for count in self.workers:
            _in_range("workers", count, 1, MAX_WORKERS)
        _in_range("block size", self.block_size, 1, MAX_BLOCK_SIZE)
        _in_range("block count", self.block_count, 1, MAX_BLOCK_COUNT)
        if self.block_count * self.block_size > MAX_BLOCK_SIZE:
            raise BadInputError(
                f"block count: {self.block_count} blocks of {self.block_size:,} are more than {MAX_BLOCK_SIZE:,} "
                "transactions; take fewer or smaller ones"
            )
        for what, number in (("load", self.load), ("rate", self.rate)):
            if number is not None and not 0 < number < float("inf"):
                raise BadInputError(f"{what}: {number} is not a positive number")
        if self.load is not None and self.rate is not None:
            raise BadInputError("load, rate: both say how fast transactions arrive; give one of them")
        _in_range("repeat", self.repeat, 1, MAX_REPEAT)
        _in_range("seed", self.seed, 0, 2**63 - 1)
        _in_range("processes", self.processes, 1, MAX_PROCESSES)
        if not self.timeout > 0:
            raise BadInputError(f"timeout: {self.timeout} is not a positive number of seconds")

    @property
    def simulated(self) -> bool:
        """Whether time is simulated."""
        return self.clock != "wall"

    @property
    def rounds(self) -> int:
        """Timed runs of each cell that are made: simulated ones would repeat each other."""
        return 1 if self.simulated else self.repeat

    def as_json(self) -> dict[str, Any]:
        """Show the request as a record keeps it."""
        return {**asdict(self), "dials": dict(self.dials)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Request:
        """Read a request back from a record of the current version.

        Raises
        ------
        BadInputError
            If a number is out of range.
        TypeError
            If it has keys that are not a request's.
        """
        tuples = ("workloads", "strategies", "workers", "blocks")
        sweep = content["sweep"]
        return cls(
            **{
                **content,
                **{name: tuple(content[name]) for name in tuples},
                "sweep": None if sweep is None else (sweep[0], tuple(sweep[1])),
            }
        )


def _in_range(what: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInputError(f"{what}: {value!r} is not a whole number; give one from {low} to {high}")
    if not low <= value <= high:
        raise BadInputError(f"{what}: {value} is out of range; give a whole number from {low} to {high}")


def unique(values: Iterable[Any]) -> tuple[Any, ...]:
    """Keep the values in their order, each once."""
    return tuple(dict.fromkeys(values))


def parse_names(text: str | None) -> tuple[str, ...]:
    """Comma-separated names; None gives none, which stands for the default."""
    if text is None:
        return ()
    names = unique(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise BadInputError(f"{text!r} names nothing; give names separated by commas, or leave the option out")
    return names


def parse_workers(text: str) -> tuple[int, ...]:
    """Comma-separated worker counts, such as ``1,2,4``; ``...`` goes on in the same ratio or steps, as in 1,2,...,64.

    Raises
    ------
    BadInputError
        If a part is neither a whole number nor three dots between numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    counts: list[int] = []
    for place, part in enumerate(parts):
        if part == "...":
            counts += _filled(text, counts, parts[place + 1 :])
            continue
        try:
            counts.append(int(part))
        except ValueError:
            raise BadInputError(
                f"workers: {part!r} in {text!r} is not a positive whole number; give for instance 1,2"
            ) from None
    return unique(counts)


def _filled(text: str, before: list[int], after: list[str]) -> list[int]:
    """Worker counts that three dots stand for: those between the last two before them and the one behind."""
    if len(before) < 2 or not after or not after[0].isdigit():
        raise BadInputError(f"workers: '...' in {text!r} needs two counts before it and one behind, as in 1,2,...,64")
    first, second, last = before[-2], before[-1], int(after[0])
    # A doubling is a ratio: 1,2,...,64 has always meant powers of two.
    ratio = second // first if first > 0 and second % first == 0 else 0
    found: list[int] = []
    count = second
    while ratio > 1 or second > first:
        count = count * ratio if ratio > 1 else count + second - first
        if count >= last or len(found) > MAX_WORKERS:
            break
        found.append(count)
    return found


def parse_dials(settings: Iterable[str]) -> dict[str, DialValue]:
    """``name=value`` settings; a value is a whole number, a number or a text, whichever it reads as first."""
    dials: dict[str, DialValue] = {}
    for setting in settings:
        name, equals, value = (part.strip() for part in setting.partition("="))
        if not (name and equals and value):
            raise BadInputError(f"--set {setting}: not of the form dial=value, for instance pools=1")
        dials[name] = parse_value(value)
    return dials


def parse_sweep(text: str | None) -> tuple[str, tuple[DialValue, ...]] | None:
    """``dial=value,value,...``; None gives None."""
    if text is None:
        return None
    name, equals, values = (part.strip() for part in text.partition("="))
    found = unique(parse_value(value.strip()) for value in values.split(",") if value.strip())
    if not (name and equals and len(found) > 1):
        raise BadInputError(f"--sweep {text}: not of the form dial=value,value,..., for instance pools=1,10,100")
    return name, found


def parse_value(text: str) -> DialValue:
    """Read a whole number, a number, or the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            # Not of this kind: the next one may read it, and any text is a text.
            continue
    return text
