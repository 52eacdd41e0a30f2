"""Bytecode: decoded once, kept by hash, priced for the virtual clock."""
