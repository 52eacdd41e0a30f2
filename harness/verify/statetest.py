"""Official state tests (the JSON format of ethereum/tests): one transaction from a known state, and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contend.evm import Block, CapacityError, Environment, State, Transaction, errors
from contend.evm.accounts import World, accounts_of, new_state
from contend.evm.block_image import BlockImage
from contend.evm.crypto.keccak import keccak256
from contend.evm.forks import BLOB_GAS, Fork, fork_named
from contend.harness.errors import BadInputError
from contend.harness.verify.official_files import OfficialTest, official_tests, tests_of
from contend.harness.verify.official_forks import official_fork
from contend.harness.verify.state_root import logs_hash, state_root
from contend.strategies.serial import Serial
from contend.workloads.files.authorizations import read_authorizations
from contend.workloads.files.fields import Field, FieldError, RangeError
from contend.workloads.files.prestate import read_access_list, read_prestate

BLOCK_HASHES = 256
# A few tests give the sender more gas than a signed 64-bit counter holds; no block has more.
GAS_BITS = 64
# Gnosis, of which there are tests too, gives its base fees and blob fees to an account instead of burning them.
FEE_COLLECTORS = {100: bytes.fromhex("6bbe78ee9e474842dbd4ab4987b3cefe88426a92")}


@dataclass(frozen=True)
class Vector:
    """One transaction from a known state, with what must come of it.

    Attributes
    ----------
    transaction : Transaction or None
        None for one that cannot be: a number in it is too large, or its fork has no transactions of this type.
    flaw : str
        Why there is none.
    exception : str or None
        The transaction must be refused, for this reason, and the state stays.
    """

    name: str
    world: World
    environment: Environment
    transaction: Transaction | None
    state_root: bytes
    logs_hash: bytes
    exception: str | None
    flaw: str = ""


@dataclass(frozen=True)
class Malformed:
    """A test, or a whole file, that cannot be read: one failure among the others.

    Attributes
    ----------
    name : str
    error : str
        One line that names file and field.
    """

    name: str
    error: str


@dataclass(frozen=True)
class OtherForks:
    """What a test says of forks that were not asked for, or have no rules here, and is not run.

    Attributes
    ----------
    name : str
    forks : tuple of str
        Those that it speaks of.
    vectors : int
        How many vectors that are.
    """

    name: str
    forks: tuple[str, ...]
    vectors: int = 1


Entry = Vector | Malformed | OtherForks


def environment_of(content: Field, fork: Fork, chain_id: int) -> Environment:
    """The block that a test runs in."""

    def integer(name: str) -> int:
        found = content.get(name)
        return 0 if found is None else found.integer()

    number, excess = content["currentNumber"].integer(64), content.get("currentExcessBlobGas")
    return Environment(
        number=number,
        timestamp=content["currentTimestamp"].integer(),
        gas_limit=content["currentGasLimit"].integer(),
        # Tests of forks before London name one all the same.
        base_fee=integer("currentBaseFee") if fork.has_base_fee else 0,
        coinbase=content["currentCoinbase"].octets(20),
        chain_id=chain_id,
        prev_randao=integer("currentRandom"),
        difficulty=integer("currentDifficulty") if fork.proof_of_work else 0,
        blob_base_fee=fork.blob_base_fee(0 if excess is None else excess.excess_blob_gas()),
        # By the convention of these tests.
        block_hashes={n: keccak256(str(n).encode()) for n in range(max(0, number - BLOCK_HASHES), number)},
        fork=fork.name,
    )


def _sender(content: Field) -> bytes:
    sender = content.get("sender")
    if sender is not None:
        return sender.octets(20)
    from contend.evm.crypto.curves import address_of_key

    return address_of_key(content["secretKey"].octets(32))


def _pick(content: Field, name: str, expected: Field) -> tuple[Field, int]:
    """One of the alternatives that a transaction lists, and its place among them."""
    key = {"gasLimit": "gas"}.get(name, name)
    at = expected["indexes"][key].integer(32)
    alternatives = content[name].elements()
    if at >= len(alternatives):
        raise expected["indexes"].fail(f"{key} is {at}, but there are {len(alternatives)}")
    return alternatives[at], at


def _transaction_of(content: Field, expected: Field) -> Transaction:
    data, place = _pick(content, "data", expected)
    gas_limit, _ = _pick(content, "gasLimit", expected)
    value, _ = _pick(content, "value", expected)
    price = content.get("gasPrice")
    lists, blobs = content.get("accessLists"), content.get("blobVersionedHashes")
    at_place = lists.elements()[place] if lists is not None and place < len(lists.elements()) else None
    listed = None if at_place is None or at_place.value is None else at_place
    blob_fee, signed = content.get("maxFeePerBlobGas"), read_authorizations(content.get("authorizationList"))
    # Their type is not said: it is told by what only it has.
    implied = (1 if listed is not None else 0) if price is not None else 2
    return Transaction(
        sender=_sender(content),
        to=content["to"].octets(20) if content["to"].text() not in {"", "0x"} else None,
        nonce=content["nonce"].integer(64),
        gas_limit=gas_limit.integer(GAS_BITS),
        value=value.integer(),
        data=data.octets(),
        max_fee=(content["maxFeePerGas"] if price is None else price).integer(),
        max_priority_fee=(content["maxPriorityFeePerGas"] if price is None else price).integer(),
        access_list=read_access_list(listed),
        blob_hashes=None if blobs is None else tuple(blob.octets(32) for blob in blobs.elements()),
        max_blob_fee=0 if blob_fee is None else blob_fee.integer(),
        authorizations=signed,
        declared_type=4 if signed is not None else 3 if blobs is not None else implied,
    )


def _read_transaction(content: Field, expected: Field) -> tuple[Transaction | None, str]:
    """The transaction, or why there can be none."""
    try:
        return _transaction_of(content, expected), ""
    except RangeError as error:
        return None, str(error)


def _of_test(name: str, content: Field, fork: Fork | None, results: str | None) -> Iterator[Entry]:
    """What a test says of a fork, or of each fork that is here; what it says of no such fork is one entry."""
    post = content["post"]
    if fork is not None:
        results = results or _named(post, fork)
        if results is None or post.get(results) is None:
            others = [len(one.elements()) for _, one in post.items()]
            yield OtherForks(name, tuple(post.mapping()), sum(others))
        else:
            label = name if results == fork.name else f"{name} ({results})"
            yield from _vectors(label, content, fork, results)
        return
    forks = {at: official_fork(at) for at in post.mapping()}
    unknown = {at: len(post[at].elements()) for at, found in forks.items() if found is None}
    if unknown:
        yield OtherForks(name, tuple(unknown), sum(unknown.values()))
    known = {at: found for at, found in forks.items() if found is not None}
    for at, found in known.items():
        yield from _vectors(name if len(known) == 1 else f"{name} ({at})", content, found, at)


def _named(post: Field, fork: Fork) -> str | None:
    """What a test calls a fork; None where it says nothing of it."""
    return next((name for name in post.mapping() if official_fork(name) is fork), None)


def _vectors(name: str, content: Field, fork: Fork, results: str) -> Iterator[Entry]:
    vectors = content["post"][results]
    config = content.get("config")
    chain_id = config.get("chainid") if config is not None else None
    environment = environment_of(content["env"], fork, 1 if chain_id is None else chain_id.integer(64))
    world = read_prestate(content["pre"])
    for expected in vectors.elements():
        at = expected["indexes"]
        exception = expected.get("expectException")
        transaction, flaw = _read_transaction(content["transaction"], expected)
        yield Vector(
            f"{name}[{'-'.join(str(at[key].integer(32)) for key in ('data', 'gas', 'value'))}]",
            world,
            environment,
            transaction,
            expected["hash"].octets(32),
            expected["logs"].octets(32),
            None if exception is None else exception.text(),
            flaw,
        )


def entries_of(content: Field, name: str, fork: Fork | None, results: str | None = None) -> Iterator[Entry]:
    """All entries of one file: the vectors of its tests, what they say of other forks, and tests that are malformed.

    Parameters
    ----------
    content : Field
    name : str
        Of the file; a test's own name follows where there are several.
    fork : Fork or None
        Rules to run under; None for those of each fork that a test speaks of.
    results : str, optional
        Fork whose results are right, where that is another one: tests from before the forks that are here, of what no
        fork has changed since.
    """
    for one in tests_of(name, content):
        yield from _entries_of_test(one, fork, results)


def _entries_of_test(test: OfficialTest, fork: Fork | None, results: str | None) -> Iterator[Entry]:
    label = test.file if test.is_only else f"{test.file}:{test.name}"
    if isinstance(test.content, FieldError):
        yield Malformed(label, str(test.content))
        return
    try:
        # All of a test or nothing: what follows a malformed part may mean something else.
        yield from list(_of_test(label, test.content, fork, results))
    except FieldError as error:
        yield Malformed(label, str(error))


def read_entries(path: Path, fork: Fork | None, results: str | None = None) -> Iterator[Entry]:
    """Entries of a file (``-`` is standard input), of all in a folder, or of all in a tar archive, as `entries_of`.

    Raises
    ------
    FieldError
        If there is nothing at the path, or it is an archive that cannot be read.
    """
    for test in official_tests(path):
        yield from _entries_of_test(test, fork, results)


def vectors_in(path: Path, fork: Fork | None, results: str | None = None) -> list[Vector]:
    """Vectors at a path, of which nothing may be malformed; tests of other forks are left out.

    Raises
    ------
    FieldError
        At the first entry that is malformed.
    """
    found = []
    for entry in read_entries(path, fork, results):
        if isinstance(entry, Malformed):
            raise FieldError(entry.error)
        if isinstance(entry, Vector):
            found.append(entry)
    return found


def _collect_fees(environment: Environment, transaction: Transaction, gas_used: int, state: State) -> None:
    """Credit what a chain does not burn, where it has an account for that.

    Where the block's beneficiary was destroyed, and its own fee with it, that account gets nothing either.
    """
    price = min(transaction.max_fee, environment.base_fee + transaction.max_priority_fee)
    if price > environment.base_fee and not state.balance(environment.coinbase):
        return
    collector = FEE_COLLECTORS.get(environment.chain_id)
    blobs = len(transaction.blob_hashes or ()) if gas_used else 0
    fee = gas_used * environment.base_fee + blobs * BLOB_GAS * environment.blob_base_fee
    if collector is not None and fee:
        state.set_balance(collector, state.balance(collector) + fee)


class VectorRunner:
    """Runs vectors, keeping one machine from one to the next."""

    def __init__(self) -> None:
        self._serial = Serial()

    def check(self, vector: Vector) -> str | None:
        """Difference of a vector's transaction from what it must do; None when it did right."""
        if vector.transaction is None:
            return None if vector.exception is not None else f"refused: {vector.flaw}"
        try:
            state = new_state(vector.world)
            block = Block(vector.environment, (vector.transaction,))
            BlockImage(block)
        except ValueError as flaw:
            # What the format can say but no transaction can hold is refused before there is a transaction.
            return None if vector.exception is not None else f"refused: {flaw}"
        try:
            receipts = self._serial.execute(block, state, 1).receipts
        except CapacityError:
            return "it needs more memory than a machine can have"
        error = receipts.error(0)
        refused = int(receipts.status[0]) == errors.STATUS_INVALID
        if vector.exception is not None and not refused:
            return f"accepted, must be refused for {vector.exception}"
        if refused and vector.exception is None:
            return f"refused: {error}"
        found = logs_hash(receipts.logs(0))
        if found != vector.logs_hash:
            return f"logs hash 0x{found.hex()} instead of 0x{vector.logs_hash.hex()} ({error or 'succeeded'})"
        _collect_fees(vector.environment, vector.transaction, int(receipts.gas_used[0]), state)
        root = state_root(accounts_of(state))
        if root != vector.state_root:
            return f"state root 0x{root.hex()} instead of 0x{vector.state_root.hex()} ({error or 'succeeded'})"
        return None


def fork_of(name: str) -> Fork:
    """Look a fork up.

    Raises
    ------
    BadInputError
        If there is none of this name.
    """
    try:
        return official_fork(name) or fork_named(name)
    except ValueError as error:
        raise BadInputError(str(error)) from None
