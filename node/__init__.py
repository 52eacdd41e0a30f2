"""The node: what it does with a block besides executing it, as stages that are measured with the execution."""

from contend.inner_names import refuse_top_level

refuse_top_level(__name__)

import contend.strategies  # noqa: F401  # registered before: kernels here are made from its sources
from contend.evm.runtime.source_digest import register

register(__name__, __path__[0], is_open=False)

from contend.node.base import BlockRun, Stage, StageError

__all__ = ["BlockRun", "Stage", "StageError"]
