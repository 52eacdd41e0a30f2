"""State root: the Merkle Patricia root of a state's accounts, kept from block to block (Yellow Paper, section 4.1)."""
