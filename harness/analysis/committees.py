"""Committees of a sharded chain: how likely it is that one is taken over, and how large they have to be.

Nodes are dealt to shards at random, anew each epoch; some are bad. A shard is taken over when it has as many bad
members as its agreement does not bear. Papers count that in different ways, and the same words give figures that are
apart by a factor of three; so what is counted is named here, and nothing is chosen silently:

- The *binomial* model draws each member from a population without end (OmniLedger, RapidChain, and Ethereum's
  minimum committee are published so). The *hypergeometric* one deals the nodes that there are: each is in one shard.
- A shard is taken over by *at least* a share of its members, by *more than* it, or, as some formulas have it, by at
  least the share rounded down.

All sums are of positive terms, so that small probabilities are as exact as large ones. For all shards of the
hypergeometric model at once the first that is taken over is looked for: the shards are dealt one after the other, and
how many bad nodes are left is known of each (a walk over a row of Vandermonde's identity).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

AT_LEAST, MORE_THAN, ROUNDED_DOWN = "at-least", "more-than", "rounded-down"
RULES: dict[str, Callable[[Fraction], int]] = {
    AT_LEAST: math.ceil,
    MORE_THAN: lambda share: math.floor(share) + 1,
    ROUNDED_DOWN: math.floor,
}
"""By name, how many bad members take over a committee of which they are this share times its size."""
MOST_STEPS = 10**9  # of a walk over the shards of one chain
MOST_MEMBERS = 100_000


@dataclass(frozen=True)
class Chain:
    """A sharded chain.

    Attributes
    ----------
    nodes, shards : int
        Each node is in one shard; sizes differ by one at most.
    bad : Fraction
        Share of the nodes that are bad, above 0 and below 1.
    resilience : Fraction
        Share of a shard's members that, bad, take it over.
    rule : str
        Of `RULES`: how that share is counted.
    """

    nodes: int
    shards: int
    bad: Fraction
    resilience: Fraction
    rule: str = AT_LEAST

    @property
    def bad_nodes(self) -> int:
        """How many nodes are bad: the share, rounded down."""
        return math.floor(self.nodes * self.bad)

    @property
    def sizes(self) -> list[int]:
        """Members of each shard, the largest first."""
        size, more = divmod(self.nodes, self.shards)
        return [size + 1] * more + [size] * (self.shards - more)


@dataclass(frozen=True)
class Risk:
    """How likely a takeover is in one epoch, by one model.

    Attributes
    ----------
    model : str
    one : float
        Probability that a certain shard is taken over: the one for which it is likeliest.
    some : float
        That any is.
    is_exact : bool
        Whether `some` is exact; else it is at most that.
    """

    model: str
    one: float
    some: float
    is_exact: bool = True

    @property
    def epochs(self) -> float:
        """Expected epochs until some shard is taken over; without end where none can be."""
        return math.inf if self.some == 0 else 1 / self.some


def threshold(size: int, resilience: Fraction, rule: str = AT_LEAST) -> int:
    """How many bad members take over a committee, at least one."""
    return max(RULES[rule](size * resilience), 1)


def binomial_takeover(size: int, bad: Fraction, needed: int) -> float:
    """Probability that of so many members, each bad with a probability, at least so many are.

    Sums terms from the largest tail term on, each from the one before.
    """
    if needed > size:
        return 0.0
    share = float(bad)
    logs = [
        math.lgamma(size + 1)
        - math.lgamma(count + 1)
        - math.lgamma(size - count + 1)
        + count * math.log(share)
        + (size - count) * math.log1p(-share)
        for count in range(max(needed, 0), size + 1)
    ]
    return _sum_of_exponentials(logs)


def hypergeometric_takeover(nodes: int, bad_nodes: int, size: int, needed: int) -> float:
    """Probability that of so many nodes, drawn from all without putting back, at least so many are bad."""
    return float(_tails(nodes, size, needed, np.array([bad_nodes]))[0])


def risks(chain: Chain) -> list[Risk]:
    """How likely a takeover is in one epoch, by both models."""
    one = max(
        binomial_takeover(size, chain.bad, threshold(size, chain.resilience, chain.rule)) for size in set(chain.sizes)
    )
    return [Risk("binomial", one, -math.expm1(_log_of_none(chain))), _dealt(chain)]


def smallest_committee(
    target: float,
    bad: Fraction,
    resilience: Fraction,
    rule: str = AT_LEAST,
    nodes: int | None = None,
) -> int | None:
    """Members of the smallest committee that is taken over with at most a probability.

    Where the threshold is rounded, one member more can be worse; so larger committees need not all do.

    Parameters
    ----------
    target : float
    bad, resilience : Fraction
    rule : str
    nodes : int or None
        From how many the members are drawn; None for a population without end.

    Returns
    -------
    int or None
        None where there is none: of all nodes, or of `MOST_MEMBERS`.
    """
    most = MOST_MEMBERS if nodes is None else nodes
    for size in range(1, min(most, math.ceil(_enough(target, bad, resilience))) + 1):
        needed = threshold(size, resilience, rule)
        if nodes is None:
            found = binomial_takeover(size, bad, needed)
        else:
            found = hypergeometric_takeover(nodes, math.floor(nodes * bad), size, needed)
        if found <= target:
            return size
    return None


def _enough(target: float, bad: Fraction, resilience: Fraction) -> float:
    """Members with which every committee meets the target (Hoeffding, JASA 58, 1963); 0 where none does.

    That bound is for a share that is reached; of one that is rounded down by less than a member, it is that of a
    committee with so many members more as make up for it.
    """
    distance = float(resilience - bad)
    return 0.0 if distance <= 0 else -math.log(target) / (2 * distance**2) + 2 / distance


def _log_of_none(chain: Chain) -> float:
    """Logarithm of the probability that no shard is taken over, each drawn for itself."""
    found = 0.0
    for size in chain.sizes:
        one = binomial_takeover(size, chain.bad, threshold(size, chain.resilience, chain.rule))
        found += -math.inf if one >= 1 else math.log1p(-one)
    return found


def _dealt(chain: Chain) -> Risk:
    """How likely a takeover is where the nodes that there are are dealt to the shards."""
    sizes, bad = chain.sizes, chain.bad_nodes
    one = max(
        hypergeometric_takeover(chain.nodes, bad, size, threshold(size, chain.resilience, chain.rule))
        for size in set(sizes)
    )
    if sum(sizes) * (bad + 1) > MOST_STEPS:
        return Risk("hypergeometric", one, min(one * chain.shards, 1.0), is_exact=False)
    # Probability of so many bad nodes being left, and of no shard having been taken over so far.
    left = np.zeros(bad + 1)
    left[bad] = 1.0
    nodes, some = chain.nodes, 0.0
    for size in sizes:
        needed = threshold(size, chain.resilience, chain.rule)
        counts = np.arange(bad + 1)
        some += float(left @ _tails(nodes, size, needed, counts))
        after = np.zeros(bad + 1)
        for found in range(min(needed - 1, size, bad) + 1):
            after[: bad + 1 - found] += left[found:] * _terms(nodes, size, found, counts[found:])
        left, nodes = after, nodes - size
    return Risk("hypergeometric", one, min(some, 1.0))


def _tails(nodes: int, size: int, needed: int, bad: npt.NDArray[np.int64]) -> Floats:
    """Probabilities of at least so many bad ones among those drawn, by how many of the nodes are bad."""
    found = np.zeros(len(bad))
    for count in range(min(needed, size + 1), size + 1):
        found += _terms(nodes, size, count, bad)
    return found


def _terms(nodes: int, size: int, count: int, bad: npt.NDArray[np.int64]) -> Floats:
    """Probabilities of just so many bad ones among those drawn, by how many of the nodes are bad."""
    logs = _log_factorials(nodes)
    possible = (bad >= count) & (nodes - bad >= size - count)
    known = np.where(possible, bad, count)
    good = np.where(possible, nodes - bad, size - count)
    ways = (
        logs[known] - logs[count] - logs[known - count] + logs[good] - logs[size - count] - logs[good - (size - count)]
    )
    all_ways = logs[nodes] - logs[size] - logs[nodes - size]
    return np.where(possible, np.exp(ways - all_ways), 0.0)


@cache
def _log_factorials(most: int) -> Floats:
    """Logarithms of the factorials of 0 to `most`."""
    return np.array([math.lgamma(number + 1) for number in range(most + 1)])


def _sum_of_exponentials(logs: list[float]) -> float:
    """Sum of exponentials, without overflow."""
    largest = max(logs)
    return min(math.exp(largest) * math.fsum(math.exp(one - largest) for one in logs), 1.0)
