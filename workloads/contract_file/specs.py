"""Content of a contract file, checked: what is deployed, set up, called, signed and asked at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contend.workloads.contract_file.artifacts import ExternalArtifact
from contend.workloads.contract_file.typed_data import TypedData

DEFAULT_GAS = 300_000
DEPLOYER = "deployer"


@dataclass(frozen=True)
class ContractSpec:
    """Contract to deploy.

    Attributes
    ----------
    name : str
    artifact : ExternalArtifact
    arguments : tuple
        Values of the constructor's arguments.
    value : int
        In wei, sent along.
    libraries : mapping
        Contract of the file by the full name of a library that the code has to be linked with.
    classes : mapping
        Storage class by variable, where the file names it.
    """

    name: str
    artifact: ExternalArtifact
    arguments: tuple[Any, ...]
    value: int
    libraries: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SignatureSpec:
    """Signature over typed data (EIP-712).

    Attributes
    ----------
    name : str
    typed : TypedData
    domain : mapping
        Constants by member of the domain.
    signer : str or None
        Argument of the call that says who signs; None for its sender.
    message : mapping
        Values by member; of those that are not there, the argument of that name is the value.
    """

    name: str
    typed: TypedData
    domain: Mapping[str, Any]
    signer: str | None
    message: Mapping[str, Any]


@dataclass(frozen=True)
class CallSpec:
    """Kind of call.

    Attributes
    ----------
    contract, signature : str
        Whom it calls, and which method.
    arguments : tuple
    value
        In wei, or a distribution of it.
    weight : float
        Share among all kinds.
    gas : int
        Limit.
    each : bool
        Whether set-up makes it once for every account.
    sender : str or int or None
        Who sends it: a role, an account's index; None for the account that is drawn, or that set-up comes to.
    """

    contract: str
    signature: str
    arguments: tuple[Any, ...]
    value: Any
    weight: float = 1.0
    gas: int = DEFAULT_GAS
    each: bool = False
    sender: str | int | None = None


@dataclass(frozen=True)
class ViewSpec:
    """Question to a contract: a method that changes nothing, with constants as arguments."""

    contract: str
    signature: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class InvariantSpec:
    """Invariant: what one method says, or the sum of what it says about all holders, compared with another's answer.

    Attributes
    ----------
    left : ViewSpec
    is_sum : bool
        Whether `left` is asked about each account and contract, and the answers are added up.
    relation : str
        ``equals``, ``at_least`` or ``at_most``.
    right : ViewSpec or int
    """

    left: ViewSpec
    is_sum: bool
    relation: str
    right: ViewSpec | int


@dataclass(frozen=True)
class ContractFile:
    """Content of a contract file, checked."""

    name: str
    summary: str
    accounts: int
    zipf: float
    ether: int
    roles: tuple[str, ...]
    contracts: Mapping[str, ContractSpec]
    signatures: Mapping[str, SignatureSpec]
    setup: tuple[CallSpec, ...]
    calls: tuple[CallSpec, ...]
    invariants: tuple[InvariantSpec, ...]
