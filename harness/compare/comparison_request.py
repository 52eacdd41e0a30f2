"""Request of a comparison: the options of `harness.plan.request.Request`, three of which mean something else here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contend.harness.plan.options import Option, options
from contend.harness.plan.request import Request

_OF_REQUEST = options(Request)


@dataclass(frozen=True)
class ComparisonRequest(Request):
    """Which cells of two versions to measure and how."""

    block_count: Option[int, int] = _OF_REQUEST["block_count"].but(
        meaning="Blocks in a row, each on the state that the one before left"
    )
    repeat: Option[int, int] = _OF_REQUEST["repeat"].but(
        default=20,
        meaning="Timed pairs of runs of each cell, the first time; cells that differ much from run to run get more",
    )
    processes: Option[int, int] = _OF_REQUEST["processes"].but(
        meaning="Independent processes of each side, the first time"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        # Measuring processes may look at a revision's own files from another folder.
        asked: Request = self
        object.__setattr__(self, "blocks", tuple(str(Path(block).absolute()) for block in asked.blocks))
        if asked.costs is not None:
            object.__setattr__(self, "costs", str(Path(asked.costs).absolute()))
