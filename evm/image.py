"""A block laid out for kernels: environment words, one row a transaction, and all call data in one piece."""

from __future__ import annotations

import numpy as np

from evm import errors, layout
from evm.block import ADDRESS_BYTES, Block, Transaction, limbs

_FEE_LIMIT = 1 << 128
# One more than the greatest value. Gas is counted in signed 64 bits, as EIP-1985 allows.
_LIMITS = {"nonce": 1 << 64, "gas_limit": 1 << 63, "value": 1 << 256, "max_fee": 1 << 256, "max_priority_fee": 1 << 256}


def _check(index: int, transaction: Transaction) -> None:
    """Refuse what no transaction can hold; kernels would cut it to its low bits without a word."""
    for name, limit in _LIMITS.items():
        value = getattr(transaction, name)
        if not 0 <= value < limit:
            raise ValueError(f"transaction {index}: {name} = {value} is not in 0 to 2**{limit.bit_length() - 1} - 1")
    for name, address in (("sender", transaction.sender), ("to", transaction.to)):
        if address is not None and len(address) != ADDRESS_BYTES:
            raise ValueError(f"transaction {index}: {name} has {len(address)} bytes, an address has {ADDRESS_BYTES}")


class BlockImage:
    """The memory that kernels read a block from.

    Building it is not part of a timed run: a node has its transactions decoded when they arrive, and its senders
    recovered.

    Raises
    ------
    ValueError
        If a transaction's field is out of its range.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        environment = block.environment
        self._hashes = np.zeros((256, 4), np.uint64)
        for number, block_hash in environment.block_hashes.items():
            age = environment.number - number
            if 1 <= age <= 256:
                self._hashes[age - 1] = limbs(int.from_bytes(block_hash, "big"))
        self._rows = np.zeros((max(len(block), 1), layout.TX_WORDS), np.uint64)
        data = b"".join(t.data for t in block)
        self._data = np.frombuffer(data + b"\0", np.uint8).copy()
        self._fill_rows()
        header = np.zeros(layout.BLOCK_WORDS, np.uint64)
        for field, value in (
            (layout.BLOCK_NUMBER, environment.number),
            (layout.BLOCK_TIMESTAMP, environment.timestamp),
            (layout.BLOCK_GAS_LIMIT, environment.gas_limit),
            (layout.BLOCK_BASE_FEE, environment.base_fee),
            (layout.BLOCK_COINBASE, int.from_bytes(environment.coinbase, "big")),
            (layout.BLOCK_CHAIN_ID, environment.chain_id),
            (layout.BLOCK_PREV_RANDAO, environment.prev_randao),
            (layout.BLOCK_BLOB_BASE_FEE, environment.blob_base_fee),
        ):
            header[field : field + 4] = limbs(value)
        header[layout.BLOCK_HASHES] = self._hashes.ctypes.data
        header[layout.BLOCK_TRANSACTIONS] = self._rows.ctypes.data
        header[layout.BLOCK_SIZE] = len(block)
        header[layout.BLOCK_DATA] = self._data.ctypes.data
        header[layout.BLOCK_DATA_SIZE] = len(data)
        self._header = header

    def _fill_rows(self) -> None:
        base_fee, at = self.block.environment.base_fee, 0
        for index, (row, t) in enumerate(zip(self._rows, self.block, strict=False)):
            _check(index, t)
            price = min(t.max_fee, base_fee + t.max_priority_fee)
            flaw = errors.NONE
            if t.max_fee < base_fee:
                flaw, price = errors.FEE_BELOW_BASE, base_fee
            elif t.max_priority_fee > t.max_fee:
                flaw = errors.TIP_ABOVE_FEE
            elif t.max_fee >= _FEE_LIMIT:
                flaw = errors.INSUFFICIENT_FUNDS
            row[:] = (
                *limbs(int.from_bytes(t.sender, "big"), 3),
                *limbs(int.from_bytes(t.to or b"", "big"), 3),
                t.to is None,
                t.nonce,
                t.gas_limit,
                *limbs(t.value),
                *limbs(price),
                *limbs(price - base_fee),
                *limbs(t.max_fee),
                at,
                len(t.data),
                flaw,
            )
            at += len(t.data)

    @property
    def address(self) -> int:
        """Address of the header, for kernels."""
        return int(self._header.ctypes.data)

    def __len__(self) -> int:
        return len(self.block)
