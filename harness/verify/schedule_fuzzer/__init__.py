"""The schedule fuzzer: strategies under random interleavings, and copies of them with a known change."""
