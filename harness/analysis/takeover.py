"""What ``contend risk`` tells: risks of a chain by both models, in time, and committees that would be safe."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from contend.harness.analysis.committees import Chain, Risk, risks, smallest_committee

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


@dataclass(frozen=True)
class Takeover:
    """Risks of a chain, and what would be safe.

    Attributes
    ----------
    chain : Chain
    epoch : float
        Seconds for which shards stay as they are.
    target : float
        Probability in an epoch that one committee may be taken over.
    risks : list of Risk
        Binomial, and hypergeometric.
    committees : list of int or None
        The smallest that meets the target, by the same models; None where none does.
    """

    chain: Chain
    epoch: float
    target: float
    risks: list[Risk]
    committees: list[int | None]

    def seconds_to_failure(self, risk: Risk) -> float:
        """Expected time until some shard is taken over."""
        return risk.epochs * self.epoch

    def chance_in_a_year(self, risk: Risk) -> float:
        """Probability that some shard is taken over within 365 days."""
        epochs = SECONDS["y"] / self.epoch
        return 1.0 if risk.some >= 1 else -math.expm1(epochs * math.log1p(-risk.some))

    def as_json(self) -> dict[str, Any]:
        """Plain data, times in seconds; infinite ones are null."""
        chain = self.chain
        models = []
        for risk, committee in zip(self.risks, self.committees, strict=True):
            time = self.seconds_to_failure(risk)
            models.append(
                {
                    "model": risk.model,
                    "one_shard": risk.one,
                    "some_shard": risk.some,
                    "is_exact": risk.is_exact,
                    "in_a_year": self.chance_in_a_year(risk),
                    "seconds_to_failure": time if math.isfinite(time) else None,
                    "smallest_committee": committee,
                }
            )
        return {
            "schema": "contend-takeover/1",
            "nodes": chain.nodes,
            "shards": chain.shards,
            "members": chain.sizes[-1],
            "bad": str(chain.bad),
            "bad_nodes": chain.bad_nodes,
            "resilience": str(chain.resilience),
            "rule": chain.rule,
            "epoch_seconds": self.epoch,
            "target": self.target,
            "models": models,
        }


def takeover(chain: Chain, epoch: float, target: float) -> Takeover:
    """Find the risks of a chain, and the committees that would be safe."""
    found = [
        smallest_committee(target, chain.bad, chain.resilience, chain.rule, nodes) for nodes in (None, chain.nodes)
    ]
    return Takeover(chain, epoch, target, risks(chain), found)
