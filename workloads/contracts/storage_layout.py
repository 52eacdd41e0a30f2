"""Storage layout: the variables of a contract, from the output of whichever compiler wrote it."""

from __future__ import annotations

from typing import Any

from contend.workloads.contracts.abi import Artifact
from contend.workloads.contracts.solidity_layout import solidity_variables
from contend.workloads.contracts.storage_variable import LayoutError, StorageVariable
from contend.workloads.contracts.vyper_layout import vyper_variables


def storage_variables(artifact: Artifact) -> tuple[StorageVariable, ...]:
    """Storage variables of a contract in the order of the layout; empty where there is none."""
    return variables_of(artifact.layout, artifact.abi)


def variables_of(layout: Any, abi: list[dict[str, Any]]) -> tuple[StorageVariable, ...]:
    """Storage variables of a layout as solc or Vyper writes it; empty where there is none.

    Raises
    ------
    LayoutError
        If it is malformed.
    """
    if layout is None or layout == {}:
        return ()
    try:
        is_solidity = "types" in layout or "storage" in layout
        found = solidity_variables(layout) if is_solidity else vyper_variables(layout, abi)
        if any(not 0 <= one.slot < 1 << 256 or one.slot_count < 1 for one in found):
            raise ValueError("no slot")
        return found
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, OverflowError) as error:
        raise LayoutError(f"is not one of solc or Vyper ({type(error).__name__})") from error
