"""Block image: a block laid out for kernels, environment words, a row a transaction, all call data in one piece."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contend.evm import errors
from contend.evm.block import ADDRESS_BYTES, Authorization, Block, Transaction, limbs
from contend.evm.forks import BLOB_GAS, fork_named
from contend.evm.layout import AUTHORIZATION, BLOCK, HASHES_KEPT, TRANSACTION
from contend.evm.vm.transaction_flaw import AFTER_ADMISSION, LAST_NONCE, flaw_of

# One more than the greatest value. Gas is counted in signed 64 bits, as EIP-1985 allows.
_LIMITS = {
    "nonce": 1 << 64,
    "gas_limit": 1 << 63,
    "value": 1 << 256,
    "max_fee": 1 << 256,
    "max_priority_fee": 1 << 256,
    "max_blob_fee": 1 << 256,
}
_HASH_BYTES = 32


def check_transaction(index: int, transaction: Transaction) -> None:
    """Refuse what no transaction can hold; kernels would cut it to its low bits without a word.

    Raises
    ------
    ValueError
        Naming transaction and field.
    """
    for name, limit in _LIMITS.items():
        value = getattr(transaction, name)
        if not 0 <= value < limit:
            raise ValueError(f"transaction {index}: {name} = {value} is not in 0 to 2**{limit.bit_length() - 1} - 1")
    listed = (("access_list", address) for address, _ in transaction.access_list)
    for name, address in (("sender", transaction.sender), ("to", transaction.to), *listed):
        if address is not None and len(address) != ADDRESS_BYTES:
            raise ValueError(f"transaction {index}: {name} has {len(address)} bytes, an address has {ADDRESS_BYTES}")
    for _, slots in transaction.access_list:
        if not all(0 <= slot < 1 << 256 for slot in slots):
            raise ValueError(f"transaction {index}: access_list names a slot that is not a 256-bit word")
    for one in transaction.authorizations or ():
        if not 0 <= one.nonce < 1 << 64 or not 0 <= one.chain_id < 1 << 256:
            raise ValueError(f"transaction {index}: an authorisation has a nonce or chain that is too large")
        if len(one.address) != ADDRESS_BYTES or len(one.authority or one.address) != ADDRESS_BYTES:
            raise ValueError(
                f"transaction {index}: an authorisation has an address that is not of {ADDRESS_BYTES} bytes"
            )
    for blob_hash in transaction.blob_hashes or ():
        if len(blob_hash) != _HASH_BYTES:
            raise ValueError(f"transaction {index}: a blob hash has {len(blob_hash)} bytes, not {_HASH_BYTES}")


def _authorization_row(authorization: Authorization, chain_id: int) -> bytes:
    """A row of `evm.layout.AUTHORIZATION`."""
    row, (authority, address, nonce, chain) = AUTHORIZATION.zeros()[0], authorization
    row["authority"] = limbs(int.from_bytes(authority or b"", "big"), 3)
    row["nonce"] = nonce
    row["address"] = limbs(int.from_bytes(address, "big"), 3)
    row["is_valid"] = authority is not None and chain in (0, chain_id) and nonce != LAST_NONCE
    return bytes(row.tobytes())


def _extras(transaction: Transaction, chain_id: int) -> bytes:
    """The data behind a transaction's call data, as words: its access list, authorisations, blob hashes."""
    parts = []
    for address, slots in transaction.access_list:
        parts.append(int.from_bytes(address, "big").to_bytes(24, "little") + len(slots).to_bytes(8, "little"))
        parts.extend(slot.to_bytes(32, "little") for slot in slots)
    parts.extend(_authorization_row(one, chain_id) for one in transaction.authorizations or ())
    parts.extend(blob_hash[::-1] for blob_hash in transaction.blob_hashes or ())
    return b"".join(parts)


class BlockImage:
    """The memory that kernels read a block from.

    Building it is not part of a timed run: a node has its transactions decoded when they arrive. Senders are there,
    too, unless whoever drives the node takes them away and has them recovered from signatures: `forget_senders`, then
    the senders in the rows, then `note_forged`.

    Attributes
    ----------
    flaws : ndarray of int64, shape (n,)
        Why each transaction cannot be executed, as its fields and its signature show, or `errors.NONE`.

    Raises
    ------
    ValueError
        If a transaction's field is out of its range.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        environment = block.environment
        self._hashes = np.zeros((HASHES_KEPT, 4), np.uint64)
        for number, block_hash in environment.block_hashes.items():
            age = environment.number - number
            if 1 <= age <= HASHES_KEPT:
                self._hashes[age - 1] = limbs(int.from_bytes(block_hash, "big"))
        self._rows = TRANSACTION.zeros(max(len(block), 1))
        self._fork = fork_named(environment.fork)
        for index, transaction in enumerate(block):
            check_transaction(index, transaction)
        pieces = [t.data + bytes(-len(t.data) % 8) + _extras(t, environment.chain_id) for t in block]
        # Aligned to words, which access lists and hashes are read as.
        data = np.zeros(sum(len(piece) for piece in pieces) // 8 + 1, np.uint64)
        data.view(np.uint8)[: data.nbytes - 8] = np.frombuffer(b"".join(pieces), np.uint8)
        self._data = data
        self._fill_rows([len(piece) for piece in pieces])
        self.flaws = self._flaws_of_fields = self._rows["flaw"][: len(block)].copy()
        self._header = BLOCK.zeros()
        header = self._header[0]
        for field, value in (
            ("number", environment.number),
            ("timestamp", environment.timestamp),
            ("gas_limit", environment.gas_limit),
            ("base_fee", environment.base_fee),
            ("coinbase", int.from_bytes(environment.coinbase, "big")),
            ("chain_id", environment.chain_id),
            ("prev_randao", environment.difficulty if self._fork.proof_of_work else environment.prev_randao),
            ("blob_base_fee", environment.blob_base_fee),
        ):
            header[field] = limbs(value)
        header["hashes"] = self._hashes.ctypes.data
        header["transactions"] = self._rows.ctypes.data
        header["size"] = len(block)
        header["data"] = self._data.ctypes.data
        header["data_size"] = self.data_bytes
        header["fork"] = self._fork.number
        header["max_blobs"] = self._fork.max_blobs

    def _fill_rows(self, rooms: list[int]) -> None:
        environment, at = self.block.environment, 0
        base_fee = environment.base_fee
        for row, t, room in zip(self._rows, self.block, rooms, strict=False):
            gas_price = max(min(t.max_fee, base_fee + t.max_priority_fee), base_fee)
            flaw = flaw_of(t, environment, self._fork)
            blobs = len(t.blob_hashes or ()) if flaw == errors.NONE else 0
            # Of one with a flaw that is told only if it fits, all that it takes of the block is known.
            wanted = len(t.blob_hashes or ()) if flaw in AFTER_ADMISSION else blobs
            row["sender"] = limbs(int.from_bytes(t.sender, "big"), 3)
            row["to"] = limbs(int.from_bytes(t.to or b"", "big"), 3)
            row["creates"] = t.to is None
            row["nonce"] = t.nonce
            row["gas_limit"] = t.gas_limit
            row["value"] = limbs(t.value)
            row["gas_price"] = limbs(gas_price)
            row["tip"] = limbs(gas_price - base_fee)
            row["max_fee"] = limbs(t.max_fee)
            row["data_at"] = at
            row["data_size"] = len(t.data)
            row["data_room"] = room
            row["list_addresses"] = len(t.access_list)
            row["list_slots"] = sum(len(slots) for _, slots in t.access_list)
            row["blobs"] = wanted if wanted <= self._fork.max_blobs else 0
            row["blob_fee"] = limbs(blobs * BLOB_GAS * environment.blob_base_fee)
            row["blob_fee_limit"] = limbs(blobs * BLOB_GAS * t.max_blob_fee)
            row["flaw"] = flaw
            row["authorizations"] = len(t.authorizations or ())
            at += room

    def forget_senders(self) -> None:
        """Take all senders away, and with them what was found of signatures."""
        self.rows["sender"] = 0
        self.flaws = self._flaws_of_fields
        self.rows["flaw"] = self.flaws

    def note_forged(self, forged: npt.NDArray[np.bool_]) -> None:
        """Have transactions count as invalid whose signature is nobody's; it is told before all other flaws.

        Parameters
        ----------
        forged : ndarray of bool, shape (n,)
        """
        self.flaws = np.where(forged, errors.BAD_SIGNATURE, self._flaws_of_fields)
        self.rows["flaw"] = self.flaws

    def limits_matter(self) -> bool:
        """Whether not all transactions are sure to fit into the block, by their limits (`evm.vm.admission`)."""
        wanted = sum(transaction.gas_limit for transaction in self.block)
        blobs = int(self._rows["blobs"].sum())
        return wanted > self.block.environment.gas_limit or blobs > self._fork.max_blobs

    @property
    def rows(self) -> npt.NDArray[np.void]:
        """A row a transaction (`evm.layout.TRANSACTION`); a view, in which a flaw may be set."""
        rows: npt.NDArray[np.void] = self._rows[: len(self.block)]
        return rows

    @property
    def max_blobs(self) -> int:
        """Blobs that all transactions together may have."""
        return int(self._header[0]["max_blobs"])

    @property
    def data_bytes(self) -> int:
        """Size of all call data with what lies behind it, a multiple of 8."""
        return self._data.nbytes - 8

    @property
    def address(self) -> int:
        """Address of the header, for kernels."""
        return int(self._header.ctypes.data)

    def put_behind(self, cold: int) -> None:
        """Have machines that execute the block fetch what is not in memory (`evm.layout.COLD`); 0 for nothing."""
        self._header[0]["cold"] = cold

    def __len__(self) -> int:
        return len(self.block)
