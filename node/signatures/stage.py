"""Stage of signatures: senders of a block's transactions, which nobody knows before it."""

from __future__ import annotations

import ctypes
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, ClassVar

import numpy as np

from contend.evm import Block
from contend.evm.crypto.secp256k1 import LIBRARY_WORDS, library_functions
from contend.evm.runtime.jit import Native
from contend.node.base import BlockRun, Stage
from contend.node.signatures.layout import RECOVERER, RECOVERY
from contend.node.signatures.signed_block import (
    SignedBlock,
    as_it_came,
    has_signatures,
    registry_of,
    signed_by,
)
from contend.strategies.clocks import Workers, cost_table

_VERIFY = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


class SenderStage(Stage):
    """Finds out who sent each transaction, by all workers, from what came with the block.

    Parameters
    ----------
    scheme : str
    cost_class : int
        Of a verification.
    blocks : sequence of SignedBlock
    accounts : mapping
        Accounts by the addresses of their keys; empty where each is its key's.

    Attributes
    ----------
    blocks : list of SignedBlock
    """

    phase: ClassVar[str] = "recover"
    comes_first: ClassVar[bool] = True

    def __init__(
        self, scheme: str, cost_class: int, blocks: Sequence[SignedBlock], accounts: Mapping[bytes, bytes]
    ) -> None:
        self.blocks = list(blocks)
        self._scheme, self._cost_class = scheme, cost_class
        self._registry = registry_of(accounts)
        self._no_costs = np.zeros(cost_table.COUNT, np.uint64)
        self._have_memory()

    def _have_memory(self) -> None:
        """What is written while it works."""
        self._forged = np.zeros(max((len(one.rows) for one in self.blocks), default=0), np.uint64)
        self._shared: Any = RECOVERY.zeros()
        self._workers: Any = RECOVERER.lines(1)

    @property
    def facts(self) -> dict[str, Any]:
        """Scheme and bytes; see `Stage.facts`."""
        found = {
            f"{what}_bytes": sum(getattr(one, f"{what}_bytes") for one in self.blocks) for what in ("signature", "key")
        }
        return {"scheme": self._scheme, **found}

    def again(self) -> SenderStage:
        """Another of the same; see `Stage.again`."""
        other = copy(self)
        other._have_memory()
        return other

    @property
    @abstractmethod
    def step(self) -> Native:
        """What a worker does."""

    def make_ready(self, run: BlockRun) -> None:
        """Take the senders away; see `Stage.make_ready`."""
        run.image.forget_senders()
        self._forged[:] = 0
        if len(self._workers) < run.workers:
            self._workers = RECOVERER.lines(run.workers)
        self._workers["cost_ps"] = 0
        signed, shared = self.blocks[run.place], self._shared[0]
        costs = self._no_costs if run.clock.costs is None else run.clock.costs.table
        arrays = {
            "costs": costs,
            "signed": signed.rows,
            "payloads": signed.payloads,
            "signatures": signed.signatures,
            "keys": signed.keys,
            "registry": self._registry,
            "rows": run.image.rows,
            "forged": self._forged,
        }
        numbers = {
            "cost_class": self._cost_class,
            "count": len(run.image),
            "payload_bytes": len(signed.payloads),
            "signature_bytes": len(signed.signatures),
            "key_bytes": len(signed.keys),
            "registry_mask": len(self._registry) - 1,
            "taken": 0,
        }
        for name, value in (numbers | {name: array.ctypes.data for name, array in arrays.items()}).items():
            shared[name] = value
        _ = self.step.address

    def work(self, run: BlockRun) -> None:
        """Find all senders; see `Stage.work`."""
        stride, first = self._workers.strides[0], int(self._workers.ctypes.data)
        addresses = [first + number * stride for number in range(run.workers)]
        run.clock.run(Workers(self.step, int(self._shared.ctypes.data), addresses))
        forged = self._forged[: len(run.image)]
        if forged.any():
            run.image.note_forged(forged.astype(np.bool_))


class Recovery(SenderStage):
    """Recovers senders from signatures of secp256k1.

    Parameters
    ----------
    blocks : sequence of Block
    seed : int
        Of the keys, for blocks that came without signatures.
    """

    def __init__(self, blocks: Sequence[Block], seed: int) -> None:
        from contend.node.signatures.secp256k1_signer import Secp256k1Signer

        signer = Secp256k1Signer(seed)
        signed = [as_it_came(one) if has_signatures(one) else signed_by(signer, one) for one in blocks]
        super().__init__("secp256k1", cost_table.SIGNATURE, signed, signer.accounts())
        functions = library_functions()
        assert functions is not None
        self._library = np.array([functions[place] for place in range(LIBRARY_WORDS)], np.uint64)

    @property
    def step(self) -> Native:
        """What a worker does; see `SenderStage.step`."""
        from contend.node.signatures.recovery import recover_step

        return recover_step

    def make_ready(self, run: BlockRun) -> None:
        """Take the senders away; see `Stage.make_ready`."""
        super().make_ready(run)
        self._shared[0]["library"] = self._library.ctypes.data


class Verification(SenderStage):
    """Verifies signatures of a scheme from which no key is recovered, by a library that Python calls.

    Parameters
    ----------
    scheme : str
    cost_class : int
    blocks : sequence of SignedBlock
    accounts : mapping
        Accounts by the addresses of their keys.
    checks : sequence of sequence of callable
        For each transaction of each block what says whether its signature is right, called without arguments.
    """

    def __init__(
        self,
        scheme: str,
        cost_class: int,
        blocks: Sequence[SignedBlock],
        accounts: Mapping[bytes, bytes],
        checks: Sequence[Sequence[Callable[[], bool]]],
    ) -> None:
        self._checks = checks
        self._failure: BaseException | None = None
        super().__init__(scheme, cost_class, blocks, accounts)

    def _have_memory(self) -> None:
        super()._have_memory()
        self._place = 0
        # The function must live as long as kernels may call it.
        self._verify = _VERIFY(self._is_right)

    def _is_right(self, number: int) -> int:
        try:
            return int(self._checks[self._place][number]())
        # Nothing may pass through the native code that calls this, Ctrl-C included.
        except BaseException as error:
            self._failure = error
            return 0

    @property
    def step(self) -> Native:
        """What a worker does; see `SenderStage.step`."""
        from contend.node.signatures.recovery import verify_step

        return verify_step

    def make_ready(self, run: BlockRun) -> None:
        """Take the senders away; see `Stage.make_ready`."""
        super().make_ready(run)
        self._place, self._failure = run.place, None
        self._shared[0]["verify"] = ctypes.cast(self._verify, ctypes.c_void_p).value

    def work(self, run: BlockRun) -> None:
        """Verify all signatures; see `Stage.work`. Raises what the library has raised, if it did."""
        super().work(run)
        if self._failure is not None:
            raise self._failure
