"""Differential fuzzing of whole blocks against the Python specification, and under every contender."""
