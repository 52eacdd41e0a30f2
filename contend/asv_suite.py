"""The asv suite's benchmarks for the history of a package of strategies; ``docs/ci.md`` says how to use them.

`Seconds`, `Aborts` : classes
    Seconds a block, and aborts a transaction, on the cores of the machine.
`VirtualSeconds`, `VirtualAborts` : classes
    The same of simulated workers: exact, and the same on every machine.

A module of the package's own benchmark folder imports them; asv finds them there. What they measure is fixed, but for
the environment variables ``CONTEND_SUITE_STRATEGIES``, ``CONTEND_SUITE_WORKLOADS``, ``CONTEND_SUITE_ROUNDS`` and
``CONTEND_SUITE_BLOCK_SIZE``.
"""

from contend.harness.asv_suite.cells import Aborts, Seconds
from contend.harness.asv_suite.virtual import VirtualAborts, VirtualSeconds

__all__ = ["Aborts", "Seconds", "VirtualAborts", "VirtualSeconds"]
