"""The oracle: every outcome against the serial result, and where they differ."""
