"""Transport between shards: ``rings`` in the memory that processes share, or a ``simulated_network``."""
