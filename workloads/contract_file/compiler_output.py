"""Compiler output: what Foundry, Hardhat, solc and Vyper write about a contract, brought into one form.

- Foundry, ``out/Token.sol/Token.json``: ``bytecode`` is an object; ``storageLayout`` with ``extra_output``.
- Hardhat, ``artifacts/contracts/Token.sol/Token.json``: ``bytecode`` is a text. Its ``build-info`` has the compiler's
  standard output inside.
- solc's combined JSON, ``solc --combined-json abi,bin,storage-layout``: by ``file:Contract``, each with ``bin``.
- Standard JSON output, of solc and Vyper: by file and contract, each with ``evm.bytecode.object``.
- Vyper, ``vyper -f combined_json``: by file, each with ``bytecode``; and `workloads.contracts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from contend.workloads.contract_file.refusal import ArtifactError, plain, shown
from contend.workloads.suggest import nearest

TOOLS = "Foundry, Hardhat, solc (combined or standard JSON) or Vyper"


@dataclass(frozen=True)
class CompiledContract:
    """What a tool wrote about a contract, with nothing checked yet.

    Attributes
    ----------
    tool : str
        ``foundry``, ``hardhat``, ``solc`` or ``vyper``.
    abi, code, layout
        Interface, creation code in hexadecimal, and storage layout, if there is one.
    libraries : tuple[str, ...]
        Full names, ``file:Library``, of libraries that the code may need.
    """

    tool: str
    abi: Any
    code: Any
    layout: Any
    libraries: tuple[str, ...]


def find_contract(content: Any, contract: str | None) -> CompiledContract:
    """Find a contract in what a tool wrote.

    Parameters
    ----------
    content
        As `json` read it.
    contract : str, optional
        Name of the contract, with or without its file; of a Vyper contract, of its file without suffix.

    Raises
    ------
    ArtifactError
        If the format is unknown, or the contract is not there, or there are several and none is named.
    """
    if not isinstance(content, dict):
        raise ArtifactError(f"not an artifact of {TOOLS}")
    if isinstance(content.get("output"), dict) and "contracts" in content["output"]:
        content = content["output"]
    if "bytecode" in content:
        return _single(content)
    found = _several(content)
    if not found:
        raise ArtifactError(f"has no bytecode; give one of {TOOLS}")
    if contract is None:
        # Interfaces and abstract contracts have no code.
        found = {name: one for name, one in found.items() if one.code} or found
        if len(found) > 1:
            raise ArtifactError(f"has several contracts; add contract = one of {_listed(found)}")
        return next(iter(found.values()))
    named = [one for name, one in found.items() if contract in (name, _short(name))]
    if not named:
        names = [_short(name) for name in found]
        raise ArtifactError(f"no contract {shown(contract)}{nearest(contract, names)}; it has {_listed(found)}")
    if len(named) > 1:
        full = [name for name in found if _short(name) == contract]
        raise ArtifactError(f"has several contracts {shown(contract)}; add contract = one of {', '.join(full)}")
    return named[0]


def _listed(found: Mapping[str, CompiledContract]) -> str:
    """Names of contracts, of which a large project has hundreds."""
    names = [plain(_short(name)) for name in found]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _short(name: str) -> str:
    """Name without its file."""
    return name.rpartition(":")[2]


def _single(content: Mapping[str, Any]) -> CompiledContract:
    """The contract of a file that has one."""
    abi, layout = content.get("abi"), content.get("storageLayout", content.get("layout"))
    code = content["bytecode"]
    if isinstance(code, dict):
        return CompiledContract("foundry", abi, code.get("object"), layout, _library_names(code.get("linkReferences")))
    tool = "hardhat" if "_format" in content else "vyper"
    return CompiledContract(tool, abi, code, layout, _library_names(content.get("linkReferences")))


def _several(content: Mapping[str, Any]) -> dict[str, CompiledContract]:
    """All contracts of a file that may have several, by ``file:Contract``."""
    contracts = content.get("contracts")
    if not isinstance(contracts, dict):
        return {
            PurePosixPath(name).stem: CompiledContract(
                "vyper", entry.get("abi"), entry["bytecode"], entry.get("layout"), ()
            )
            for name, entry in content.items()
            if isinstance(entry, dict) and "bytecode" in entry
        }
    found = {}
    for name, entry in contracts.items():
        if not isinstance(entry, dict):
            continue
        if "bin" in entry:
            # Older compilers write the interface and the layout as texts.
            abi, layout = (_parsed(entry.get(key)) for key in ("abi", "storage-layout"))
            found[name] = CompiledContract("solc", abi, entry["bin"], layout, tuple(contracts))
            continue
        for short, one in entry.items():
            compiled = _standard(one)
            if compiled is not None:
                found[f"{name}:{short}"] = compiled
    return found


def _standard(entry: Any) -> CompiledContract | None:
    """A contract of a compiler's standard output; None where its bytecode was not asked for."""
    if not isinstance(entry, dict):
        return None
    evm = entry.get("evm")
    bytecode = evm.get("bytecode") if isinstance(evm, dict) else None
    if not isinstance(bytecode, dict) or "object" not in bytecode:
        return None
    layout = entry.get("storageLayout", entry.get("layout"))
    tool = "solc" if "storageLayout" in entry or "metadata" in entry or "linkReferences" in bytecode else "vyper"
    names = _library_names(bytecode.get("linkReferences"))
    return CompiledContract(tool, entry.get("abi"), bytecode["object"], layout, names)


def _library_names(references: Any) -> tuple[str, ...]:
    if not isinstance(references, dict):
        return ()
    return tuple(f"{file}:{name}" for file, names in references.items() if isinstance(names, dict) for name in names)


def _parsed(value: Any) -> Any:
    """Value of a text with JSON in it; any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ArtifactError(f"not JSON within it: {shown(value)}") from error
