"""Pages about choosing who executes a block: `adaptive` judged, and the least transactions worth it."""
