"""A strategy whose time is planted: the serial one, and as much time again as `WORK` says. Changed commit by commit."""

from __future__ import annotations

from contend.plugin import ACT_EXECUTE, Block, Outcome, Serial, State

WORK = 4.0
ABORTS = 20


class Planted(Serial):
    name = "planted"
    summary = "takes WORK times as long as serial, under either clock"

    def execute(self, block: Block, state: State, workers: int) -> Outcome:
        outcome = super().execute(block, state, workers)
        began = self.clock.now()
        extra = (WORK - 1.0) * outcome.seconds
        # Simulated time passes by being spent, real time by itself.
        self.clock.spend(round(extra * 1e12), ACT_EXECUTE)
        while self.clock.now() - began < extra * (1 - 1e-9):
            continue
        outcome.phases["execute"] += self.clock.now() - began
        outcome.counters |= {"executions": len(block) + ABORTS, "aborts": ABORTS}
        return outcome
