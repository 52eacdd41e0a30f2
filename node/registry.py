"""Registry of stages: by the option that asks for one, what makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from contend.evm import Block, State
from contend.node.base import Stage, StageError
from contend.node.seats import OPTION, Seats
from contend.node.whole_node import Node

# By option the module with ``make(asked, blocks, genesis, seed)``; ``check(asked)``, which raises a `StageError` for
# what cannot be had here; and ``compile_kernels()``, which has all of them compiled. Imported when asked for: nobody
# waits for a stage who does not measure it.
_MAKERS = {
    "consensus": "contend.node.agreement.stage",
    "signatures": "contend.node.signatures.making",
    "root": "contend.node.state_root.stage",
    # Behind the root, which is committed with the block.
    "state": "contend.node.cold_state.stage",
}
_PIPELINE = "contend.node.pipeline.pipelined_node"
# Options that say more of one of them.
_SETTINGS = (
    *("keys", "validators", "silent", "jitter", "pipeline"),
    *("cache", "disk", "state_path", "read_ahead", "io", "io_threads", "machines", "sync"),
)
Make = Callable[[Mapping[str, str], Sequence[Block], State, int], Stage]


def _modules(asked: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for option in asked:
        if option not in (*_MAKERS, *_SETTINGS):
            raise StageError(f"{option}: no such stage; there are {', '.join(_MAKERS)}")
        if option in _MAKERS:
            yield option, import_module(_MAKERS[option])


def check(asked: Mapping[str, str]) -> None:
    """Refuse stages that cannot be had here.

    Parameters
    ----------
    asked : mapping
        Values by option, of stages only that are asked for, and of options that say more of them.

    Raises
    ------
    StageError
        For the first of them.
    """
    for _, module in _modules(asked):
        module.check(asked)
    seats_of(asked)


def compile_stages() -> None:
    """Compile the kernels of all stages, and of their pipeline, for what is run next."""
    for _, module in _modules(dict.fromkeys(_MAKERS, "")):
        module.compile_kernels()
    import_module(_PIPELINE).compile_kernels()


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
    for option, module in _modules(asked):
        make: Make = module.make
        found[option] = make(asked, blocks, genesis, seed)
    return Node(found, seats_of(asked))


def seats_of(asked: Mapping[str, str]) -> Seats | None:
    """How workers are divided where stages of several blocks are at work at the same time; None where they are not.

    Raises
    ------
    StageError
        If what is asked for is not known.
    """
    if OPTION not in asked:
        return None
    try:
        return Seats.parse(asked[OPTION])
    except ValueError as error:
        raise StageError(f"{OPTION}: {error}") from None
