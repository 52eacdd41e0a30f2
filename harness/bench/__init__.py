"""Bench: builds a workload in one process, runs it serially, times cells, and judges every run."""
