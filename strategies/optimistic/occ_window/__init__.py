"""Optimistic execution within a window, validated and committed in the block's order."""
