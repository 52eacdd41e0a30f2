"""Forks: the rule sets that a block can be executed under.

The instruction set that bytecode is decoded to is that of the newest fork; what an older one lacks is refused where
it executes, which costs nothing elsewhere. A transaction's price and checks are in `evm.transaction`, what SELFDESTRUCT
does in `evm.destruction`, and every number in which forks differ is here.

What a further fork adds goes to the same places. For Prague that is: seven precompiled contracts for BLS12-381
(EIP-2537) to `evm.precompiles` and to the number here; the floor price of call data (EIP-7623) to
`evm.transaction`, beside the intrinsic gas and the refund; delegated code (EIP-7702) where calls and EXTCODE*
instructions look an account's code up, with its authorisations at a transaction's start; more blobs (EIP-7691) here.
"""

from __future__ import annotations

from dataclasses import dataclass

SHANGHAI, CANCUN = range(2)

BLOB_GAS = 1 << 17  # of one blob (EIP-4844)
BLOB_HASH_VERSION = 0x01


@dataclass(frozen=True)
class Fork:
    """One rule set.

    Attributes
    ----------
    number : int
        What kernels compare with `SHANGHAI` and `CANCUN`.
    last_precompile : int
        Precompiled contracts have the addresses 1 to this one.
    max_blobs : int
        That a transaction may carry; zero before there were any.
    blob_fee_fraction : int
        How slowly the blob base fee follows the excess (EIP-4844).
    """

    name: str
    number: int
    last_precompile: int
    max_blobs: int
    blob_fee_fraction: int

    def blob_base_fee(self, excess_blob_gas: int) -> int:
        """Wei per blob gas: ``e ** (excess / fraction)`` by its Taylor series in integers (EIP-4844)."""
        if not self.max_blobs:
            return 0
        total, term, i = 0, self.blob_fee_fraction, 1
        while term > 0:
            total += term
            term = term * excess_blob_gas // (self.blob_fee_fraction * i)
            i += 1
        return total // self.blob_fee_fraction


FORKS = {
    fork.name: fork
    for fork in (
        Fork("Shanghai", SHANGHAI, 9, 0, 1),
        Fork("Cancun", CANCUN, 10, 6, 3_338_477),
    )
}
LAST_PRECOMPILES = tuple(fork.last_precompile for fork in FORKS.values())


def fork_named(name: str) -> Fork:
    """Find a fork by its name, in any case.

    Raises
    ------
    ValueError
        If there is none, naming those that there are.
    """
    for fork in FORKS.values():
        if fork.name.lower() == name.lower():
            return fork
    raise ValueError(f"unknown fork {name!r}; known are {', '.join(FORKS)}")
