"""Hashes and curves: what the EVM computes beside arithmetic."""
