"""Execution strategies: each executes a block with W workers and gives the serial result."""

from contend.inner_names import refuse_top_level

refuse_top_level(__name__)

from contend.evm.runtime.source_digest import register

register(__name__, __path__[0])

from contend.strategies.base import Outcome, Strategy

__all__ = ["Outcome", "Strategy"]
