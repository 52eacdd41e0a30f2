"""Fork of a block file: the one that it names, or the one that its content belongs to, and whether the two agree.

A fork that has no rules here, and a field or a type of transaction that a fork does not have, are refused: executed
under other rules they would give a result, and a wrong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contend.workloads.files.chain_forks import BLOCKS, TIMES
from contend.workloads.files.fields import Field

if TYPE_CHECKING:
    from contend.evm.forks import Fork

# In their order. Blocks of those before are told from blocks of Berlin by nothing that is in them.
BEFORE_LONDON = "a fork before London"
ORDER = (
    BEFORE_LONDON, "Berlin", "London", "Paris", "Shanghai", "Cancun", "Prague", "Osaka", "BPO1", "BPO2", "Amsterdam"
)  # fmt: skip
# Fork with which a header got a field (EIPs 1559, 4895, 4844, 4788, 7685, 7928).
_HEADER = {
    "baseFeePerGas": "London",
    "withdrawalsRoot": "Shanghai",
    "parentBeaconBlockRoot": "Cancun",
    "blobGasUsed": "Cancun",
    "excessBlobGas": "Cancun",
    "requestsHash": "Prague",
    "blockAccessListHash": "Amsterdam",
}
# Blocks of older forks are re-executed under the rules of later ones, and the other way round, with headers that say a
# little too much; these fields change no result by themselves.
_HARMLESS = {"withdrawalsRoot", "parentBeaconBlockRoot", "blobGasUsed"}
# Fork with which a type of transaction came (EIPs 2718 and 2930, 1559, 4844, 7702), and what only it has.
_TYPES = (BEFORE_LONDON, "Berlin", "London", "Cancun", "Prague")
_FIELDS = {"blobVersionedHashes": 3, "maxFeePerBlobGas": 3, "authorizationList": 4}
_NEEDED = {2: "maxFeePerGas", 3: "blobVersionedHashes", 4: "authorizationList"}


def fork_of_block(
    named: Field | None, header: Field, transactions: Field, chain_id: int | None, schedule: Field | None = None
) -> Fork:
    """Fork to execute a block under.

    Parameters
    ----------
    named : Field or None
        Where the file names one.
    header, transactions : Field
    chain_id : int or None
        None where the file does not say.
    schedule : Field or None
        Where the file names a fork for how many blobs there may be (EIP-7892), of the same rules otherwise.

    Raises
    ------
    FieldError
        If there are no rules for it, or something in the block is not of this fork.
    """
    from contend.evm.forks import FORKS, fork_named

    demanded = [_of_header(header), *(_of_transaction(one) for one in transactions.elements())]
    latest, where, what = max(demanded, key=lambda one: ORDER.index(one[0]))
    if named is not None:
        try:
            fork = fork_named(named.text())
        except ValueError as error:
            raise named.fail(str(error)) from None
    else:
        name = _by_time(header, chain_id) or _by_content(header, latest)
        if name not in FORKS:
            why = f"{what}: " if name == latest else ""
            raise header.fail(
                f"{why}it is a block of {name}, and there are rules for {', '.join(FORKS)}; to execute it under those "
                "of one of them, name that in 'fork' beside it"
            )
        fork = FORKS[name]
    if ORDER.index(latest) > ORDER.index(fork.name):
        raise where.fail(f"{what}, which blocks have from {latest} on; this one is executed under {fork.name}")
    return fork if schedule is None else _with_blobs(fork, schedule)


def is_own_fork(header: Field, chain_id: int | None, fork: Fork) -> bool:
    """Whether a block is executed under the fork that it belongs to, as far as that can be told."""
    own = _by_time(header, chain_id)
    return own is None or own == fork.name


def _with_blobs(fork: Fork, schedule: Field) -> Fork:
    """The fork that differs from this one by its blobs alone."""
    from dataclasses import replace

    from contend.evm.forks import fork_named

    try:
        found = fork_named(schedule.text())
    except ValueError as error:
        raise schedule.fail(str(error)) from None
    blobs = (found.target_blobs, found.max_blobs, found.blob_fee_fraction)
    named = replace(fork, name=found.name, number=found.number)
    if replace(named, target_blobs=blobs[0], max_blobs=blobs[1], blob_fee_fraction=blobs[2]) != found:
        raise schedule.fail(f"{found.name} has other rules than {fork.name}, which the block is executed under")
    return found


def _of_header(header: Field) -> tuple[str, Field, str]:
    """Earliest fork that has all fields of a header, and the field that says so."""
    found = [(fork, name) for name, fork in _HEADER.items() if name not in _HARMLESS and header.get(name) is not None]
    fork, name = max(found, key=lambda one: ORDER.index(one[0]), default=(BEFORE_LONDON, ""))
    return fork, header, f"the header has {name!r}"


def _of_transaction(content: Field) -> tuple[str, Field, str]:
    """Earliest fork that has a transaction's type, and all its fields."""
    kind = content.get("type")
    number = 0 if kind is None else kind.integer(8)
    if number >= len(_TYPES):
        raise content["type"].fail(f"there is no transaction of type {number}")
    for name, type_ in _FIELDS.items():
        if content.get(name) is not None and kind is not None and number != type_:
            raise content.fail(f"it has {name!r}, which transactions of type {type_} have, not of type {number}")
        if content.get(name) is not None:
            number = type_
    if number in _NEEDED and kind is not None:
        content[_NEEDED[number]]
    listed = content.get("accessList")
    if kind is not None and number == 0 and listed is not None and listed.elements():
        raise listed.fail("transactions of type 0 have none")
    return _TYPES[number], content, f"it is a transaction of type {number}"


def _by_time(header: Field, chain_id: int | None) -> str | None:
    """Fork of a block of a public chain of Ethereum; None for one of another chain."""
    if chain_id not in TIMES:
        return None
    time = header["timestamp"].integer()
    for name, since in TIMES[chain_id]:
        if time >= since:
            return name
    if chain_id not in BLOCKS:
        difficulty = header.get("difficulty")
        return "London" if difficulty is not None and difficulty.integer() else "Paris"
    number = header["number"].integer(64)
    return next((name for name, since in BLOCKS[chain_id] if number >= since), "a fork before Berlin")


def _by_content(header: Field, latest: str) -> str:
    """Earliest fork that has all that is in a block, but none before Shanghai where nothing says so.

    Before Paris blocks had a difficulty, and before London no base fee. A block without one may be older than Berlin,
    unless it holds a type of transaction that came with Berlin.
    """
    difficulty = header.get("difficulty")
    if header.get("baseFeePerGas") is None:
        return latest
    if difficulty is not None and difficulty.integer():
        return "London"
    return latest if ORDER.index(latest) > ORDER.index("Shanghai") else "Shanghai"
