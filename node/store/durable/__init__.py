"""Durable stores: a state in a database that is there after the process, to which each block is committed."""
