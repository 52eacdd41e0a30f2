"""Protocol of shards: what one shard's step does, in kernels that know neither processes nor clocks.

From the step downwards: ``worker``; ``coordinator``, with ``execution``, ``commit``, ``slots``, ``run_queue`` and
``lock_free``; ``participant``; ``epilogue``, ``commit_order`` and ``fees``; ``lock_manager``; ``messages``; ``layout``.
"""
