"""Settings of the suite: what it measures, and what of it the environment may narrow.

A history is worth what its cells have in common, so that everything has a fixed value. The environment is how a quick
look takes fewer rounds, and how a package that brings a strategy keeps a history of its own (docs/ci.md).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from contend.harness.errors import BadInputError
from contend.strategies import registry as strategies
from contend.workloads import registry as workloads

PREFIX = "CONTEND_SUITE_"


@dataclass(frozen=True)
class Settings:
    """Cells that the suite measures, and how thoroughly.

    Attributes
    ----------
    strategies, workloads : tuple of str
        Names.
    block_size : int
        Transactions: enough that a block takes milliseconds, few enough that the suite takes minutes.
    rounds : int
        Timed runs of each cell under the wall clock. More of them make a figure surer and not another one.
    workers : tuple of int
        Of the wall clock. Not the machine's cores: a history must have the same cells everywhere.
    virtual_workers : tuple of int
        Of the virtual clock.
    """

    strategies: tuple[str, ...]
    workloads: tuple[str, ...]
    block_size: int = 2_000
    rounds: int = 10
    workers: tuple[int, ...] = (1, 2)
    virtual_workers: tuple[int, ...] = (1, 2, 8, 32)

    @property
    def version(self) -> str:
        """Version of a figure, as asv takes it: figures of other blocks are not compared with these.

        asv's own would be a digest of the benchmark's source, so that a better docstring would end a history.
        """
        return f"1, blocks of {self.block_size}"


def read(environment: Mapping[str, str]) -> Settings:
    """Take the settings from environment variables, and the suite's own values for those that are not set.

    Parameters
    ----------
    environment : mapping
        ``CONTEND_SUITE_STRATEGIES`` and ``CONTEND_SUITE_WORKLOADS`` (names separated by commas),
        ``CONTEND_SUITE_ROUNDS``, ``CONTEND_SUITE_BLOCK_SIZE``.

    Raises
    ------
    BadInputError
        If one of them is set to something that cannot be meant.
    """
    return Settings(
        strategies=_names(environment, "STRATEGIES", strategies.names(variants=True), strategies.built_in()),
        workloads=_names(environment, "WORKLOADS", workloads.names(), workloads.DEFAULT),
        block_size=_count(environment, "BLOCK_SIZE", Settings.block_size),
        rounds=_count(environment, "ROUNDS", Settings.rounds),
    )


def _names(
    environment: Mapping[str, str], what: str, known: list[str], default: list[str] | tuple[str, ...]
) -> tuple[str, ...]:
    text = environment.get(PREFIX + what)
    if text is None:
        return tuple(default)
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise BadInputError(f"{PREFIX}{what}={text}: give names separated by commas, out of: {', '.join(known)}")
    return names


def _count(environment: Mapping[str, str], what: str, default: int) -> int:
    text = environment.get(PREFIX + what, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise BadInputError(f"{PREFIX}{what}={text}: give a whole number from 1 on, for instance {default}")
    return int(text)


SETTINGS = read(os.environ)
"""What holds for this process: asv hands its own environment on."""
