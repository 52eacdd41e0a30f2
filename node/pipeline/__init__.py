"""The pipeline: stages of consecutive blocks at work at the same time."""
