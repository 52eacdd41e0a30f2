"""Programs to measure an EVM by: state tests that hold one long transaction each, with or without what must come of it.

They are public suites, and not copied here: they are looked for in ``$CONTEND_DATA_DIR``, else in ``shared/data``
beside the checkout.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contend.evm import Environment, Transaction
from contend.evm.accounts import World
from contend.evm.forks import Fork, fork_named
from contend.harness.verify.statetest import environment_of
from contend.workloads.files.fields import Field, read
from contend.workloads.files.prestate import read_prestate

SUITES = ("evm_benchmarks", "evm_programs")
FORK = "Cancun"  # the newest that pyrevm knows
MOST_GAS = 1 << 50  # some files name more gas than a block can have


@dataclass(frozen=True)
class Program:
    """A transaction, and the world that it runs in.

    Attributes
    ----------
    suite : str
        Folder of the suite that it is of.
    name : str
    world : mapping
        Accounts by address.
    environment : Environment
        Without a base fee.
    transaction : Transaction
        At a gas price of zero.
    """

    suite: str
    name: str
    world: World
    environment: Environment
    transaction: Transaction


def data_folder() -> Path:
    """Where the suites are, if they are here."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    return Path(os.environ.get("CONTEND_DATA_DIR", beside))


def programs_of(suite: Path) -> Iterator[Program]:
    """All programs below a folder, by the names of their files.

    Yields
    ------
    Program
    """
    fork = fork_named(FORK)
    for path in sorted(suite.rglob("*.json")):
        for name, content in read(path).items():
            yield _program(suite.name, name, content, fork)


def _program(suite: str, name: str, content: Field, fork: Fork) -> Program:
    fields = content["transaction"]
    if isinstance(fields.value, list):
        fields = fields.elements()[0]
    gas = min(_first(fields["gasLimit"]).integer(64), MOST_GAS)
    block = environment_of(content["env"], fork, 1)
    transaction = Transaction(
        sender=fields["sender"].octets(20),
        to=fields["to"].octets(20),
        data=_first(fields["data"]).octets(),
        value=_first(fields["value"]).integer(),
        gas_limit=gas,
        nonce=fields["nonce"].integer(64),
        max_fee=0,
        max_priority_fee=0,
    )
    environment = Environment(
        number=block.number,
        timestamp=block.timestamp,
        gas_limit=gas,
        base_fee=0,
        coinbase=block.coinbase,
        chain_id=block.chain_id,
        prev_randao=block.prev_randao,
        fork=fork.name,
    )
    return Program(suite, name, read_prestate(content["pre"]), environment, transaction)


def _first(field: Field) -> Field:
    """The field, or the first of the list that state tests have in its place."""
    return field.elements()[0] if isinstance(field.value, list) else field
