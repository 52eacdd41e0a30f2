"""Execution from the values of the block's access list (EIP-7928), and the check of the list by that."""
