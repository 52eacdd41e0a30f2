"""Contract-file workload: contracts deployed, set up, and called as a contract file declares."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Scenario, Workload
from contend.workloads.building.accounts import named_account
from contend.workloads.building.arrivals import BURST, arrival_times
from contend.workloads.building.block_builder import ETHER, BlockBuilder, genesis_environment
from contend.workloads.building.ether_conservation import nonce_violations, nonces_by_sender
from contend.workloads.building.sampling import RandomStream, Zipf, draw_kinds
from contend.workloads.contract_file.artifacts import types_of
from contend.workloads.contract_file.file import CallSpec, ContractFile, read_contract_file
from contend.workloads.contract_file.values import DrawContext, Sampler, make_sampler
from contend.workloads.contracts.abi import Method, decode_words
from contend.workloads.files.fields import FieldError

if TYPE_CHECKING:
    from contend.evm import Block, Genesis, State

DEPLOYER = "deployer"


def load(path: str) -> type[Workload]:
    """Load the workload of a contract file, as a class like any other.

    Parameters
    ----------
    path : str
        Path of the TOML file. It becomes the workload's name, by which other processes find it too.

    Raises
    ------
    ContractFileError
        If the file, or an artifact that it names, cannot be used.
    """
    content = read_contract_file(Path(path))
    dials = (
        Dial("accounts", content.accounts, "accounts that send", 1, 1_000_000),
        Dial("sender_zipf", content.zipf, "Zipf exponent of senders; 0 is uniform", 0.0, 5.0),
        BURST,
    )
    # The file may set up each account, so that the number of accounts stays.
    ends = ({"sender_zipf": 0.0}, {"sender_zipf": 5.0})
    named = {"name": path, "title": content.name}
    members = {"ends": ends, **named, "summary": content.summary, "dials": dials, "file": content}
    return type("LoadedContractFile", (ContractFileWorkload,), members)


class ContractFileWorkload(Workload):
    """Calls of the contracts of a file: conflicts are where these have them.

    Attributes
    ----------
    file : ContractFile
    """

    file: ClassVar[ContractFile]

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`. Raises `FieldError` where a deployment or a set-up call reverts."""
        from contend.evm import Genesis, GenesisError

        burst = str(dials[BURST.name])
        builder = BlockBuilder(self.file.name, seed, block_size, blocks, burst)
        genesis, count = Genesis(genesis_environment()), int(dials["accounts"])
        context = DrawContext(
            builder.accounts,
            count,
            builder.transaction_count,
            {},
            lambda name: RandomStream(seed, f"{self.file.name}/{name}"),
        )
        deployer = named_account(DEPLOYER)
        genesis.fund(deployer, 10**9 * ETHER)
        try:
            self._deploy(genesis, context, deployer)
            self._set_up(genesis, context, deployer)
        except GenesisError as error:
            raise FieldError(f"workload file {self.name}: {error}") from error
        self._add_calls(builder, context, float(dials["sender_zipf"]))
        for account in range(count):
            builder.accounts[account]
        for account in sorted(builder.accounts.used):
            address = builder.accounts[account]
            held = genesis.state.balance(address)
            genesis.fund(address, held + self.file.ether * ETHER + builder.max_cost_wei.get(account, 0))
        notes = {
            "wei": _total_wei(genesis.state),
            "nonces": nonces_by_sender(builder),
            "holders": (*builder.accounts.used.values(), *context.contracts.values(), deployer),
        }
        arrivals = arrival_times(burst, builder.block_sizes, context.stream("arrivals"))
        return Scenario(
            genesis.state, builder.build(), dict(dials), context.contracts, notes, arrivals, {DEPLOYER: deployer}
        )

    def _deploy(self, genesis: Genesis, context: DrawContext, deployer: bytes) -> None:
        context.senders.append(0)
        for contract in self.file.contracts:
            samplers = _samplers(
                contract.arguments, contract.artifact.constructor, f"deploy {contract.name}", context, 1
            )
            code = contract.artifact.creation(*(sampler(0) for sampler in samplers))
            context.contracts[contract.name] = genesis.deploy(code, deployer, contract.value)

    def _set_up(self, genesis: Genesis, context: DrawContext, deployer: bytes) -> None:
        for i, call in enumerate(self.file.setup):
            times = context.account_count if call.each else 1
            samplers = _samplers(call.arguments, call.signature, f"setup {i}", context, times)
            (value,) = _samplers((call.value,), "value(uint256)", f"setup {i} value", context, times)
            method, to = self._method(call), context.contracts[call.contract]
            for account in range(times):
                # `{ sender = true }` means this account here.
                context.senders[-1] = account
                genesis.call(to, method(*(sampler(account) for sampler in samplers)), deployer, value(account))
        context.senders.clear()

    def _add_calls(self, builder: BlockBuilder, context: DrawContext, exponent: float) -> None:
        """Add all transactions: kinds of calls by weight, senders by a Zipf distribution."""
        calls = self.file.calls
        count = builder.transaction_count
        weights = {str(i): call.weight for i, call in enumerate(calls)}
        kinds = draw_kinds(context.stream("calls"), weights, count)
        senders = Zipf(context.account_count, exponent).draw(context.stream("senders"), count).tolist()
        methods = [self._method(call) for call in calls]
        samplers = [
            (
                _samplers(call.arguments, call.signature, f"call {i}", context, count),
                _samplers((call.value,), "value(uint256)", f"call {i} value", context, count)[0],
            )
            for i, call in enumerate(calls)
        ]
        for index, (kind, sender) in enumerate(zip(kinds, senders, strict=True)):
            call = calls[int(kind)]
            context.senders.append(sender)
            arguments, value = samplers[int(kind)]
            data = methods[int(kind)](*(sampler(index) for sampler in arguments))
            builder.add(sender, context.contracts[call.contract], call.gas, data, value(index))

    def _method(self, call: CallSpec) -> Method:
        """Encoder of the method that is called."""
        contract = next(contract for contract in self.file.contracts if contract.name == call.contract)
        return contract.artifact.method(call.signature)

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Check that ether is conserved, every nonce is used, and the file's invariants hold. See `Workload.check`."""
        found = []
        burned, base_fee = scenario.notes["wei"] - _total_wei(state), scenario.blocks[0].environment.base_fee
        if burned <= 0 or burned % base_fee:
            found.append(f"ether: {burned} wei left the world, which is no multiple of the base fee of {base_fee}")
        found += nonce_violations(state, scenario.notes["nonces"])
        for invariant in self.file.invariants:
            call = _ViewCalls(state, scenario.blocks[-1])
            artifact = next(spec.artifact for spec in self.file.contracts if spec.name == invariant.contract)
            address = scenario.contracts[invariant.contract]
            balance = artifact.method(invariant.sum)
            total = sum(call(address, balance(holder)) for holder in dict.fromkeys(scenario.notes["holders"]))
            expected = call(address, artifact.method(invariant.equals)())
            if total != expected:
                found.append(
                    f"{invariant.contract}: {invariant.sum} adds up to {total}, {invariant.equals} is {expected}"
                )
        return found


class _ViewCalls:
    """View calls on a copy of a state, one copy for thousands of calls."""

    def __init__(self, state: State, block: Block) -> None:
        from contend.evm import Genesis

        self._genesis = Genesis(dataclasses.replace(block.environment, base_fee=0))
        self._genesis.state = state.copy()

    def __call__(self, address: bytes, data: bytes) -> int:
        return decode_words(self._genesis.call(address, data))[0]


def _samplers(arguments: tuple[Any, ...], signature: str, name: str, context: DrawContext, count: int) -> list[Sampler]:
    """Samplers of the arguments of a signature, for `count` draws."""
    # A copy with its own count, which shares senders and contracts with the original.
    own = dataclasses.replace(context, draw_count=count)
    own.senders, own.contracts = context.senders, context.contracts
    pairs = zip(arguments, types_of(signature), strict=True)
    return [make_sampler(value, type_name, f"{name}/{i}", own) for i, (value, type_name) in enumerate(pairs)]


def _total_wei(state: State) -> int:
    """Sum of all balances."""
    return sum(word for location, word in state.contents() if location.kind == "balance")
