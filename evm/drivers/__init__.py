"""Drivers of the machine over a plain state: serial execution, recording of access sets, genesis."""
