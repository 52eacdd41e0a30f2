"""Plug-ins with a known fault, one folder for each side: strategies that A has as they should be and B has worse.

They are found by entry point like any installed package, but only by the processes of their side. Both sides run the
same sources of Contend, so that nothing is compiled for the study but the step with the planted abort.
"""

from __future__ import annotations

from pathlib import Path

DELAYED, WASTEFUL = "planted_delay", "planted_aborts"
"""Names of the strategies: one that takes a share longer, and one that aborts a share of transactions once more."""

_MODULE = '''
import time

from contend.harness.verify.schedule_fuzzer.variant import Variant
from contend.harness.verify.schedule_fuzzer.replacement import Replacement, original
from contend.strategies.block_stm import scheduler, strategy, validation
from contend.strategies.block_stm.strategy import BlockSTM

SHARE = {share!r}
EVERY = {every!r}


class Delayed(BlockSTM):
    """Block-STM that is busy for a share of its time longer, on the thread that executes the block."""

    name = {delayed!r}
    summary = "Block-STM, and a planted delay"
    clocks = ("wall",)

    def execute(self, block, state, workers):
        outcome = super().execute(block, state, workers)
        began = time.perf_counter()
        until = began + SHARE * outcome.seconds
        while time.perf_counter() < until:
            pass
        if SHARE:
            outcome.phases["execute"] += time.perf_counter() - began
        return outcome


def validate_read_set(shared, worker):
    """Find the first incarnation of some transactions stale although it is not."""
    stale = original(shared, worker)
    if worker.txn_idx % I({every}) == 0 and worker.incarnation == U0:
        stale = shared.coinbase
    return stale


def has_final_prefix(shared, txn_idx):
    """Have these transactions validated, even where nobody else is there to change what they read."""
    return original(shared, txn_idx) and txn_idx % I({every}) != 0


def block_stm_of_this_side():
    if not EVERY:
        return BlockSTM
    planted = [Replacement(validation, validate_read_set), Replacement(scheduler, has_final_prefix)]
    return Variant([strategy], planted).module(strategy).BlockSTM


class Wasteful(block_stm_of_this_side()):
    """Block-STM with a fault in its validation, where one is planted."""

    name = {wasteful!r}
    summary = "Block-STM, and planted aborts"
'''
_ENTRY_POINTS = """[contend.strategies]
{delayed} = {module}:Delayed
{wasteful} = {module}:Wasteful
"""


def write_plugin(folder: Path, share: float = 0.0, every: int = 0) -> Path:
    """Write the plug-in of one side.

    Parameters
    ----------
    folder : Path
        Made; to be given to `sides.Checkout` as ``extra``.
    share : float
        By how much `DELAYED` takes longer than Block-STM; 0.1 for 10 %.
    every : int
        `WASTEFUL` aborts the first incarnation of every so many-th transaction although it is valid; 0 for none.
    """
    module = "contend_planted"
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
    names = {"delayed": DELAYED, "wasteful": WASTEFUL}
    (info / "entry_points.txt").write_text(_ENTRY_POINTS.format(module=module, **names))
    text = _MODULE.format(share=share, every=every, **names)
    (folder / f"{module}.py").write_text(text)
    return folder
