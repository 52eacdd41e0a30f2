"""A workload made of a file: contracts deployed, set up, and called as the file says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from workloads.abi import Method, decode_words
from workloads.accounts import named_account
from workloads.arrivals import BURST, arrival_times
from workloads.base import Dial, DialValue, Scenario, Workload
from workloads.draft import ETHER, Draft, genesis_environment
from workloads.fields import FieldError
from workloads.own.artifacts import types_of
from workloads.own.file import OwnCall, OwnFile, read
from workloads.own.values import Draw, Surroundings, drawing
from workloads.sampling import Stream, Zipf, mix

if TYPE_CHECKING:
    from evm import Block, Genesis, State

DEPLOYER = "deployer"


def load(path: str) -> type[Workload]:
    """The workload of a file, as a class like any other.

    Parameters
    ----------
    path : str
        Of the TOML file. It becomes the workload's name, by which other processes find it too.

    Raises
    ------
    OwnFileError
        If the file, or an artifact that it names, cannot be used.
    """
    content = read(Path(path))
    dials = (
        Dial("accounts", content.accounts, "accounts that send", 1, 1_000_000),
        Dial("sender_zipf", content.zipf, "Zipf exponent of senders; 0 is uniform", 0.0, 5.0),
        BURST,
    )
    # The file may set up each account, so that their number is not to be turned.
    ends = ({"sender_zipf": 0.0}, {"sender_zipf": 5.0})
    members = {"ends": ends, "name": path, "summary": content.summary, "dials": dials, "file": content}
    return type("OwnFromFile", (Own,), members)


class Own(Workload):
    """Calls of contracts of one's own: conflicts are wherever they are.

    Attributes
    ----------
    file : OwnFile
    """

    file: ClassVar[OwnFile]

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`. Raises `FieldError` where a deployment or a set-up call reverts."""
        from evm import Genesis, GenesisError

        burst = str(dials[BURST.name])
        draft = Draft(self.file.name, seed, block_size, blocks, burst)
        genesis, count = Genesis(genesis_environment()), int(dials["accounts"])
        around = Surroundings(
            draft.accounts, count, draft.size, {}, lambda name: Stream(seed, f"{self.file.name}/{name}")
        )
        deployer = named_account(DEPLOYER)
        genesis.fund(deployer, 10**9 * ETHER)
        try:
            self._deploy(genesis, around, deployer)
            self._set_up(genesis, around, deployer)
        except GenesisError as error:
            raise FieldError(f"workload file {self.name}: {error}") from error
        self._write(draft, around, float(dials["sender_zipf"]))
        for number in range(count):
            draft.accounts[number]
        for number in sorted(draft.accounts.used):
            address = draft.accounts[number]
            held = genesis.state.balance(address)
            genesis.fund(address, held + self.file.ether * ETHER + draft.outlay.get(number, 0))
        finished = draft.finished()
        notes = {
            "wei": _all_wei(genesis.state),
            "nonces": {draft.accounts[number]: sent for number, sent in draft.sent.items()},
            "holders": (*draft.accounts.used.values(), *around.contracts.values(), deployer),
        }
        arrivals = arrival_times(burst, draft.sizes, around.stream("arrivals"))
        return Scenario(genesis.state, finished, dict(dials), around.contracts, notes, arrivals, {DEPLOYER: deployer})

    def _deploy(self, genesis: Genesis, around: Surroundings, deployer: bytes) -> None:
        around.senders.append(0)
        for contract in self.file.contracts:
            draws = _draws(contract.arguments, contract.artifact.constructor, f"deploy {contract.name}", around, 1)
            code = contract.artifact.creation(*(draw(0) for draw in draws))
            around.contracts[contract.name] = genesis.deploy(code, deployer, contract.value)

    def _set_up(self, genesis: Genesis, around: Surroundings, deployer: bytes) -> None:
        for place, call in enumerate(self.file.setup):
            times = around.count if call.each else 1
            draws = _draws(call.arguments, call.signature, f"setup {place}", around, times)
            (value,) = _draws((call.value,), "value(uint256)", f"setup {place} value", around, times)
            method, to = self._method(call), around.contracts[call.contract]
            for number in range(times):
                # What `{ sender = true }` means here: the account in question.
                around.senders[-1] = number
                genesis.call(to, method(*(draw(number) for draw in draws)), deployer, value(number))
        around.senders.clear()

    def _write(self, draft: Draft, around: Surroundings, exponent: float) -> None:
        calls = self.file.calls
        kinds = mix(around.stream("calls"), {str(place): call.weight for place, call in enumerate(calls)}, draft.size)
        senders = Zipf(around.count, exponent).draw(around.stream("senders"), draft.size).tolist()
        methods = [self._method(call) for call in calls]
        draws = [
            (
                _draws(call.arguments, call.signature, f"call {place}", around, draft.size),
                _draws((call.value,), "value(uint256)", f"call {place} value", around, draft.size)[0],
            )
            for place, call in enumerate(calls)
        ]
        for number, (kind, sender) in enumerate(zip(kinds, senders, strict=True)):
            place = int(kind)
            around.senders.append(sender)
            arguments, value = draws[place]
            data = methods[place](*(draw(number) for draw in arguments))
            draft.add(sender, around.contracts[calls[place].contract], calls[place].gas, data, value(number))

    def _method(self, call: OwnCall) -> Method:
        contract = next(one for one in self.file.contracts if one.name == call.contract)
        return contract.artifact.method(call.signature)

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Whether ether is conserved, every nonce is used, and the file's invariants hold. See `Workload.check`."""
        found = []
        burned, base_fee = scenario.notes["wei"] - _all_wei(state), scenario.blocks[0].environment.base_fee
        if burned <= 0 or burned % base_fee:
            found.append(f"ether: {burned} wei left the world, which is no multiple of the base fee of {base_fee}")
        for sender, count in scenario.notes["nonces"].items():
            if state.nonce(sender) != count:
                found.append(f"account 0x{sender.hex()}: nonce is {state.nonce(sender)} after {count} transactions")
        for invariant in self.file.invariants:
            ask = _Questions(state, scenario.blocks[-1])
            artifact = next(one.artifact for one in self.file.contracts if one.name == invariant.contract)
            address = scenario.contracts[invariant.contract]
            balance = artifact.method(invariant.sum)
            total = sum(ask(address, balance(holder)) for holder in dict.fromkeys(scenario.notes["holders"]))
            expected = ask(address, artifact.method(invariant.equals)())
            if total != expected:
                found.append(
                    f"{invariant.contract}: {invariant.sum} adds up to {total}, {invariant.equals} is {expected}"
                )
        return found


class _Questions:
    """Asks a copy of a state, so that one copy serves thousands of questions."""

    def __init__(self, state: State, block: Block) -> None:
        from evm import Genesis

        self._genesis = Genesis(dataclasses.replace(block.environment, base_fee=0))
        self._genesis.state = state.copy()

    def __call__(self, address: bytes, data: bytes) -> int:
        return decode_words(self._genesis.call(address, data))[0]


def _draws(arguments: tuple[Any, ...], signature: str, name: str, around: Surroundings, size: int) -> list[Draw]:
    within = dataclasses.replace(around, size=size)
    # The senders are those of the whole scenario, whoever draws.
    within.senders, within.contracts = around.senders, around.contracts
    pairs = zip(arguments, types_of(signature), strict=True)
    return [drawing(value, type_name, f"{name}/{place}", within) for place, (value, type_name) in enumerate(pairs)]


def _all_wei(state: State) -> int:
    return sum(word for place, word in state.contents() if place.kind == "balance")
