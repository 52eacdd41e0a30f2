"""Block-STM (Gelashvili et al., arXiv 2203.06871): multi-version memory, scheduler, worker, and the strategy."""
