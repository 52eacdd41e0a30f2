"""The bound: what no strategy can beat on a block with W workers. Plain data; `harness.analysis.profile` computes it.

Executing the block in its order takes at least as long as its critical path, the chain of dependent transactions that
takes longest, and at least its whole work divided by the workers. A transaction can begin before those it depends on
have ended, and is held up where it first reads what they write; so of each transaction in the chain only the work from
that read on counts. That writes can be read when their transaction has ended, and not before, is assumed. Costs of
scheduling, validating and re-executing come on top in reality; caches and memory are left out on both sides of the
ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

KINDS = ("nonce", "balance", "storage", "code")


@dataclass(frozen=True)
class Bound:
    """Dependencies of a block under one view of what commutes.

    Attributes
    ----------
    transactions : int
    work : int
        Picoseconds that all transactions take one after the other, by the cost table.
    gas : int
        Used by all transactions.
    dependent : int
        Transactions that depend on an earlier one.
    longest_chain : int
        Transactions in the longest chain of dependent ones.
    critical_path : int
        Picoseconds of the chain that takes longest, each transaction counted from the read that held it up.
    critical_gas : int
        Gas of the chain that uses most, whole transactions: what others publish.
    depth : dict[str, int]
        By kind of location: the longest chain if only dependencies through such locations counted.
    blocks : tuple of (int, int)
        Of several blocks in a row, each one's work and critical path; empty for one block. A block begins when the one
        before has ended, so the other figures are sums, and the bound is one of each block.
    """

    transactions: int
    work: int
    gas: int
    dependent: int
    longest_chain: int
    critical_path: int
    critical_gas: int
    depth: dict[str, int]
    blocks: tuple[tuple[int, int], ...] = ()

    def speedup(self, workers: int) -> float:
        """Greatest conceivable speed-up with so many workers: work / max(critical path, work / workers)."""
        if not self.work:
            return 1.0
        blocks = self.blocks or ((self.work, self.critical_path),)
        return self.work / sum(max(path, work / workers) for work, path in blocks)

    @property
    def dependent_share(self) -> float:
        """Share of transactions that depend on an earlier one."""
        return self.dependent / max(self.transactions, 1)

    @property
    def chain_share(self) -> float:
        """Longest chain as a share of the block."""
        return self.longest_chain / max(self.transactions, 1)

    @property
    def critical_share(self) -> float:
        """Critical path as a share of the work."""
        return self.critical_path / max(self.work, 1)


def bound_of_chain(bounds: Sequence[Bound]) -> Bound:
    """The bound of blocks in a row from the bound of each; that of a single one is its own."""
    if len(bounds) == 1:
        return bounds[0]
    sums = {
        field.name: sum(getattr(one, field.name) for one in bounds)
        for field in fields(Bound)
        if field.name not in ("depth", "blocks")
    }
    depth = {kind: sum(one.depth[kind] for one in bounds) for kind in KINDS}
    return Bound(**sums, depth=depth, blocks=tuple((one.work, one.critical_path) for one in bounds))


def waits_for_nobody(given: Mapping[str, Any] | None) -> bool:
    """Whether no whole transaction of a contender has to wait for another.

    It has the values that transactions read; or it redoes what depends on a stale word, and nothing else. The bound of
    the latter is a loose one: what is redone is left out.
    """
    return given is not None and bool(given.get("values") or given.get("redoes"))


@dataclass(frozen=True)
class Bounds:
    """All views of one block.

    Attributes
    ----------
    plain : Bound
        Balances as they are: a credit reads the balance that it adds to.
    commutative : Bound
        Blind credits commute; see `evm.drivers.recorder`.
    independent : Bound or None
        Every transaction has the values that it reads, from an access list, and waits for none: the critical path is
        the longest transaction. None in records of before.
    """

    plain: Bound
    commutative: Bound
    independent: Bound | None = None

    @classmethod
    def of_chain(cls, bounds: Sequence[Bounds]) -> Bounds:
        """Those of blocks in a row."""
        independent = [one.independent for one in bounds if one.independent is not None]
        return cls(
            bound_of_chain([one.plain for one in bounds]),
            bound_of_chain([one.commutative for one in bounds]),
            bound_of_chain(independent) if len(independent) == len(bounds) else None,
        )

    def of_given(self, given: Mapping[str, Any] | None) -> Bound | None:
        """The bound of a contender by what it is given: with values another one than with locations at most."""
        return self.independent if waits_for_nobody(given) else self.plain

    def as_json(self) -> dict[str, Any]:
        """Show the views that there are as a record keeps them."""
        views = {name: view for name, view in asdict(self).items() if view is not None}
        for view in views.values():
            if not view["blocks"]:
                del view["blocks"]
        return views

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Bounds:
        """Read what `as_json` gave.

        Raises
        ------
        TypeError, KeyError
            If it is malformed.
        """
        independent = content.get("independent")
        return cls(
            _read(content["plain"]), _read(content["commutative"]), None if independent is None else _read(independent)
        )


def _read(content: Mapping[str, Any]) -> Bound:
    blocks = tuple((int(work), int(path)) for work, path in content.get("blocks", ()))
    return Bound(**{**content, "blocks": blocks})
