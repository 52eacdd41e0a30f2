"""Call maker: from a kind of call to the call data and value of each call of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from contend.workloads.contract_file.artifacts import types_of
from contend.workloads.contract_file.samplers import DrawContext, Sampler, make_sampler
from contend.workloads.contract_file.signatures import Signer, used_signature
from contend.workloads.contract_file.specs import CallSpec, ContractFile


class CallMaker:
    """Makes calls of one kind.

    Parameters
    ----------
    file : ContractFile
    call : CallSpec
    name : str
        Name of the random streams.
    context : DrawContext
    count : int
        Calls for which values are drawn.
    """

    def __init__(self, file: ContractFile, call: CallSpec, name: str, context: DrawContext, count: int) -> None:
        artifact = file.contracts[call.contract].artifact
        types, names = types_of(call.signature), artifact.parameters[call.signature]
        # A copy with its own count, which shares all else with the original.
        own = dataclasses.replace(context, draw_count=count)
        self._context = context
        self._method = artifact.method(call.signature)
        self._names = names
        self._parts: dict[int, tuple[str, str]] = {}
        self._samplers: list[Sampler | None] = []
        for place, (value, type_name) in enumerate(zip(call.arguments, types, strict=True)):
            if isinstance(value, dict) and "signature" in value:
                self._parts[place] = (value.get("part", ""), type_name)
                self._samplers.append(None)
            else:
                self._samplers.append(make_sampler(value, type_name, f"{name}/{place}", own))
        self._value = make_sampler(call.value, "uint256", f"{name} value/0", own)
        self._signer: Signer | None = None
        if (signature := used_signature(call.arguments)) is not None:
            by_name = {one: kind for one, kind in zip(names, types, strict=True) if one}
            self._signer = Signer(file.signatures[signature], by_name, f"{name}/{signature}", own)

    def make(self, index: int) -> tuple[bytes, int]:
        """Call data and wei of the call with this index; the last of the context's senders sends it.

        Raises
        ------
        EncodingError
            If an argument's type cannot hold a value that was drawn.
        LookupError
            If a signer has no key.
        """
        arguments: list[Any] = [None if sampler is None else sampler(index) for sampler in self._samplers]
        if self._signer is not None:
            self._context.arguments.clear()
            self._context.arguments.update(zip(self._names, arguments, strict=True))
            signature = self._signer.sign(index)
            for place, (part, type_name) in self._parts.items():
                signed = signature[part]
                is_number = type_name == "uint256" and isinstance(signed, bytes)
                arguments[place] = int.from_bytes(signed, "big") if is_number else signed
        return self._method(*arguments), self._value(index)
