"""A block's access list in kernels: found to pieces, decoded by all workers, and laid out by location."""
