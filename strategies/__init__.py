"""Execution strategies: each executes a block with W workers and gives the serial result."""

from strategies.base import Outcome, Strategy

__all__ = ["Outcome", "Strategy"]
