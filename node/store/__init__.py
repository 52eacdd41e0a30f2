"""Stores: where a state is that does not fit into memory, and what it costs to read it from there."""
