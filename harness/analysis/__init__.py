"""Conflict analysis of a block: dependencies, the bound, names of locations, causes of aborts."""

from contend.evm.runtime.source_digest import register

# Each of its kernels calls no kernel of another of its files.
register(__name__, __path__[0], whole=False)
