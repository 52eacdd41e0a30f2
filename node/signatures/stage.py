"""Stage of signatures: senders of a block's transactions, which nobody knows before it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, ClassVar

import numpy as np

from contend.evm import Block, State
from contend.evm.crypto.secp256k1 import LIBRARY_WORDS, library_functions
from contend.node.base import BlockRun, Stage, StageError
from contend.node.signatures.layout import RECOVERER, RECOVERY
from contend.strategies.clocks import Workers
from contend.strategies.clocks.cost_table import COUNT

SECP256K1 = "secp256k1"
SCHEMES = (SECP256K1,)


def check(scheme: str) -> None:
    """Refuse a scheme that cannot be had here.

    Raises
    ------
    StageError
        With what is missing.
    """
    if scheme not in SCHEMES:
        raise StageError(f"signatures: {scheme!r} is not known; schemes are {', '.join(SCHEMES)}")
    if library_functions() is None:
        raise StageError("signatures: secp256k1 needs the package coincurve, which is not there; pip install coincurve")


def make(scheme: str, blocks: Sequence[Block], genesis: State, seed: int) -> Stage:
    """Have blocks signed, or take the signatures that they came with.

    Raises
    ------
    StageError
        If the scheme cannot be had, or a block has signatures that are not its senders'.
    """
    check(scheme)
    return Recovery(blocks, seed)


class Recovery(Stage):
    """Recovers senders from signatures of secp256k1.

    Parameters
    ----------
    blocks : sequence of Block
    seed : int
        Of the keys, for blocks that came without signatures.
    """

    phase: ClassVar[str] = "recover"
    comes_first: ClassVar[bool] = True

    def __init__(self, blocks: Sequence[Block], seed: int) -> None:
        from contend.node.signatures.secp256k1_signer import Secp256k1Signer
        from contend.node.signatures.signed_block import as_it_came, has_signatures, registry_of, signed_by

        signer = Secp256k1Signer(seed)
        self.blocks = [as_it_came(one) if has_signatures(one) else signed_by(signer, one) for one in blocks]
        self._registry = registry_of(signer.accounts())
        functions = library_functions()
        assert functions is not None
        self._library = np.array([functions[place] for place in range(LIBRARY_WORDS)], np.uint64)
        self._no_costs = np.zeros(COUNT, np.uint64)
        self._bytes = sum(one.signature_bytes for one in self.blocks)
        self._have_memory(max(map(len, blocks), default=0))

    def _have_memory(self, transactions: int) -> None:
        """What is written while it works."""
        self._forged = np.zeros(transactions, np.uint64)
        self._shared: Any = RECOVERY.zeros()
        self._workers: Any = RECOVERER.lines(1)

    def again(self) -> Recovery:
        """Another of the same; see `Stage.again`."""
        other = copy(self)
        other._have_memory(len(self._forged))
        return other

    @property
    def facts(self) -> dict[str, Any]:
        """Scheme and bytes; see `Stage.facts`."""
        return {"scheme": SECP256K1, "signature_bytes": self._bytes, "key_bytes": 0}

    def make_ready(self, run: BlockRun) -> None:
        """Take the senders away; see `Stage.make_ready`."""
        run.image.forget_senders()
        self._forged[:] = 0
        if len(self._workers) < run.workers:
            self._workers = RECOVERER.lines(run.workers)
        self._workers["cost_ps"] = 0
        signed, shared = self.blocks[run.place], self._shared[0]
        costs = self._no_costs if run.clock.costs is None else run.clock.costs.table
        fields = {
            "costs": costs.ctypes.data,
            "library": self._library.ctypes.data,
            "count": len(run.image),
            "signed": signed.rows.ctypes.data,
            "payloads": signed.payloads.ctypes.data,
            "payload_bytes": len(signed.payloads),
            "signatures": signed.signatures.ctypes.data,
            "signature_bytes": len(signed.signatures),
            "registry": self._registry.ctypes.data,
            "registry_mask": len(self._registry) - 1,
            "rows": run.image.rows.ctypes.data,
            "forged": self._forged.ctypes.data,
            "taken": 0,
        }
        for name, value in fields.items():
            shared[name] = value
        from contend.node.signatures.recovery import recover_step

        _ = recover_step.address

    def work(self, run: BlockRun) -> None:
        """Recover all senders; see `Stage.work`."""
        from contend.node.signatures.recovery import recover_step

        stride = self._workers.strides[0]
        first = int(self._workers.ctypes.data)
        addresses = [first + number * stride for number in range(run.workers)]
        run.clock.run(Workers(recover_step, int(self._shared.ctypes.data), addresses))
        forged = self._forged[: len(run.image)]
        if forged.any():
            run.image.note_forged(forged.astype(np.bool_))
