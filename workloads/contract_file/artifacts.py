"""External artifacts: interface, creation code, libraries and storage layout of a contract that some tool compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contend.outside_files import json_of, reason, text_of
from contend.workloads.contract_file.compiler_output import CompiledContract, find_contract
from contend.workloads.contract_file.refusal import ArtifactError, shown
from contend.workloads.contracts.abi import EncodingError, Method, split_types
from contend.workloads.contracts.keccak_digest import keccak_digest
from contend.workloads.contracts.storage_layout import variables_of
from contend.workloads.contracts.storage_variable import LayoutError, StorageVariable
from contend.workloads.suggest import nearest

MOST_BYTES = 256 << 20
# Where a library's address goes: a hash of its full name, or with compilers before 0.5 the name itself.
_PLACEHOLDER = re.compile(r"__\$([0-9a-fA-F]{34})\$__|__([^_$][^$]*?)_{2,}")
_MOST_DEPTH = 16


@dataclass(frozen=True)
class ExternalArtifact:
    """Contract artifact, reduced to what deployment, calls and explanations need.

    Attributes
    ----------
    tool : str
        ``foundry``, ``hardhat``, ``solc`` or ``vyper``.
    code : str
        Creation code in hexadecimal digits, with placeholders where libraries are to be linked.
    libraries : mapping
        Full name, ``file:Library``, by placeholder.
    abi : list
        Interface.
    constructor : str
        Signature of the constructor, with the name ``constructor``.
    parameters : mapping
        Names of the parameters by signature of each method, the constructor's too.
    layout : tuple of StorageVariable
        Empty where none is known.
    raw_layout : dict
        The same as the compiler wrote it.
    """

    tool: str
    code: str
    libraries: Mapping[str, str]
    abi: list[dict[str, Any]]
    constructor: str
    parameters: Mapping[str, tuple[str, ...]]
    layout: tuple[StorageVariable, ...]
    raw_layout: dict[str, Any]

    @property
    def signatures(self) -> tuple[str, ...]:
        """Signatures of all methods."""
        return tuple(signature for signature in self.parameters if signature != self.constructor)

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
            raise ArtifactError(f"method {shown(name)} is overloaded; name one of {', '.join(found)}")
        known = [signature.partition("(")[0] for signature in self.signatures]
        raise ArtifactError(f"no method {shown(name)}{nearest(name, known)}; its methods: {', '.join(known) or 'none'}")

    def creation(self, addresses: Mapping[str, bytes], *arguments: Any) -> bytes:
        """Init code: the creation code, linked, and the encoded arguments.

        Parameters
        ----------
        addresses : mapping
            Address by full name of a library.
        *arguments
        """
        code = self.code
        for placeholder, library in self.libraries.items():
            code = code.replace(placeholder, addresses[library].hex())
        return bytes.fromhex(code) + Method(self.constructor, b"")(*arguments)

    def method(self, signature: str) -> Method:
        """Encoder of a method; its selector is computed here, since not every tool writes it."""
        return Method(signature, keccak_digest(signature.encode())[:4])


def types_of(signature: str) -> tuple[str, ...]:
    """ABI types of the arguments that a signature names."""
    return split_types(signature[signature.index("(") + 1 : -1])


def read_artifact(path: Path, contract: str | None = None) -> ExternalArtifact:
    """Read an artifact.

    Parameters
    ----------
    path : Path
        A JSON file of one of the tools (`compiler_output`).
    contract : str, optional
        Name of the contract, where the file has several.

    Raises
    ------
    ArtifactError
        If it is not there, not of a known format, or not whole.
    """
    try:
        return _read(path, contract)
    except ArtifactError as error:
        raise ArtifactError(f"artifact {plain_path(path)}: {error}") from error
    except RecursionError as error:
        raise ArtifactError(f"artifact {plain_path(path)}: nested too deeply") from error


def _read(path: Path, contract: str | None) -> ExternalArtifact:
    try:
        content = json_of(text_of(path, MOST_BYTES))
    except OSError as error:
        raise ArtifactError(reason(error)) from error
    except ValueError as error:
        raise ArtifactError(f"not JSON ({reason(error)})") from error
    compiled = find_contract(content, contract)
    if not isinstance(compiled.abi, list) or not isinstance(compiled.code, str):
        raise ArtifactError("its abi is not a list, or its bytecode not a text")
    if not compiled.code.removeprefix("0x"):
        raise ArtifactError("has no bytecode; is it an interface or an abstract contract?")
    libraries = _placeholders(compiled)
    code = compiled.code.removeprefix("0x")
    try:
        bytes.fromhex(_PLACEHOLDER.sub("00" * 20, code))
    except ValueError as error:
        raise ArtifactError("its bytecode is not hexadecimal") from error
    try:
        layout = variables_of(compiled.layout, compiled.abi)
    except LayoutError as error:
        raise ArtifactError(f"its storage layout {error}") from error
    constructor, parameters = _interface(compiled.abi)
    return ExternalArtifact(
        compiled.tool, code, libraries, compiled.abi, constructor, parameters, layout, compiled.layout or {}
    )


def plain_path(path: Path) -> str:
    """Path as a message of one line shows it: whole, for somebody has to find it."""
    return str(path) if str(path).isprintable() else repr(str(path))


def _placeholders(compiled: CompiledContract) -> dict[str, str]:
    """Full name of each library by its placeholder in the code."""
    hashes = {keccak_digest(name.encode()).hex()[:34]: name for name in compiled.libraries}
    found = {}
    for match in _PLACEHOLDER.finditer(compiled.code):
        if match[1] is None:
            raise ArtifactError(f"library {shown(match[2])} is not linked, and the compiler too old to link it here")
        # A library that is not in this file has no name here but the hash of it.
        found[match[0]] = hashes.get(match[1].lower(), match[1].lower())
    return found


def short_library_name(full: str) -> str:
    """Name of a library without its file."""
    return full.rpartition(":")[2]


def full_library_name(name: str, needed: tuple[str, ...]) -> str:
    """Full name of a needed library, of its name with or without the file.

    Raises
    ------
    ArtifactError
        If the code needs none of this name.
    """
    hashed = keccak_digest(name.encode()).hex()[:34]
    found = [full for full in needed if name in (full, short_library_name(full)) or full == hashed]
    if len(found) != 1:
        listed = ", ".join(needed) or "none"
        raise ArtifactError(f"libraries: {shown(name)} is not one that the code needs; those are {listed}")
    return found[0]


def _interface(abi: list[Any]) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Signature of the constructor, and the names of parameters by signature."""
    constructor, parameters = "constructor()", {}
    for item in abi:
        if not isinstance(item, dict) or item.get("type") not in ("constructor", "function"):
            continue
        inputs, name = item.get("inputs", []), item.get("name", "")
        is_constructor = item["type"] == "constructor"
        if not isinstance(name, str) or (not is_constructor and not re.fullmatch(r"[A-Za-z_$][\w$]*", name)):
            raise ArtifactError(f"its abi has a method of the name {shown(name)}")
        signature = f"{'constructor' if is_constructor else name}({_types(inputs)})"
        parameters[signature] = tuple(str(one.get("name", "")) for one in inputs)
        if is_constructor:
            constructor = signature
    return constructor, {constructor: (), **parameters}


def _types(inputs: Any, depth: int = 0) -> str:
    """Canonical types of inputs, separated by commas."""
    if not isinstance(inputs, list) or depth > _MOST_DEPTH:
        raise ArtifactError(f"its abi has inputs that are no list of types: {shown(inputs)}")
    return ",".join(_type(item, depth) for item in inputs)


def _type(item: Any, depth: int) -> str:
    """Canonical type of an input: of a struct, the tuple of its members' types."""
    name = item.get("type") if isinstance(item, dict) else None
    if not isinstance(name, str):
        raise ArtifactError(f"its abi has an input without a type: {shown(item)}")
    if not re.fullmatch(r"\w+(\[\d*\])*", name):
        # Of a library's own methods, which no transaction calls: "struct storage", "mapping(...)".
        return re.sub(r"[^\w ]", "?", name)[:100]
    if not name.startswith("tuple"):
        return name
    return f"({_types(item.get('components'), depth + 1)}){name.removeprefix('tuple')}"


def check_encodable(signature: str) -> None:
    """Refuse a signature that `workloads.contracts.abi` cannot encode.

    Raises
    ------
    ArtifactError
        If a type has no encoder.
    """
    try:
        Method(signature, b"")
    except EncodingError as error:
        raise ArtifactError(f"{signature}: {error}") from error
