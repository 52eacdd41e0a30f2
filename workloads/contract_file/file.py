"""Contract file: a workload declared in TOML, read and checked before anything runs.

.. code:: toml

    name = "gold"                             # the file's name, if left out
    summary = "transfers of a token"

    [accounts]
    count = 1_000
    zipf = 0.8                                # who sends
    ether = 100                               # what each has, beside what its transactions can cost

    [contracts.gold]
    artifact = "out/Gold.sol/Gold.json"       # Foundry, Hardhat or Vyper; relative to this file
    arguments = ["Gold", "GLD", 18, "10**24"]

    [[setup]]                                 # calls before the first block, by the deployer; for each account, or once
    contract = "gold"
    method = "transfer"
    each = "account"
    arguments = [{ sender = true }, "10**20"] # the account in question

    [[calls]]
    contract = "gold"
    method = "transfer"
    weight = 9
    gas = 80_000
    arguments = [{ account = { zipf = 0.94 } }, { uniform = [1, 100], times = "10**15" }]

    [[invariants]]                            # the sum over all accounts (and contracts) is what another method says
    contract = "gold"
    sum = "balanceOf"
    equals = "totalSupply"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contend.workloads.contract_file import artifacts, values
from contend.workloads.contract_file.artifacts import ArtifactError, ExternalArtifact, types_of
from contend.workloads.errors import PluginError
from contend.workloads.suggest import nearest

DEFAULT_GAS = 300_000
MAX_GAS = 1_000_000_000
KEYS = {
    "the file": {"name", "summary", "accounts", "contracts", "setup", "calls", "invariants"},
    "accounts": {"count", "zipf", "ether"},
    "contract": {"artifact", "contract", "arguments", "value"},
    "setup": {"contract", "method", "arguments", "value", "each"},
    "call": {"contract", "method", "arguments", "value", "weight", "gas"},
    "invariant": {"contract", "sum", "equals"},
}


class ContractFileError(PluginError):
    """Contract file that cannot be used. The message is one line that names the file and the section."""


@dataclass(frozen=True)
class ContractSpec:
    """Contract to deploy: its artifact, values of its constructor's arguments, and `value` in wei sent along."""

    name: str
    artifact: ExternalArtifact
    arguments: tuple[Any, ...]
    value: int


@dataclass(frozen=True)
class CallSpec:
    """Kind of call: `weight` among all kinds, `gas` limit; `each` tells whether set-up makes it for every account."""

    contract: str
    signature: str
    arguments: tuple[Any, ...]
    value: Any
    weight: float = 1.0
    gas: int = DEFAULT_GAS
    each: bool = False


@dataclass(frozen=True)
class InvariantSpec:
    """Invariant: the results of a method over all accounts and contracts add up to another method's result."""

    contract: str
    sum: str
    equals: str


@dataclass(frozen=True)
class ContractFile:
    """Content of a contract file, checked."""

    name: str
    summary: str
    accounts: int
    zipf: float
    ether: int
    contracts: tuple[ContractSpec, ...]
    setup: tuple[CallSpec, ...]
    calls: tuple[CallSpec, ...]
    invariants: tuple[InvariantSpec, ...]


def read_contract_file(path: Path) -> ContractFile:
    """Read and check a contract file.

    Raises
    ------
    ContractFileError
        If anything about it is wrong.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContractFileError(f"workload file {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractFileError(f"workload file {path}: not TOML: {' '.join(str(error).split())}") from error
    return _Reader(path).read(content)


class _Reader:
    """Reader of a contract file, which names the section in every error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._section = ""
        self._contracts: dict[str, ContractSpec] = {}

    def read(self, content: dict[str, Any]) -> ContractFile:
        """Check the content of the file and convert it."""
        try:
            return self._read(content)
        except (ArtifactError, values.ValueSpecError) as error:
            where = f" {self._section}:" if self._section else ""
            raise ContractFileError(f"workload file {self._path}:{where} {error}") from error

    def _refuse(self, message: str) -> values.ValueSpecError:
        return values.ValueSpecError(message)

    def _read(self, content: dict[str, Any]) -> ContractFile:
        self._known(content, "the file")
        self._section = "[accounts]"
        accounts = self._table(content.get("accounts", {}), "accounts")
        count, ether = (self._count(accounts, key, default) for key, default in (("count", 1_000), ("ether", 100)))
        zipf = self._number(accounts, "zipf", 0.8, 5.0)
        self._section = "[contracts]"
        named = content.get("contracts", {})
        if not isinstance(named, dict) or not named:
            raise self._refuse("name at least one contract, as in [contracts.token]")
        for name in named:
            # Known before they are checked: a constructor may take the address of one deployed before.
            self._section = f"[contracts.{name}]"
            self._contracts[name] = self._contract(name, self._table(named[name], "contract"))
        setup = tuple(self._call(number, entry, "setup") for number, entry in self._entries(content, "setup"))
        calls = tuple(self._call(number, entry, "call") for number, entry in self._entries(content, "calls"))
        self._section = "[[calls]]"
        if not calls or not sum(call.weight for call in calls):
            raise self._refuse("there is no call with a weight; add one, as in [[calls]] with contract and method")
        invariants = tuple(self._invariant(number, entry) for number, entry in self._entries(content, "invariants"))
        self._section = ""
        name, summary = (
            self._text(content, key, default) for key, default in (("name", self._path.stem), ("summary", ""))
        )
        return ContractFile(
            name, summary or f"calls of {', '.join(named)}", count, zipf, ether, tuple(self._contracts.values()), setup,
            calls, invariants,
        )  # fmt: skip

    def _entries(self, content: Mapping[str, Any], key: str) -> list[tuple[int, Any]]:
        self._section = f"[[{key}]]"
        entries = content.get(key, [])
        if not isinstance(entries, list):
            raise self._refuse(f"write it with double brackets, [[{key}]]")
        return list(enumerate(entries, 1))

    def _known(self, table: Mapping[str, Any], kind: str) -> None:
        for key in table:
            if key not in KEYS[kind]:
                hint = nearest(key, KEYS[kind])
                raise self._refuse(f"unknown key {key!r}{hint}; known are {', '.join(sorted(KEYS[kind]))}")

    def _table(self, table: Any, kind: str) -> dict[str, Any]:
        if not isinstance(table, dict):
            raise self._refuse("is not a table of keys and values")
        self._known(table, kind)
        return table

    def _text(self, table: Mapping[str, Any], key: str, default: str | None = None) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self._refuse(f"{key} is missing" if value is None else f"{key} = {value!r} is not a text")
        return value

    def _count(self, table: Mapping[str, Any], key: str, default: int) -> int:
        value = values.integer(table.get(key, default))
        if not 1 <= value <= 1_000_000:
            raise self._refuse(f"{key} = {value} is out of range 1..1000000")
        return value

    def _number(self, table: Mapping[str, Any], key: str, default: float, high: float) -> float:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
            raise self._refuse(f"{key} = {value!r} is not a number from 0 to {high:g}")
        return float(value)

    def _contract(self, name: str, table: dict[str, Any]) -> ContractSpec:
        chosen = table.get("contract")
        artifact = artifacts.read_artifact(
            self._path.parent / self._text(table, "artifact"), None if chosen is None else self._text(table, "contract")
        )
        arguments = self._arguments(table, artifact.constructor)
        return ContractSpec(name, artifact, arguments, values.integer(table.get("value", 0)))

    def _arguments(self, table: Mapping[str, Any], signature: str) -> tuple[Any, ...]:
        types, given = types_of(signature), table.get("arguments", [])
        artifacts.check_encodable(signature)
        if not isinstance(given, list) or len(given) != len(types):
            count = len(given) if isinstance(given, list) else "no list of them"
            raise self._refuse(f"{signature} takes {len(types)} arguments, given are {count}")
        for number, (value, type_name) in enumerate(zip(given, types, strict=True), 1):
            try:
                values.check_value(value, type_name, tuple(self._contracts))
            except values.ValueSpecError as error:
                raise self._refuse(f"argument {number} of {signature}: {error}") from error
        return tuple(given)

    def _target(self, table: Mapping[str, Any]) -> ContractSpec:
        name = self._text(table, "contract")
        if name not in self._contracts:
            hint = nearest(name, self._contracts)
            raise self._refuse(f"unknown contract {name!r}{hint}; known are {', '.join(self._contracts)}")
        return self._contracts[name]

    def _call(self, number: int, entry: Any, kind: str) -> CallSpec:
        self._section = f"[[{'setup' if kind == 'setup' else 'calls'}]] {number}"
        table = self._table(entry, kind)
        target = self._target(table)
        signature = target.artifact.signature(self._text(table, "method"))
        value = table.get("value", 0)
        try:
            values.check_value(value, "uint256", ())
        except values.ValueSpecError as error:
            raise self._refuse(f"value: {error}") from error
        each = self._text(table, "each", "") if kind == "setup" else ""
        if each not in ("", "account"):
            raise self._refuse(f'each = {each!r}: only each = "account" is known')
        gas = values.integer(table.get("gas", DEFAULT_GAS))
        if not 21_000 <= gas <= MAX_GAS:
            raise self._refuse(f"gas = {gas} is out of range 21000..{MAX_GAS}")
        weight = self._number(table, "weight", 1.0, 1_000_000.0)
        return CallSpec(target.name, signature, self._arguments(table, signature), value, weight, gas, bool(each))

    def _invariant(self, number: int, entry: Any) -> InvariantSpec:
        self._section = f"[[invariants]] {number}"
        table = self._table(entry, "invariant")
        target = self._target(table)
        total, equals = (target.artifact.signature(self._text(table, key)) for key in ("sum", "equals"))
        if types_of(total) != ("address",) or types_of(equals):
            raise self._refuse("sum names a method that takes an address, equals one that takes nothing")
        return InvariantSpec(target.name, total, equals)
