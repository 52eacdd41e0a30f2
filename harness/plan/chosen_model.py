"""The model that a request has `adaptive` choose by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contend.harness.errors import BadInputError

if TYPE_CHECKING:
    from contend.strategies.adaptive.decision_model import DecisionModel
    from contend.strategies.base import Strategy


def read_model(path: str | Path) -> DecisionModel:
    """Read a model.

    Raises
    ------
    BadInputError
        If it cannot be used.
    """
    from contend.strategies.adaptive.decision_model import DecisionModel, ModelError

    try:
        return DecisionModel.read(Path(path))
    except ModelError as error:
        raise BadInputError(str(error)) from error


def use_model(strategy: Strategy, path: str | None) -> None:
    """Have a strategy choose by a model, if it is one that chooses; by the project's own for None."""
    from contend.strategies.adaptive.strategy import Adaptive

    if isinstance(strategy, Adaptive):
        strategy.model_file = None if path is None else Path(path)
