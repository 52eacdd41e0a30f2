"""External artifacts: interface and creation bytecode of contracts, as Foundry, Hardhat and Vyper write them.

- Foundry, ``out/Token.sol/Token.json``: ``abi``, and ``bytecode`` as an object with its ``object``.
- Hardhat, ``artifacts/contracts/Token.sol/Token.json``: ``_format``, ``abi``, and ``bytecode`` as a text.
- Vyper, ``vyper -f combined_json``: by source file, each with ``abi`` and ``bytecode``; and `workloads.contracts`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contend.workloads.contracts.abi import EncodingError, Method
from contend.workloads.suggest import nearest


class ArtifactError(ValueError):
    """Artifact that cannot be used. The message is one line."""


@dataclass(frozen=True)
class ExternalArtifact:
    """Contract artifact, reduced to what deployment and calls need.

    Attributes
    ----------
    tool : str
        ``foundry``, ``hardhat`` or ``vyper``.
    bytecode : bytes
        Creation code.
    constructor : str
        Signature of the constructor, with the name ``constructor``.
    signatures : tuple[str, ...]
        Signatures of all methods.
    """

    tool: str
    bytecode: bytes
    constructor: str
    signatures: tuple[str, ...]

    def signature(self, name: str) -> str:
        """Signature of a method by its name or, where the name is overloaded, of this signature.

        Raises
        ------
        ArtifactError
            If there is none, or more than one.
        """
        found = [signature for signature in self.signatures if name in (signature, signature.partition("(")[0])]
        if len(found) == 1:
            return found[0]
        if found:
            raise ArtifactError(f"method {name!r} is overloaded; name one of {', '.join(found)}")
        known = [signature.partition("(")[0] for signature in self.signatures]
        raise ArtifactError(f"no method {name!r}{nearest(name, known)}; its methods: {', '.join(known) or 'none'}")

    def creation(self, *arguments: Any) -> bytes:
        """Init code: the creation code and the encoded arguments."""
        return self.bytecode + Method(self.constructor, b"")(*arguments)

    def method(self, signature: str) -> Method:
        """Encoder of a method; its selector is computed here, since not every tool writes it."""
        from contend.evm import keccak256

        return Method(signature, keccak256(signature.encode())[:4])


def types_of(signature: str) -> tuple[str, ...]:
    """ABI types of the arguments that a signature names."""
    inside = signature[signature.index("(") + 1 : -1]
    return tuple(inside.split(",")) if inside else ()


def read_artifact(path: Path, contract: str | None = None) -> ExternalArtifact:
    """Read an artifact.

    Parameters
    ----------
    path : Path
        A JSON file of one of the three tools.
    contract : str, optional
        Name of the contract's source without suffix, where the file has several.

    Raises
    ------
    ArtifactError
        If it is not there, not of a known format, or not linked.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"artifact {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ArtifactError(f"artifact {path}: not JSON ({' '.join(str(error).split())})") from error
    tool, entry = _entry(path, content, contract)
    abi, code = entry.get("abi"), entry["bytecode"]
    if tool == "foundry":
        code = code["object"]
    if not isinstance(abi, list) or not isinstance(code, str):
        raise ArtifactError(f"artifact {path}: its abi is not a list, or its bytecode not a text")
    if library := re.search(r"__\$?([^_$]+)\$?__", code):
        raise ArtifactError(
            f"artifact {path}: library {library[1]} is not linked; link it with {tool} and compile again"
        )
    try:
        bytecode = bytes.fromhex(code.removeprefix("0x"))
    except ValueError as error:
        raise ArtifactError(f"artifact {path}: its bytecode is not hexadecimal") from error
    if not bytecode:
        raise ArtifactError(f"artifact {path}: has no bytecode; is it an interface or an abstract contract?")
    inputs: list[Any] = next((item.get("inputs", []) for item in abi if item.get("type") == "constructor"), [])
    functions = (item for item in abi if item.get("type") == "function")
    signatures = tuple(f"{item['name']}({_types(item.get('inputs', []))})" for item in functions)
    return ExternalArtifact(tool, bytecode, f"constructor({_types(inputs)})", signatures)


def _entry(path: Path, content: Any, contract: str | None) -> tuple[str, dict[str, Any]]:
    """Tool that wrote an artifact, and the part of it about the contract."""
    if not isinstance(content, dict):
        raise ArtifactError(f"artifact {path}: not an artifact of Foundry, Hardhat or Vyper")
    if isinstance(content.get("bytecode"), dict) and "object" in content["bytecode"]:
        return "foundry", content
    if "bytecode" in content:
        return ("hardhat" if "_format" in content else "vyper"), content
    sources = {
        Path(source).stem: entry for source, entry in content.items() if isinstance(entry, dict) and "bytecode" in entry
    }
    if not sources:
        raise ArtifactError(
            f"artifact {path}: has no bytecode; give one of Foundry, Hardhat, or vyper -f combined_json"
        )
    if contract is None and len(sources) > 1:
        raise ArtifactError(f"artifact {path}: has several contracts; add contract = one of {', '.join(sources)}")
    name = contract if contract is not None else next(iter(sources))
    if name not in sources:
        raise ArtifactError(
            f"artifact {path}: no contract {name!r}{nearest(name, sources)}; it has {', '.join(sources)}"
        )
    return "vyper", sources[name]


def _types(inputs: list[Any]) -> str:
    """Canonical types of inputs, separated by commas."""
    return ",".join(_type(item) for item in inputs)


def _type(item: dict[str, Any]) -> str:
    """Canonical type of an input: of a struct, the tuple of its members' types."""
    name = str(item["type"])
    if not name.startswith("tuple"):
        return name
    return f"({_types(item['components'])}){name.removeprefix('tuple')}"


def check_encodable(signature: str) -> None:
    """Refuse a signature that `workloads.contracts.abi` cannot encode.

    Raises
    ------
    ArtifactError
        If a type has no encoder.
    """
    try:
        if "((" in signature or ",(" in signature:
            raise EncodingError("structs are not supported")
        Method(signature, b"")
    except EncodingError as error:
        raise ArtifactError(f"{signature}: {error}") from error
