"""Execution strategies: each executes a block with W workers and gives the serial result."""

from evm.sources import register

register(__name__, __path__[0])

from strategies.base import Outcome, Strategy

__all__ = ["Outcome", "Strategy"]
