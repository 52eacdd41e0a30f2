"""Check of a block that was fetched: executed serially, it has to give what the chain says."""

from __future__ import annotations

from typing import Any

from contend.evm import CapacityError
from contend.evm.accounts import new_state
from contend.harness.verify.full_receipts import receipts_root
from contend.strategies.serial import Serial
from contend.workloads.base import Scenario
from contend.workloads.files.block_file import block_of_document
from contend.workloads.files.fields import Field
from contend.workloads.files.replay import Replay


def flaws_of(document: dict[str, Any]) -> list[str]:
    """What the execution of a block file's block gives otherwise than its chain; empty where nothing is wrong.

    Raises
    ------
    FieldError
        If the document cannot be read as a block file.
    """
    content = Field("block file", document, strict=True)
    file = block_of_document(content)
    state = new_state(file.prestate)
    try:
        receipts = Serial().execute(file.block, state, 1).receipts
    except CapacityError as error:
        return [str(error)]
    scenario = Scenario(state, [file.block], {}, notes={"file": file})
    if flaws := Replay().check_receipts(scenario, receipts):
        return flaws
    root = content["header"].get("receiptsRoot")
    found = receipts_root(receipts, [transaction.type for transaction in file.block])
    if root is not None and root.octets(32) != found:
        return [f"the root of its receipts is 0x{found.hex()}, the chain says 0x{root.octets(32).hex()}"]
    return []
