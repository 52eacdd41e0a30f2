"""Clocks as a request asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from contend.harness.errors import BadInputError

if TYPE_CHECKING:
    from contend.harness.plan.request import Request
    from contend.strategies.clocks import Clock
    from contend.strategies.clocks.cost_table import CostTable
    from contend.strategies.clocks.network_model import NetworkModel


def read_costs(path: str | None) -> CostTable:
    """Read a cost table; the one that is part of the project for None.

    Raises
    ------
    BadInputError
        If it cannot be used.
    """
    from contend.strategies.clocks.cost_table import CostTable, CostTableError, default_costs

    if path is None:
        return default_costs()
    try:
        return CostTable.read(Path(path))
    except CostTableError as error:
        raise BadInputError(str(error)) from error


def clock_maker(request: Request) -> Callable[[], Clock]:
    """Factory of the clock for one run of a cell.

    A cost table is read here, once: what becomes of its file changes no figure of this request.

    Raises
    ------
    BadInputError
        If the table or the network cannot be used.
    """
    from contend.strategies.clocks import WALL
    from contend.strategies.clocks.virtual import VirtualClock

    if not request.simulated:
        return lambda: WALL
    costs, network = read_costs(request.costs), read_network(request.network)
    return lambda: VirtualClock(costs, network=network)


def read_network(text: str | None) -> NetworkModel | None:
    """Look a network up; None gives None.

    Raises
    ------
    BadInputError
        If it is not known.
    """
    from contend.strategies.clocks.network_model import NetworkError, NetworkModel

    try:
        return None if text is None else NetworkModel.parse(text)
    except NetworkError as error:
        raise BadInputError(str(error)) from error
