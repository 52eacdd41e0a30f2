"""Optimistic contenders beside Block-STM: nothing is known before, and what was read is validated afterwards."""
