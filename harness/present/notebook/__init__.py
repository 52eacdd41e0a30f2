"""What a notebook shows: records and comparisons as tables, a run's progress."""
