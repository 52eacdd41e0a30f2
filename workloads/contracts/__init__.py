"""Contracts in Vyper and what they compile to, checked in side by side."""
