"""Measuring: processes that take turns, timed runs, and the oracle that judges each."""
