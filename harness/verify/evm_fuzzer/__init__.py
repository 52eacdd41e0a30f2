"""Differential fuzzing of the EVM against revm."""
