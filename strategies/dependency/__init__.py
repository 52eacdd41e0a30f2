"""Dependency graphs of hints: built by all workers while others execute already, and executed as they are built."""
