"""Workload generators: one file an application domain."""
