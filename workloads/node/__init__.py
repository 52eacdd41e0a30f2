"""Blocks of a chain asked of a client by JSON-RPC, and made into block files (docs/real-blocks.md)."""
