"""Check of a block that was fetched: executed serially, it has to give what the chain says."""

from __future__ import annotations

from typing import Any

from contend.evm import CapacityError
from contend.harness.verify.around_check import around_differences
from contend.strategies.serial import Serial
from contend.workloads.files.block_file import block_of_document
from contend.workloads.files.fields import Field
from contend.workloads.files.replay import Replay, scenario_of


def flaws_of(document: dict[str, Any]) -> list[str]:
    """What the execution of a block file's block gives otherwise than its chain; empty where nothing is wrong.

    Raises
    ------
    FieldError
        If the document cannot be read as a block file.
    """
    scenario = scenario_of(block_of_document(Field("block file", document, strict=True)), {})
    block, state = scenario.blocks[0], scenario.genesis
    try:
        receipts = Serial().execute(block, state, 1).receipts
    except CapacityError as error:
        return [str(error)]
    flaws = Replay().check_receipts(scenario, receipts)
    if scenario.around is not None and not flaws:
        flaws = list(around_differences(scenario.around, block, receipts, state))
    return flaws
