"""Signatures: who sent each transaction of a block, recovered by all workers before the block is executed."""
