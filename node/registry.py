"""Registry of stages: by the option that asks for one, what makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from contend.evm import Block, State
from contend.node.base import Stage, StageError
from contend.node.whole_node import Node

# By option the function ``make(value, blocks, genesis, seed)``, and ``check(value)``, which raises a `StageError` for
# what cannot be had here. Imported when asked for: nobody waits for a stage who does not measure it.
_MAKERS = {"signatures": "contend.node.signatures.stage", "root": "contend.node.state_root.stage"}
Make = Callable[[str, Sequence[Block], State, int], Stage]


def _module(option: str) -> Any:
    if option not in _MAKERS:
        raise StageError(f"{option}: no such stage; there are {', '.join(_MAKERS)}")
    return import_module(_MAKERS[option])


def check(asked: Mapping[str, str]) -> None:
    """Refuse stages that cannot be had here.

    Parameters
    ----------
    asked : mapping
        Values by option, of stages only that are asked for.

    Raises
    ------
    StageError
        For the first of them.
    """
    for option, value in asked.items():
        _module(option).check(value)


def node_of(asked: Mapping[str, str], blocks: Sequence[Block], genesis: State, seed: int) -> Node:
    """Lay out a node for blocks in a row.

    Parameters
    ----------
    asked : mapping
        As for `check`.
    blocks : sequence of Block
    genesis : State
        Before the first of them.
    seed : int
        Of what a stage draws.

    Raises
    ------
    StageError
        If a stage cannot be had, or not for these blocks.
    """
    found: dict[str, Stage] = {}
    for option, value in asked.items():
        make: Make = _module(option).make
        found[option] = make(value, blocks, genesis, seed)
    return Node(found)
