"""Whole blocks of a chain: decoded from RLP, held against their headers' rules, executed with all that they do."""
