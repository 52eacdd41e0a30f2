"""Learning who executes a block quickest, from records, for the strategy `adaptive` (``contend learn``)."""
