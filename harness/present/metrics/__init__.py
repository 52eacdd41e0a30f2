"""Figures of a run for a monitor, as OpenMetrics text over HTTP. The package for that is optional."""
