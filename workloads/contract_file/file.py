"""Contract file: a workload declared in TOML, read and checked before anything runs.

.. code:: toml

    name = "gold"                             # the file's name, if left out
    summary = "transfers of a token"

    [accounts]
    count = 1_000
    zipf = 0.8                                # who sends
    ether = 100                               # what each has, beside what its transactions can cost
    roles = ["keeper"]                        # accounts beside these, by name

    [contracts.gold]
    artifact = "out/Gold.sol/Gold.json"       # of Foundry, Hardhat, solc or Vyper; relative to this file
    arguments = ["Gold", "GLD", 18, "10**24"]

    [[setup]]                                 # calls before the first block
    contract = "gold"
    method = "transfer"
    each = "account"                          # once for each account, by the deployer
    arguments = [{ sender = true }, "10**20"] # the account in question

    [[setup]]
    contract = "gold"
    method = "approve"
    from = "account"                          # by each account itself
    arguments = [{ contract = "gold" }, "2**256 - 1"]

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

Signatures are described in `signatures`, values in `values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contend.outside_files import reason, text_of, toml_of
from contend.workloads.base import STORAGE_CLASSES
from contend.workloads.contract_file import artifacts
from contend.workloads.contract_file.artifacts import plain_path, types_of
from contend.workloads.contract_file.expressions import integer
from contend.workloads.contract_file.refusal import ArtifactError, ContractFileError, ValueSpecError, plain, shown
from contend.workloads.contract_file.signatures import check_message, read_signature, used_signature
from contend.workloads.contract_file.specs import (
    DEFAULT_GAS,
    DEPLOYER,
    CallSpec,
    ContractFile,
    ContractSpec,
    InvariantSpec,
    SignatureSpec,
    ViewSpec,
)  # fmt: skip
from contend.workloads.contract_file.values import MOST_ACCOUNTS, Scope, check_name, check_value
from contend.workloads.suggest import nearest

MAX_GAS = 1_000_000_000
MOST_BYTES = 1 << 20
MOST_ENTRIES = 1_000
LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1_000_000
# What all accounts together may send must stay below the 256 bits of a balance.
WEI = "uint96"
RELATIONS = ("equals", "at_least", "at_most")
KEYS = {
    "the file": {"name", "summary", "accounts", "contracts", "signatures", "setup", "calls", "invariants"},
    "accounts": {"count", "zipf", "ether", "roles"},
    "contract": {"artifact", "contract", "arguments", "value", "libraries", "classes"},
    "signature": {"type", "domain", "signer", "message"},
    "setup": {"contract", "method", "arguments", "value", "each", "from"},
    "call": {"contract", "method", "arguments", "value", "weight", "gas", "from"},
    "invariant": {"contract", "sum", "method", "arguments", *RELATIONS},
    "other side": {"contract", "method", "arguments"},
}


def read_contract_file(path: Path) -> ContractFile:
    """Read and check a contract file.

    Raises
    ------
    ContractFileError
        If anything about it is wrong.
    """
    where = f"workload file {plain_path(path)}"
    try:
        content = toml_of(text_of(path, MOST_BYTES))
    except OSError as error:
        raise ContractFileError(f"{where}: {reason(error)}") from error
    except ValueError as error:  # also of what is no text, and of numbers with thousands of digits
        raise ContractFileError(f"{where}: not TOML: {reason(error)}") from error
    return check_content(path, content)


def check_content(path: Path, content: dict[str, Any]) -> ContractFile:
    """Check what a contract file holds, and read the artifacts that it names.

    Parameters
    ----------
    path : Path
        Of the file, for messages and as where relative paths begin.
    content : dict
        As `toml_of` reads it.

    Raises
    ------
    ContractFileError
        If anything about it is wrong.
    """
    return _Reader(path, f"workload file {plain_path(path)}").read(content)


class _Reader:
    """Reader of a contract file, which names the section in every error."""

    def __init__(self, path: Path, where: str) -> None:
        self._path = path
        self._where = where
        self._section = ""
        self._contracts: dict[str, ContractSpec] = {}
        self._names: tuple[str, ...] = ()
        self._roles: tuple[str, ...] = (DEPLOYER,)
        self._signatures: dict[str, SignatureSpec] = {}

    def read(self, content: dict[str, Any]) -> ContractFile:
        """Check the content of the file and convert it."""
        try:
            return self._read(content)
        except (ArtifactError, ValueSpecError) as error:
            section = f" {self._section}:" if self._section else ""
            raise ContractFileError(f"{self._where}:{section} {error}") from error
        except RecursionError as error:
            raise ContractFileError(f"{self._where}: {self._section}: nested too deeply") from error

    def _read(self, content: dict[str, Any]) -> ContractFile:
        self._known(content, "the file")
        name = self._text(content, "name", self._path.stem)
        if not name.isprintable() or not 1 <= len(name) <= 100:
            raise ValueSpecError(f"name = {shown(name)}: give at most 100 printable characters")
        summary = self._text(content, "summary", "")
        self._section = "[accounts]"
        accounts = self._table(content.get("accounts", {}), "accounts")
        count, ether = (self._count(accounts, key, default) for key, default in (("count", 1_000), ("ether", 100)))
        zipf = self._number(accounts, "zipf", 0.8, 5.0)
        self._roles = (DEPLOYER, *self._role_names(accounts.get("roles", [])))
        self._read_contracts(content.get("contracts", {}))
        self._read_signatures(content.get("signatures", {}))
        setup = tuple(self._call(number, entry, "setup") for number, entry in self._entries(content, "setup"))
        calls = tuple(self._call(number, entry, "call") for number, entry in self._entries(content, "calls"))
        self._section = "[[calls]]"
        if not calls or not any(call.weight for call in calls):
            raise ValueSpecError("there is no call with a weight; add one, as in [[calls]] with contract and method")
        if any(0 < call.weight < LEAST_WEIGHT for call in calls) or sum(call.weight for call in calls) > MOST_WEIGHT:
            raise ValueSpecError(f"a weight is below {LEAST_WEIGHT}, or all together are above {MOST_WEIGHT:,}")
        invariants = tuple(self._invariant(number, entry) for number, entry in self._entries(content, "invariants"))
        return ContractFile(
            name, summary or f"calls of {', '.join(map(plain, self._names))}", count, zipf, ether, self._roles,
            self._contracts, self._signatures, setup, calls, invariants,
        )  # fmt: skip

    def _read_contracts(self, tables: Any) -> None:
        self._section = "[contracts]"
        if not isinstance(tables, dict) or not tables:
            raise ValueSpecError("name at least one contract, as in [contracts.token]")
        if len(tables) > MOST_ENTRIES:
            raise ValueSpecError(f"there are {len(tables)} contracts; the most is {MOST_ENTRIES}")
        # Known before they are checked: their addresses are known before they are deployed.
        self._names = tuple(tables)
        for name, table in tables.items():
            self._section = f"[contracts.{plain(name)}]"
            self._contracts[name] = self._contract(name, self._table(table, "contract"))

    def _read_signatures(self, tables: Any) -> None:
        self._section = "[signatures]"
        if not isinstance(tables, dict):
            raise ValueSpecError("name each signature, as in [signatures.permit]")
        scope = Scope(self._names, self._roles, is_constant=True)
        for name, table in tables.items():
            self._section = f"[signatures.{plain(name)}]"
            self._signatures[name] = read_signature(name, self._table(table, "signature"), scope)

    def _entries(self, content: Mapping[str, Any], key: str) -> list[tuple[int, Any]]:
        self._section = f"[[{key}]]"
        entries = content.get(key, [])
        if not isinstance(entries, list):
            raise ValueSpecError(f"write it with double brackets, [[{key}]]")
        if len(entries) > MOST_ENTRIES:
            raise ValueSpecError(f"there are {len(entries)}; the most is {MOST_ENTRIES}")
        return list(enumerate(entries, 1))

    def _known(self, table: Mapping[str, Any], kind: str) -> None:
        for key in table:
            if key not in KEYS[kind]:
                hint = nearest(key, KEYS[kind])
                raise ValueSpecError(f"unknown key {shown(key)}{hint}; known are {', '.join(sorted(KEYS[kind]))}")

    def _table(self, table: Any, kind: str) -> dict[str, Any]:
        if not isinstance(table, dict):
            raise ValueSpecError("is not a table of keys and values")
        self._known(table, kind)
        return table

    def _text(self, table: Mapping[str, Any], key: str, default: str | None = None) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise ValueSpecError(f"{key} is missing" if value is None else f"{key} = {shown(value)} is not a text")
        return value

    def _count(self, table: Mapping[str, Any], key: str, default: int) -> int:
        value = self._integer(table, key, default)
        if not 1 <= value <= MOST_ACCOUNTS:
            raise ValueSpecError(f"{key} = {shown(value)} is out of range 1..{MOST_ACCOUNTS}")
        return value

    def _integer(self, table: Mapping[str, Any], key: str, default: int) -> int:
        try:
            return integer(table.get(key, default))
        except ValueSpecError as error:
            raise ValueSpecError(f"{key}: {error}") from error

    def _number(self, table: Mapping[str, Any], key: str, default: float, high: float) -> float:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
            raise ValueSpecError(f"{key} = {shown(value)} is not a number from 0 to {high:g}")
        return float(value)

    def _role_names(self, roles: Any) -> tuple[str, ...]:
        if not isinstance(roles, list) or len(roles) > MOST_ENTRIES:
            raise ValueSpecError(f"roles = {shown(roles)} is not a list of names")
        for number, role in enumerate(roles):
            taken = role in (DEPLOYER, "account", "uniform") or role in roles[:number]
            if (
                not isinstance(role, str)
                or not role.isprintable()
                or not 1 <= len(role) <= 60
                or role.isdigit()
                or taken
            ):
                raise ValueSpecError(f"roles: {shown(role)} is not a name of its own, of at most 60 characters")
        return tuple(roles)

    def _wei(self, table: Mapping[str, Any], scope: Scope) -> Any:
        value = table.get("value", 0)
        try:
            check_value(value, WEI, scope)
        except ValueSpecError as error:
            raise ValueSpecError(f"value: {error}") from error
        return value

    def _contract(self, name: str, table: dict[str, Any]) -> ContractSpec:
        chosen = table.get("contract")
        file = self._text(table, "artifact")
        if "\0" in file:
            raise ValueSpecError(f"artifact = {shown(file)} is no path")
        artifact = artifacts.read_artifact(
            self._path.parent / file, None if chosen is None else self._text(table, "contract")
        )
        scope = Scope(self._names, self._roles)
        arguments = self._arguments(table, artifact.constructor, scope)
        value = integer(self._wei(table, Scope(is_constant=True)))
        classes = table.get("classes", {})
        if not isinstance(classes, dict):
            raise ValueSpecError("classes is not a table of classes by variable")
        for variable, kind in classes.items():
            check_name(variable, "variable", tuple(dict.fromkeys(one.name for one in artifact.layout)))
            check_name(kind, "class", STORAGE_CLASSES)
        return ContractSpec(name, artifact, arguments, value, self._libraries(table, artifact), classes)

    def _libraries(self, table: Mapping[str, Any], artifact: artifacts.ExternalArtifact) -> dict[str, str]:
        """Contract by full name of a library that the code needs."""
        given = table.get("libraries", {})
        if not isinstance(given, dict):
            raise ValueSpecError('libraries is not a table of contracts by library, as in { Math = "math" }')
        needed = tuple(artifact.libraries.values())
        found: dict[str, str] = {}
        for library, contract in given.items():
            full = artifacts.full_library_name(library, needed)
            check_name(contract, "contract", self._names)
            found[full] = contract
        if missing := [library for library in needed if library not in found]:
            raise ValueSpecError(
                f"library {missing[0]} is not linked: deploy it as a contract of this file, and name it here, as in "
                f'libraries = {{ {artifacts.short_library_name(missing[0])} = "math" }}'
            )
        return found

    def _arguments(self, table: Mapping[str, Any], signature: str, scope: Scope) -> tuple[Any, ...]:
        types, given = types_of(signature), table.get("arguments", [])
        artifacts.check_encodable(signature)
        if not isinstance(given, list) or len(given) != len(types):
            count = len(given) if isinstance(given, list) else "no list of them"
            raise ValueSpecError(f"{signature} takes {len(types)} arguments, given are {count}")
        for number, (value, type_name) in enumerate(zip(given, types, strict=True), 1):
            try:
                # A signature is one of the arguments, never within one: it is made of the others.
                is_whole = isinstance(value, dict) and "signature" in value
                inside = scope if is_whole else Scope(scope.contracts, scope.roles, is_constant=scope.is_constant)
                check_value(value, type_name, inside)
            except ValueSpecError as error:
                raise ValueSpecError(f"argument {number} of {signature}: {error}") from error
        return tuple(given)

    def _target(self, table: Mapping[str, Any]) -> ContractSpec:
        name = self._text(table, "contract")
        check_name(name, "contract", self._names)
        return self._contracts[name]

    def _call(self, number: int, entry: Any, kind: str) -> CallSpec:
        self._section = f"[[{'setup' if kind == 'setup' else 'calls'}]] {number}"
        table = self._table(entry, kind)
        target = self._target(table)
        signature = target.artifact.signature(self._text(table, "method"))
        scope = Scope(self._names, self._roles, self._signatures)
        value = self._wei(table, Scope(self._names, self._roles))
        each = self._text(table, "each", "") if kind == "setup" else ""
        if each not in ("", "account"):
            raise ValueSpecError(f'each = {shown(each)}: only each = "account" is known')
        gas = self._integer(table, "gas", DEFAULT_GAS)
        if not 21_000 <= gas <= MAX_GAS:
            raise ValueSpecError(f"gas = {shown(gas)} is out of range 21000..{MAX_GAS}")
        weight = self._number(table, "weight", 1.0, MOST_WEIGHT)
        arguments = self._arguments(table, signature, scope)
        self._check_signature(target, signature, arguments)
        sender = self._sender(table.get("from", DEPLOYER if kind == "setup" else "account"))
        is_each = bool(each) or (kind == "setup" and sender is None)
        return CallSpec(target.name, signature, arguments, value, weight, gas, is_each, sender)

    def _check_signature(self, target: ContractSpec, signature: str, arguments: tuple[Any, ...]) -> None:
        """Refuse a call whose arguments do not make the message of the signature that they ask for."""
        if (name := used_signature(arguments)) is not None:
            named = zip(target.artifact.parameters[signature], arguments, types_of(signature), strict=True)
            by_name = {argument: (value, kind) for argument, value, kind in named if argument}
            types = {argument: kind for argument, (_, kind) in by_name.items()}
            check_message(self._signatures[name], by_name, Scope(self._names, self._roles, arguments=types))

    def _sender(self, given: Any) -> str | int | None:
        """Role or account that sends; None for each account, or the one that is drawn."""
        if given == "account":
            return None
        if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < MOST_ACCOUNTS:
            return given
        if not isinstance(given, str) or given not in self._roles:
            hint = nearest(given, (*self._roles, "account")) if isinstance(given, str) else ""
            raise ValueSpecError(
                f'from = {shown(given)}{hint}: give "account", the number of one, or a role: {", ".join(self._roles)}'
            )
        return given

    def _invariant(self, number: int, entry: Any) -> InvariantSpec:
        self._section = f"[[invariants]] {number}"
        table = self._table(entry, "invariant")
        relations = [relation for relation in RELATIONS if relation in table]
        if len(relations) != 1 or ("sum" in table) == ("method" in table):
            raise ValueSpecError(f"give sum or method, and one of {', '.join(RELATIONS)}")
        target, is_sum = self._target(table), "sum" in table
        if is_sum:
            signature = target.artifact.signature(self._text(table, "sum"))
            if types_of(signature) != ("address",) or "arguments" in table:
                raise ValueSpecError("sum names a method that takes an address, and no arguments")
            left = ViewSpec(target.name, signature)
        else:
            left = self._view(target, table)
        return InvariantSpec(left, is_sum, relations[0], self._right(target, table, relations[0]))

    def _view(self, target: ContractSpec, table: Mapping[str, Any]) -> ViewSpec:
        signature = target.artifact.signature(self._text(table, "method"))
        scope = Scope(self._names, self._roles, is_constant=True)
        return ViewSpec(target.name, signature, self._arguments(table, signature, scope))

    def _right(self, target: ContractSpec, table: Mapping[str, Any], relation: str) -> ViewSpec | int:
        """The other side of an invariant: a method that takes nothing, a constant, or any contract's method."""
        given = table[relation]
        if isinstance(given, dict):
            other = self._table(given, "other side")
            return self._view(self._target(other) if "contract" in other else target, other)
        if isinstance(given, str) and (given[:1].isalpha() or given[:1] in ("_", "$")):
            signature = target.artifact.signature(given)
            if types_of(signature):
                raise ValueSpecError(
                    f"{relation} names a method that takes nothing; with arguments, give "
                    f"{{ method = {shown(given)}, arguments = [...] }}"
                )
            return ViewSpec(target.name, signature)
        return integer(given)
