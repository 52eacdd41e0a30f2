"""Contract-file workload: contracts deployed, set up, and called as a contract file declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Scenario, Workload
from contend.workloads.building.access_lists import ACCESS_LISTS, add_access_lists
from contend.workloads.building.arrivals import BURST, arrival_times
from contend.workloads.building.block_builder import ETHER, BlockBuilder, genesis_environment
from contend.workloads.building.ether_conservation import nonce_violations, nonces_by_sender
from contend.workloads.building.keys import KeyedAccounts, RoleAccounts
from contend.workloads.building.sampling import RandomStream, Zipf, draw_kinds
from contend.workloads.contract_file.artifacts import types_of
from contend.workloads.contract_file.call_maker import CallMaker
from contend.workloads.contract_file.file import read_contract_file
from contend.workloads.contract_file.invariants import InvariantChecker
from contend.workloads.contract_file.refusal import plain
from contend.workloads.contract_file.samplers import DrawContext, make_sampler
from contend.workloads.contract_file.specs import DEPLOYER, CallSpec, ContractFile, ContractSpec
from contend.workloads.contracts.abi import Artifact, EncodingError
from contend.workloads.contracts.revert_reason import declared_errors, revert_reason
from contend.workloads.contracts.storage_classes import common_class
from contend.workloads.files.fields import FieldError

if TYPE_CHECKING:
    from contend.evm import Genesis, GenesisError, State


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
    return workload_of(path, read_contract_file(Path(path)))


def workload_of(name: str, content: ContractFile) -> type[ContractFileWorkload]:
    """Make the workload of what a contract file holds."""
    dials = (
        Dial("accounts", content.accounts, "accounts that send", 1, 1_000_000),
        Dial("sender_zipf", content.zipf, "Zipf exponent of senders; 0 is uniform", 0.0, 5.0),
        BURST,
        ACCESS_LISTS,
    )
    # The file may set up each account, so that the number of accounts stays.
    ends = ({"sender_zipf": 0.0}, {"sender_zipf": 5.0})
    members = {
        "ends": ends, "name": name, "title": content.name, "summary": content.summary, "dials": dials, "file": content,
        "classes": _classes(content),
    }  # fmt: skip
    return type("LoadedContractFile", (ContractFileWorkload,), members)


def _classes(content: ContractFile) -> dict[str, str]:
    """Storage class by contract and variable: as the file says, or as the name does."""
    found = {}
    for name, contract in content.contracts.items():
        for variable in contract.artifact.layout:
            kind = contract.classes.get(variable.name) or common_class(variable.name, bool(variable.key_types))
            if kind is not None:
                found[f"{name}.{variable.name}"] = kind
    return found


class ContractFileWorkload(Workload):
    """Calls of the contracts of a file: conflicts are where these have them.

    Attributes
    ----------
    file : ContractFile
    """

    file: ClassVar[ContractFile]

    def artifact(self, contract: str) -> Artifact | None:
        """See `Workload.artifact`: what the file's artifact says of interface and storage."""
        known = self.file.contracts.get(contract)
        if known is None:
            return None
        return Artifact(contract, {}, known.artifact.abi, {}, known.artifact.raw_layout, "0x", "0x")

    def build(self, dials: Mapping[str, DialValue], seed: int, block_size: int, blocks: int = 1) -> Scenario:
        """See `Workload.build`. Raises `FieldError` where a deployment or a set-up call reverts."""
        from contend.evm import Genesis

        file, burst = self.file, str(dials[BURST.name])
        builder = BlockBuilder(file.name, seed, block_size, blocks, burst)
        # Where nobody signs, addresses depend on no seed, as in every workload.
        accounts = KeyedAccounts(file.roles, seed) if file.signatures else RoleAccounts(file.roles)
        builder.accounts = accounts
        genesis, count = Genesis(genesis_environment()), int(dials["accounts"])
        context = DrawContext(
            accounts, count, builder.transaction_count, {}, lambda name: RandomStream(seed, f"{file.name}/{name}")
        )
        roles = {role: accounts[index] for role, index in accounts.roles.items()}
        genesis.fund(roles[DEPLOYER], 10**9 * ETHER)
        funded = {accounts.roles[DEPLOYER]}
        self._deploy(genesis, context)
        self._set_up(genesis, context, funded)
        for account, address in accounts.used.items():
            if nonce := genesis.state.nonce(address):
                builder.nonces[account] = nonce
        self._add_calls(builder, context, float(dials["sender_zipf"]))
        for account in range(count):
            accounts[account]
        for account in sorted(accounts.used):
            savings = 0 if account in funded else file.ether * ETHER
            held = genesis.state.balance(accounts[account])
            genesis.fund(accounts[account], held + savings + builder.max_cost_wei.get(account, 0))
        lists = context.stream("access lists")
        listed = add_access_lists(str(dials[ACCESS_LISTS.name]), genesis.state, builder.build(), lists)
        notes = {"wei": _total_wei(genesis.state), "nonces": nonces_by_sender(builder), "accounts": accounts}
        arrivals = arrival_times(burst, builder.block_sizes, context.stream("arrivals"))
        named = {f"account {account}": accounts[account] for account in range(count)} | roles
        return Scenario(genesis.state, listed, dict(dials), context.contracts, notes, arrivals, named)

    def _deploy(self, genesis: Genesis, context: DrawContext) -> None:
        """Deploy all contracts, each of which may know the address of any other."""
        from contend.evm import GenesisError
        from contend.evm.drivers.genesis import contract_address

        deployer = context.accounts[context.accounts.roles[DEPLOYER]]
        context.contracts.update(
            {name: contract_address(deployer, nonce) for nonce, name in enumerate(self.file.contracts)}
        )
        context.senders.append(context.accounts.roles[DEPLOYER])
        for contract in self.file.contracts.values():
            where = f"[contracts.{plain(contract.name)}]"
            try:
                genesis.deploy(self._creation(contract, context), deployer, contract.value)
            except GenesisError as error:
                raise self._failure(f"{where}: deploying it", error) from error
            except EncodingError as error:
                raise FieldError(f"workload file {self.name}: {where}: {error}") from error

    def _creation(self, contract: ContractSpec, context: DrawContext) -> bytes:
        """Init code of a contract."""
        signature = contract.artifact.constructor
        pairs = zip(contract.arguments, types_of(signature), strict=True)
        names = (f"deploy {contract.name}/{place}" for place in range(len(contract.arguments)))
        arguments = [make_sampler(*pair, name, context)(0) for pair, name in zip(pairs, names, strict=True)]
        libraries = {library: context.contracts[name] for library, name in contract.libraries.items()}
        return contract.artifact.creation(libraries, *arguments)

    def _set_up(self, genesis: Genesis, context: DrawContext, funded: set[int]) -> None:
        """Make the set-up's calls, and give accounts ether when they first send one."""
        from contend.evm import GenesisError

        for number, call in enumerate(self.file.setup):
            times = context.account_count if call.each else 1
            maker = CallMaker(self.file, call, f"setup {number}", context, times)
            to = context.contracts[call.contract]
            for account in range(times):
                by = self._index(call.sender, account, context)
                # `{ sender = true }` means this account here, even where another sends the call for it.
                context.senders[-1] = account if call.each else by
                if by not in funded:
                    funded.add(by)
                    genesis.fund(context.accounts[by], self.file.ether * ETHER)
                data, value = self._made(maker, account, f"[[setup]] {number + 1}")
                try:
                    genesis.call(to, data, context.accounts[by], value)
                except GenesisError as error:
                    method, who = call.signature.partition("(")[0], f" for account {account}" if call.each else ""
                    what = f"[[setup]] {number + 1}: {plain(call.contract)}.{method}{who}"
                    raise self._failure(what, error) from error
        context.senders.clear()

    def _index(self, sender: str | int | None, account: int, context: DrawContext) -> int:
        """Index of the account that sends a call, given the one that was drawn."""
        if sender is None:
            return account
        return sender if isinstance(sender, int) else context.accounts.roles[sender]

    def _made(self, maker: CallMaker, index: int, where: str) -> tuple[bytes, int]:
        try:
            return maker.make(index)
        except EncodingError as error:
            raise FieldError(f"workload file {self.name}: {where}: {error}") from error
        except LookupError as error:
            raise FieldError(f"workload file {self.name}: {where}: who is to sign is no account of the file") from error

    def _failure(self, what: str, error: GenesisError) -> FieldError:
        """Error of a deployment or a call that did not succeed, with the reason that the contract gave."""
        declared: dict[bytes, str] = {}
        for contract in self.file.contracts.values():
            declared |= declared_errors(contract.artifact.abi)
        reason = revert_reason(error.output, declared)
        ended = error.reason or str(error)
        return FieldError(f"workload file {self.name}: {what}: {ended}{f' ({reason})' if reason else ''}")

    def _add_calls(self, builder: BlockBuilder, context: DrawContext, exponent: float) -> None:
        """Add all transactions: kinds of calls by weight, senders by a Zipf distribution."""
        calls = self.file.calls
        count = builder.transaction_count
        weights = {str(i): call.weight for i, call in enumerate(calls)}
        kinds = draw_kinds(context.stream("calls"), weights, count)
        senders = Zipf(context.account_count, exponent).draw(context.stream("senders"), count).tolist()
        makers = [CallMaker(self.file, call, f"call {i}", context, count) for i, call in enumerate(calls)]
        for index, (kind, drawn) in enumerate(zip(kinds, senders, strict=True)):
            call: CallSpec = calls[int(kind)]
            sender = self._index(call.sender, drawn, context)
            context.senders.append(sender)
            data, value = self._made(makers[int(kind)], index, f"[[calls]] {int(kind) + 1}")
            builder.add(sender, context.contracts[call.contract], call.gas, data, value)

    def check(self, scenario: Scenario, state: State) -> list[str]:
        """Check that ether is conserved, every nonce is used, and the file's invariants hold. See `Workload.check`."""
        found = []
        burned, base_fee = scenario.notes["wei"] - _total_wei(state), scenario.blocks[0].environment.base_fee
        if burned <= 0 or burned % base_fee:
            found.append(f"ether: {burned} wei left the world, which is no multiple of the base fee of {base_fee}")
        found += nonce_violations(state, scenario.notes["nonces"])
        accounts: RoleAccounts = scenario.notes["accounts"]
        # Nothing is drawn here, but addresses are looked up.
        context = DrawContext(accounts, 1, 1, scenario.contracts, lambda name: RandomStream(0, name))
        holders: Any = (*accounts.used.values(), *scenario.contracts.values())
        return found + InvariantChecker(self.file, context, holders, state, scenario.blocks[-1]).violations()


def _total_wei(state: State) -> int:
    """Sum of all balances."""
    return sum(word for location, word in state.contents() if location.kind == "balance")
