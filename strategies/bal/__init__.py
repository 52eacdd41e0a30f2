"""Execution from the values of the block's access list (EIP-7928), each transaction on its own, and the list's check."""
