"""Adversarial: for each kind of strategy the block that is hardest on it.

Every case is one access pattern on numbered cells of one contract, with hashing as private work; senders take turns, so
that nonces add no conflicts while a block has no more transactions than there are senders.

- ``chain``: every transaction reads a cell first and writes it last. Nothing can be parallel; all that a strategy does
  beyond executing serially is waste.
- ``star``: all read one cell that one in 40 writes. Conflict graphs of real blocks are mostly stars (14 recent Ethereum
  blocks); partitions by connected components see one component.
- ``late-chain``: each works first and at its very end reads what the one before wrote. Optimistic execution has
  finished the work before it learns that it must do it again.
- ``shifting``: each cell's word names the next cell to read. An incarnation's accesses tell little about the next
  one's, so estimates, hints and plans mislead.
- ``aborting``: half of the transactions revert or run out of gas after they wrote hot cells, and are undone.
- ``giant``: one transaction as long as hundreds of others, which touches the cells of all, in the middle of the block.
- ``late-writer``: all read the same cells and nobody writes them, until a long transaction near the end does.
- ``independent``: as ``late-chain``, but each reads a cell of its own: the same work without a conflict, to hold the
  others against.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.storage import Storage
from contend.workloads.contracts.abi import load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State

CASES = ("chain", "star", "late-chain", "shifting", "aborting", "giant", "late-writer", "independent")
HUB = 0
# Cells that every transaction has to itself begin here.
OWN = 1 << 20
HUB_WRITERS, STEPS, READ_CELLS = 40, 12, 16
# Work of the one long transaction, relative to an ordinary one.
GIANT = 100
GAS, CELL_GAS, ROUND_GAS = 80_000, 24_000, 170
# Position of the long transaction in its block, in percent.
POSITION_PERCENT = {"giant": 50, "late-writer": 90}


class Adversarial(Application):
    """Adversarial: one access pattern a case, chosen to be hard on some strategy."""

    name = "adversarial"
    summary = "worst cases: a chain, a star, late dependences, shifting accesses, aborts, a giant, a late writer"
    artifacts: ClassVar[Mapping[str, str]] = {"gauntlet": "gauntlet"}
    dials = (
        Dial("case", "late-chain", "which worst case", choices=CASES),
        Dial(
            "senders",
            20_000,
            "accounts that send in turn; with fewer than a block has, nonces form chains",
            1,
            1_000_000,
        ),
        Dial("work", 40, "rounds of hashing in a transaction", 0, 10_000),
        Dial("cells", 256, "cells that walks, small and failing transactions share", 1, 4_096),
        Dial.zipf("cell_zipf", 0.6, "those cells"),
        BURST,
    )
    presets = tuple(Preset(case, f"the case {case}", {"case": case}) for case in CASES)

    # The one case in which a dial says how many transactions conflict.
    ends = (
        {"case": "aborting", "cells": 4_096, "cell_zipf": 0.0},
        {"case": "aborting", "cells": 64, "cell_zipf": 5.0},
    )

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder = chain.block_builder
        case, work, senders, cells = dials["case"], int(dials["work"]), int(dials["senders"]), int(dials["cells"])
        drawn = chain.draw_ranks("cells", cells, float(dials["cell_zipf"]))
        draws = chain.draw_below("kinds", 100)
        gauntlet = chain.deploy("gauntlet", "gauntlet")
        storage = chain.storage("gauntlet", "gauntlet")
        method = {
            name: load("gauntlet").method(name) for name in ("bump", "late", "collect", "scatter", "walk", "fail")
        }
        before = 0
        if case == "shifting":
            for cell in range(cells):
                before += cell * cell % 251
                storage.set(cell * cell % 251, "cells", cell)
        limit = GAS + ROUND_GAS * work
        # Sum of the shared cells; cells that must not be empty; number of calls that must have succeeded, by account.
        total, written, calls = before, list[int](), dict[bytes, int]()
        giant_cells = cells if case == "giant" else READ_CELLS
        positions = [(index, size) for size in builder.block_sizes for index in range(size)]
        for i, (index, size) in enumerate(positions):
            sender, gas, own, succeeds = i % senders, limit, OWN + i, True
            if case in POSITION_PERCENT and index == size * POSITION_PERCENT[case] // 100:
                data = method["scatter"](0, giant_cells, min(work * GIANT, 100_000))
                gas += CELL_GAS * giant_cells + ROUND_GAS * min(work * GIANT, 100_000)
                total += giant_cells
            elif case == "chain" or (case == "star" and draws[i] * HUB_WRITERS < 100):
                data, total = method["bump"](HUB, work), total + 1
            elif case == "star":
                data = method["collect"](HUB, 1, own, work)
                written.append(own)
            elif case in ("late-chain", "independent"):
                data = method["late"](own - 1 if case == "late-chain" else own, own, work)
                written.append(own)
            elif case == "shifting":
                data, total = method["walk"](drawn[i] + 7 * i, STEPS, cells), total + 1
                gas += 5_000 * STEPS
            elif case == "late-writer":
                data = method["collect"](0, READ_CELLS, own, work)
                gas += 5_000 * READ_CELLS
                written.append(own)
            elif case == "aborting" and draws[i] < 30:
                data, succeeds = method["fail"](drawn[i], work), False
            elif case == "aborting" and draws[i] < 50:
                # Enough for the cell and some of the work, not for all of it.
                data, gas, succeeds = method["bump"](drawn[i], 3 * work + 1_000), limit, False
            else:
                data, total = method["bump"](drawn[i], work), total + 1
            builder.add(sender, gauntlet, gas, data)
            calls[builder.accounts[sender]] = calls.get(builder.accounts[sender], 0) + succeeds
        return {"total": total, "written": tuple(written), "calls": calls}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that exactly the calls that cannot fail took effect. See `Application.verify`."""
        storage, found = Storage(state, scenario.contracts["gauntlet"], load("gauntlet")), []
        shared = max(int(scenario.dials["cells"]), READ_CELLS)
        total = sum(storage.get("cells", cell) for cell in range(shared))
        if total != scenario.notes["total"]:
            found.append(f"gauntlet: cells add up to {total}, not to {scenario.notes['total']}")
        if empty := [cell for cell in scenario.notes["written"] if not storage.get("cells", cell)]:
            found.append(f"gauntlet: {len(empty)} cells were never written, cell {empty[0]} for one")
        for account, calls in scenario.notes["calls"].items():
            if (counted := storage.get("calls", account)) != calls:
                found.append(f"gauntlet: 0x{account.hex()} succeeded {counted} times, not {calls}")
        return found
