"""What a record may hold: its structure, and counters that add up."""
