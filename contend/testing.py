"""What the tests of a plug-in need: a strategy against the serial result, a workload against what it promises.

`assert_equals_serial` : function
    A strategy gives the serial result: in threads, under the virtual clock, and in random schedules.
`assert_workload_holds` : function
    A workload is reproducible, its nonces follow each other, and its invariant notices a transaction that was lost.
`Equivalence` : class
    Runs a strategy on one block and gives its outcome, after comparing it with a serial run.
`build_scenario` : function
    Genesis and blocks of a workload by name: ``build_scenario("swaps", {"pools": 1}, block_size=100)``.

They raise AssertionError with what differs, and where.
"""

from contend.harness.testing import Equivalence, assert_equals_serial, assert_workload_holds, build_scenario

__all__ = ["Equivalence", "assert_equals_serial", "assert_workload_holds", "build_scenario"]
