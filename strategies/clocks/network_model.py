"""Network model: how long messages take between workers that exchange some, under simulated time.

The model is LogP's (Culler et al., "LogP: towards a realistic model of parallel computation", PPoPP 1993) without its
gap: a message keeps its sender and its receiver busy for an overhead each, and travels for a latency.
"""

from __future__ import annotations

from dataclasses import dataclass

from contend.strategies.clocks.cost_table import PS_PER_NS


class NetworkError(ValueError):
    """A network that nobody knows; the message names those there are."""


@dataclass(frozen=True)
class NetworkModel:
    """Network model: how long messages take.

    Attributes
    ----------
    latency_ns : float
        Nanoseconds from the end of the step that sends to the arrival.
    overhead_ns : float
        Nanoseconds for which a message keeps its sender busy, and its receiver.
    """

    latency_ns: float
    overhead_ns: float

    @property
    def latency_ps(self) -> int:
        """The latency in picoseconds."""
        return round(self.latency_ns * PS_PER_NS)

    @property
    def overhead_ps(self) -> int:
        """The overhead in picoseconds."""
        return round(self.overhead_ns * PS_PER_NS)

    @classmethod
    def parse(cls, text: str) -> NetworkModel:
        """Read a name of `NETWORKS`, or ``latency:overhead`` in nanoseconds.

        Raises
        ------
        NetworkError
            If it is neither.
        """
        if text in NETWORKS:
            return NETWORKS[text]
        latency, colon, overhead = text.partition(":")
        try:
            found = cls(float(latency), float(overhead))
        except ValueError:
            found = cls(-1.0, -1.0)
        if not colon or not 0 <= found.latency_ns <= _MOST_NS or not 0 <= found.overhead_ns <= _MOST_NS:
            raise NetworkError(
                f"network {text!r} is not known; give one of {', '.join(NETWORKS)}, or latency:overhead in nanoseconds"
            )
        return found


_MOST_NS = 1e12
# Latencies one way. Between cores of a machine: a cache line, about 100 ns. In a data centre and beyond: Dean's numbers
# that every programmer should know (half a millisecond there and back, 150 ms across an ocean), RDMA in a rack a few
# microseconds (Kalia, Kaminsky and Andersen, "Design guidelines for high performance RDMA systems", USENIX ATC 2016).
# Overheads: a ring of cache lines; a verb; a system call and its share of a stack of protocols.
NETWORKS: dict[str, NetworkModel] = {
    "same_machine": NetworkModel(100, 0),
    "rack": NetworkModel(2_000, 150),
    "datacenter": NetworkModel(250_000, 1_500),
    "region": NetworkModel(1_000_000, 1_500),
    "wide_area": NetworkModel(75_000_000, 1_500),
}
