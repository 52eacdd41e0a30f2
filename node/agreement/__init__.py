"""Agreement on a block: validators that exchange messages on a simulated network, one protocol a file."""
