"""Transport between shards: ``rings`` in the memory that processes share, or a ``simulated_network``.

``handshake`` and ``frames`` are what messages over real sockets will be made of; no exchange uses them yet.
"""
