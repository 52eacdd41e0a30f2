"""Signatures as values: messages that accounts sign when a block is built (EIP-712; EIP-2612 for permits).

.. code:: toml

    [signatures.permit]
    type = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    domain = { name = "Gold", version = "1", chainId = 1, verifyingContract = { contract = "gold" } }
    signer = "owner"                          # the argument that says who; the sender, if left out
    message = { nonce = { nonce = 0 } }       # members that are no argument of the call

    [[calls]]
    contract = "gold"
    method = "permit"
    arguments = [
        { account = "uniform" }, { sender = true }, 5, "2**256 - 1",
        { signature = "permit", part = "v" }, { signature = "permit", part = "r" },
        { signature = "permit", part = "s" },
    ]

A member of the message is what ``message`` says, or else the call's argument of the same name; a ``nonce`` that is
neither counts the signatures of its signer in the domain from zero. All other arguments are drawn first, then the
message is made of them and signed, once a call. Nonces advance whether or not the transaction will succeed: after a
permit that reverts, those that its signer gives later revert too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contend.workloads.building.keys import KeyedAccounts
from contend.workloads.contract_file.refusal import ValueSpecError, plain, shown
from contend.workloads.contract_file.samplers import DrawContext, Sampler, make_sampler
from contend.workloads.contract_file.specs import SignatureSpec
from contend.workloads.contract_file.typed_data import DOMAIN, TypedData, domain_hash, signed_hash
from contend.workloads.contract_file.values import Scope, check_value, is_integer
from contend.workloads.contracts.abi import list_type
from contend.workloads.suggest import nearest

NONCE = "nonce"


def used_signature(arguments: tuple[Any, ...]) -> str | None:
    """Name of the signature that arguments ask for, if any.

    Raises
    ------
    ValueSpecError
        If they ask for two.
    """
    found = {value["signature"] for value in arguments if isinstance(value, dict) and "signature" in value}
    if len(found) > 1:
        raise ValueSpecError(f"a call has one signature, not {len(found)}: {', '.join(map(plain, sorted(found)))}")
    return found.pop() if found else None


def read_signature(name: str, table: Mapping[str, Any], scope: Scope) -> SignatureSpec:
    """Check a signature as far as no call is known; what its message needs of one, `check_message` does.

    Raises
    ------
    ValueSpecError
        If it is refused.
    """
    text, domain, signer, message = (table.get(key) for key in ("type", "domain", "signer", "message"))
    if not isinstance(text, str):
        raise ValueSpecError("type is missing" if text is None else f"type = {shown(text)} is not a text")
    typed = TypedData.parse(text)
    if not isinstance(domain, dict) or not domain:
        known = ", ".join(DOMAIN)
        raise ValueSpecError(f"domain: name those of {known} that the contract hashes, as in {{ name = 'Gold' }}")
    for member, value in domain.items():
        if member not in DOMAIN:
            hint = nearest(member, DOMAIN)
            raise ValueSpecError(f"domain: unknown member {shown(member)}{hint}; known are {', '.join(DOMAIN)}")
        try:
            check_value(value, DOMAIN[member], scope)
        except ValueSpecError as error:
            raise ValueSpecError(f"domain: {member}: {error}") from error
    if signer is not None and not isinstance(signer, str):
        raise ValueSpecError(f"signer = {shown(signer)}: name the argument that says who signs")
    message = {} if message is None else message
    if not isinstance(message, dict):
        raise ValueSpecError(f"message = {shown(message)} is not a table of values by member")
    return SignatureSpec(name, typed, domain, signer, message)


def check_message(spec: SignatureSpec, arguments: Mapping[str, tuple[Any, str]], scope: Scope) -> None:
    """Refuse a call whose arguments do not make a signature's message.

    Parameters
    ----------
    spec : SignatureSpec
    arguments : mapping
        Value and type of each argument of the call, by name.
    scope : Scope
        With the types of the arguments.

    Raises
    ------
    ValueSpecError
        If it is refused.
    """
    try:
        if spec.signer is not None:
            value, type_name = arguments.get(spec.signer, (None, ""))
            if type_name != "address":
                known = [name for name, (_, kind) in arguments.items() if kind == "address"]
                listed = ", ".join(map(plain, known)) or "none"
                raise ValueSpecError(
                    f"signer = {shown(spec.signer)} is no address among the arguments; those are {listed}"
                )
            if not isinstance(value, dict) or "contract" in value:
                raise ValueSpecError(f"signer = {shown(spec.signer)}: {shown(value)} is no account of the file")
        _check_struct(spec.typed, spec.typed.name, spec.message, scope)
    except ValueSpecError as error:
        raise ValueSpecError(f"signature {plain(spec.name)}: {error}") from error


def _check_struct(typed: TypedData, struct: str, given: Any, scope: Scope) -> None:
    members = typed.structs[struct]
    if not isinstance(given, dict):
        raise ValueSpecError(f"{struct}: {shown(given)} is not a table of values by member")
    for name in given:
        if name not in members:
            raise ValueSpecError(f"{struct} has no member {shown(name)}{nearest(name, members)}")
    for name, type_name in members.items():
        try:
            _check_member(typed, _member_value(name, type_name, given, scope.arguments or {}), type_name, scope)
        except ValueSpecError as error:
            raise ValueSpecError(f"{struct}.{name}: {error}") from error


def _member_value(name: str, type_name: str, given: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """Value of a member of a message, where it is not given: the argument of its name, or a nonce."""
    if name in given:
        return given[name]
    if name in arguments:
        return {"argument": name}
    if name == NONCE and is_integer(type_name):
        return {"nonce": 0}
    raise ValueSpecError("no argument of the call has this name: give it in message = { ... }")


def _check_member(typed: TypedData, value: Any, type_name: str, scope: Scope) -> None:
    if type_name in typed.structs:
        _check_struct(typed, type_name, value, scope)
    elif (nested := list_type(type_name)) and isinstance(value, list):
        if nested[1] not in (None, len(value)):
            raise ValueSpecError(f"{shown(value)} has {len(value)} values, {type_name} has {nested[1]}")
        for item in value:
            _check_member(typed, item, nested[0], scope)
    else:
        check_value(value, type_name, scope)


class Signer:
    """Signer of one kind of call's messages.

    Parameters
    ----------
    spec : SignatureSpec
    arguments : mapping
        Type of each argument of the call, by name.
    name : str
        Name of the random streams.
    context : DrawContext
        Its accounts have keys.
    """

    def __init__(self, spec: SignatureSpec, arguments: Mapping[str, str], name: str, context: DrawContext) -> None:
        self._spec = spec
        self._arguments = arguments
        self._context = context
        self._domain: bytes | None = None
        self._message = self._struct_sampler(spec.typed.name, spec.message, name)

    def sign(self, index: int) -> Mapping[str, Any]:
        """Signature of the call of which the context has the arguments: its parts, and all of it under no name.

        Raises
        ------
        LookupError
            If the signer is no account with a key.
        """
        context, spec = self._context, self._spec
        accounts = context.accounts
        assert isinstance(accounts, KeyedAccounts)
        signer = accounts[context.senders[-1]] if spec.signer is None else context.arguments[spec.signer]
        context.signer[:] = [signer]
        domain = self._separator()
        digest = signed_hash(domain, spec.typed.hash(self._message(index)))
        context.signed[domain, signer] = context.signed.get((domain, signer), 0) + 1
        whole = accounts.sign(signer, digest)
        return {"r": whole[:32], "s": whole[32:64], "v": whole[64], "": whole}

    def _separator(self) -> bytes:
        """Domain separator, once for all messages."""
        if self._domain is None:
            members = self._spec.domain.items()
            self._domain = domain_hash(
                {name: make_sampler(value, DOMAIN[name], name, self._context)(0) for name, value in members}
            )
        return self._domain

    def _struct_sampler(self, struct: str, given: Mapping[str, Any], name: str) -> Sampler:
        members = {
            member: self._member_sampler(
                _member_value(member, type_name, given, self._arguments), type_name, f"{name}/{member}"
            )
            for member, type_name in self._spec.typed.structs[struct].items()
        }
        return lambda index: {member: sampler(index) for member, sampler in members.items()}

    def _member_sampler(self, value: Any, type_name: str, name: str) -> Sampler:
        context, spec = self._context, self._spec
        if type_name in spec.typed.structs:
            return self._struct_sampler(type_name, value, name)
        if (nested := list_type(type_name)) and isinstance(value, list):
            items = [self._member_sampler(item, nested[0], f"{name}/{i}") for i, item in enumerate(value)]
            return lambda index: [item(index) for item in items]
        if isinstance(value, dict) and NONCE in value:
            begin = make_sampler(value[NONCE], type_name, name, context)(0)
            return lambda index: begin + context.signed.get((self._separator(), context.signer[0]), 0)
        return make_sampler(value, type_name, name, context)
