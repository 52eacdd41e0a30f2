"""Workloads from a TOML file: your own contract, who calls what how often, and how arguments are distributed."""

from workloads.own.file import OwnFileError
from workloads.own.workload import load

__all__ = ["OwnFileError", "load"]
