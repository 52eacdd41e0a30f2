"""Contract files: workloads declared in TOML, with contracts, calls by weight, and distributions of arguments."""

from contend.workloads.contract_file.refusal import ContractFileError
from contend.workloads.contract_file.workload import load

__all__ = ["ContractFileError", "load"]
