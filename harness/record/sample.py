"""Samples, and what a workload's serial run showed: what worker processes report, readable without a compiler.

Both have a plain form (numbers, strings, lists and dicts), in which they travel between processes and versions. What
another version says beside the known fields is left out; what it does not say has its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from contend.harness.record.bound import Bounds
from contend.harness.record.content.counter_names import with_present_names

N = TypeVar("N", int | float, float)
PHASES = ("prepare", "execute", "commit")
"""Phases of every run."""
ALL_PHASES = ("agree", "recover", "read", *PHASES, "root", "store")
"""With those of stages that may be asked for, in the order in which they come (`node.base.Stage.phase`)."""
ABORTS_AT = "aborts_at_"
"""Counters of aborts and repairs by class of location begin with this, as ``aborts_at_token_balance`` does."""

OWN_ORDER_GAS, OWN_ORDER_FAILED = "own_order_gas", "own_order_failed"
"""Counters of a run in an order of its own: gas used, and transactions that failed, as they were in that order."""

RESET, VERIFICATION = "reset", "verification"
"""What the bench itself takes outside the time; a strategy names nothing so in `strategies.base.Outcome.untimed`."""


@dataclass(frozen=True)
class Sample:
    """One timed and verified run.

    Attributes
    ----------
    seconds : float
        Sum of the phases: the time of the block.
    wall_seconds : float
        Of the whole call, with what is in no phase because no node would do it: reading the changes off the state
        for the oracle, keeping what is needed to run again.
    cpu_seconds : float
        User and system time of all threads and processes in the whole call: to be held against `wall_seconds`. Where
        time is simulated, seconds that all simulated workers together were at work.
    phases : dict
        Seconds of ``prepare``, ``execute`` and ``commit``, and of the stages that were asked for.
    counters : dict
        What the strategy counted; of executions as `strategies.accounting` defines it.
    block_seconds : tuple of float
        Of several blocks in a row, the time of each; all else is then their sum. Empty for one block.
    untimed : dict
        Real seconds, whatever the clock, of what is in no phase because no node would do it, by name: what the strategy
        tells (`strategies.base.Outcome.untimed`, within `wall_seconds`), and, around the call, `RESET` of the state to
        the one before the blocks and `VERIFICATION` by the oracle. Empty where nobody has told.
    pipeline : dict
        Of blocks of which several were in the node at a time (`harness.record.statistics.pipeline`): when each came
        (``began``) and went (``ended``), seconds each takes at each station ``alone``, and what follows for all of them
        (``foretold_seconds``). Empty elsewhere.
    """

    seconds: float
    wall_seconds: float
    cpu_seconds: float
    phases: dict[str, float]
    counters: dict[str, int | float]
    block_seconds: tuple[float, ...] = ()
    untimed: dict[str, float] = field(default_factory=dict)
    pipeline: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_chain(cls, samples: Sequence[Sample]) -> Sample:
        """Of blocks in a row from those of each; that of a single one is its own."""
        if len(samples) == 1:
            return samples[0]
        return cls(
            seconds=sum(sample.seconds for sample in samples),
            wall_seconds=sum(sample.wall_seconds for sample in samples),
            cpu_seconds=sum(sample.cpu_seconds for sample in samples),
            phases={name: sum(sample.phases[name] for sample in samples) for name in phase_names(samples[0].phases)},
            counters=_sums(sample.counters for sample in samples),
            block_seconds=tuple(sample.seconds for sample in samples),
            untimed=_sums(sample.untimed for sample in samples),
        )

    def as_plain(self) -> dict[str, Any]:
        """Show the sample as a record keeps it: without what is empty of the last three."""
        plain = asdict(self)
        seconds, *others = (plain.pop(name) for name in ("block_seconds", "untimed", "pipeline"))
        if seconds:
            plain["block_seconds"] = list(seconds)
        return plain | {name: one for name, one in zip(("untimed", "pipeline"), others, strict=True) if one}

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> Sample:
        """Read what `as_plain` gave, here or in another version.

        Raises
        ------
        TypeError
            If a field without a default is missing.
        """
        known = _known(cls, content)
        if "counters" in known:
            known["counters"] = with_present_names(known["counters"])
        return cls(**{**known, "block_seconds": tuple(known.get("block_seconds", ()))})


@dataclass(frozen=True)
class BlockFacts:
    """Facts of a workload's block, or of its blocks in a row, from the serial run.

    Attributes
    ----------
    block_digest : str
        Of the block; of several, of all of them together.
    bounds : Bounds or None
        What no strategy can beat on the block; None where nobody has computed it.
    arrivals : tuple of tuples of int
        Of several blocks, how many of each one's transactions arrived in which of its interval's equal parts
        (`harness.record.latency`). Empty for one block.
    stages : dict
        What the stages say of themselves, by option (`node.base.Stage.facts`); empty where none is measured.
    """

    genesis_digest: str
    block_digest: str
    transactions: int
    gas: int
    failed_transactions: int
    changed_locations: int
    bounds: Bounds | None = None
    arrivals: tuple[tuple[int, ...], ...] = ()
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """Show the facts as plain data."""
        return {**asdict(self), "bounds": None if self.bounds is None else self.bounds.as_json()}

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> BlockFacts:
        """Read what `as_plain` gave, here or in another version, or the cell of a record.

        Raises
        ------
        TypeError, KeyError
            If it is malformed.
        """
        known = _known(cls, content)
        bounds, arrivals = known.get("bounds"), known.get("arrivals", ())
        known["bounds"] = None if bounds is None else Bounds.from_json(bounds)
        known["arrivals"] = tuple(tuple(parts) for parts in arrivals)
        return cls(**known)


def phase_names(phases: Iterable[str]) -> list[str]:
    """Names of a run's phases in the order in which they come."""
    found = set(phases)
    return [name for name in ALL_PHASES if name in found]


def _sums(parts: Iterable[Mapping[str, N]]) -> dict[str, N]:
    """By name, the sums of what the parts say."""
    sums: dict[str, N] = {}
    for part in parts:
        for name, value in part.items():
            sums[name] = sums[name] + value if name in sums else value
    return sums


def _known(kind: type[Sample | BlockFacts], content: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: content[field.name] for field in fields(kind) if field.name in content}
