"""Making of the stage of signatures: which schemes there are, what each needs, and a block signed for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from contend.evm import Block, State
from contend.evm.crypto.secp256k1 import library_functions
from contend.node.base import Stage, StageError
from contend.node.signatures.signed_block import SignedBlock
from contend.node.signatures.signing_payload import signing_payload
from contend.node.signatures.stage import Recovery, Verification
from contend.node.signatures.stored_triples import FALCON512, SLHDSA128S
from contend.strategies.clocks import cost_table

OPTION, KEYS_OPTION = "signatures", "keys"
SECP256K1 = "secp256k1"
# Of schemes from which no key is recovered, what a verification costs.
_MLDSA = {"mldsa44": cost_table.SIGNATURE_MLDSA44, "mldsa65": cost_table.SIGNATURE_MLDSA65}
_STORED = (FALCON512.name, SLHDSA128S.name)
SCHEMES = (SECP256K1, *_MLDSA, *_STORED)
CARRIED, REGISTRY = KEYS = ("carried", "registry")


def _lacks(scheme: str) -> str | None:
    """What has to be installed for a scheme; None where it is there."""
    if scheme == SECP256K1:
        return "the package coincurve, whose libsecp256k1 it calls" if library_functions() is None else None
    if scheme in _STORED:
        return None
    try:
        found = find_spec("cryptography.hazmat.primitives.asymmetric.mldsa")
    except ImportError:
        found = None
    return "the package cryptography; pip install 'cryptography>=50'" if found is None else None


def check(asked: Mapping[str, str]) -> None:
    """Refuse a scheme that cannot be had here.

    Raises
    ------
    StageError
        With what is missing.
    """
    scheme, keys = asked[OPTION], asked.get(KEYS_OPTION, CARRIED)
    if scheme not in SCHEMES:
        raise StageError(f"signatures: {scheme!r} is not known; schemes are {', '.join(SCHEMES)}")
    if keys not in KEYS:
        raise StageError(f"keys: {keys!r} is not known; they are {' or '.join(KEYS)}")
    lacking = _lacks(scheme)
    if lacking is not None:
        raise StageError(f"signatures: {scheme} needs {lacking}")


def available() -> list[dict[str, str]]:
    """What can be asked for here: every scheme, with every place of keys that makes a difference."""
    found = [{OPTION: scheme} for scheme in SCHEMES if scheme == SECP256K1]
    found += [{OPTION: scheme, KEYS_OPTION: keys} for scheme in SCHEMES[1:] for keys in KEYS]
    return [asked for asked in found if _lacks(asked[OPTION]) is None]


def compile_kernels() -> None:
    """Compile the steps of all schemes."""
    from contend.node.signatures.falcon512_step import falcon_step
    from contend.node.signatures.recovery import recover_step, verify_step
    from contend.node.signatures.slhdsa128s_step import slhdsa_step

    for step in (recover_step, verify_step, falcon_step, slhdsa_step):
        _ = step.address


def make(asked: Mapping[str, str], blocks: Sequence[Block], genesis: State, seed: int) -> Stage:
    """Have blocks signed, or take the signatures that they came with.

    Raises
    ------
    StageError
        If the scheme cannot be had, or a block has signatures that are not its senders'.
    """
    check(asked)
    scheme = asked[OPTION]
    if scheme == SECP256K1:
        return Recovery(blocks, seed)
    if scheme in _STORED:
        from contend.node.signatures.stored_stage import FalconVerification, SlhdsaVerification

        kind = FalconVerification if scheme == FALCON512.name else SlhdsaVerification
        return kind(blocks, asked.get(KEYS_OPTION, CARRIED) == CARRIED)
    return _mldsa(scheme, asked.get(KEYS_OPTION, CARRIED) == CARRIED, blocks, seed)


def _mldsa(scheme: str, are_carried: bool, blocks: Sequence[Block], seed: int) -> Stage:
    """Blocks signed by ML-DSA; whatever signatures they came with, their accounts have keys of this scheme here."""
    from contend.node.signatures.mldsa_signer import MldsaSigner

    signer = MldsaSigner(scheme, seed)
    signed: list[SignedBlock] = []
    checks: list[list[Callable[[], bool]]] = []
    known: dict[bytes, Any] = {}
    for block in blocks:
        accounts = [one.sender for one in block]
        payloads = [signing_payload(one, block.environment.chain_id) for one in block]
        signatures = signer.sign_all(accounts, payloads)
        if are_carried:
            keys = [signer.key_of(account) for account in accounts]
            signed.append(SignedBlock(payloads, signatures, keys))
            parts = zip(keys, signatures, payloads, strict=True)
            checks.append([partial(_read_and_verify, signer, *one) for one in parts])
        else:
            for account in dict.fromkeys(accounts):
                known.setdefault(account, signer.read_key(signer.key_of(account)))
            signed.append(SignedBlock(payloads, signatures, accounts=accounts))
            named = zip((known[account] for account in accounts), signatures, payloads, strict=True)
            checks.append([partial(signer.is_right, *one) for one in named])
    return Verification(scheme, _MLDSA[scheme], signed, signer.accounts() if are_carried else {}, checks)


def _read_and_verify(signer: Any, key: bytes, signature: bytes, payload: bytes) -> bool:
    """Verify by a key that the transaction carries, which has to be read first."""
    try:
        read = signer.read_key(key)
    except ValueError:
        return False
    return bool(signer.is_right(read, signature, payload))
