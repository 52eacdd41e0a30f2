"""Contract files: workloads declared in TOML, with contracts, calls by weight, and distributions of arguments."""

from workloads.own.file import ContractFileError
from workloads.own.workload import load

__all__ = ["ContractFileError", "load"]
