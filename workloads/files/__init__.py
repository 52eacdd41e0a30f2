"""Files: blocks and pre-states, read, written and replayed."""
