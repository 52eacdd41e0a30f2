"""Soak: all contenders over random workloads for hours, in one process, until a result differs or memory grows."""
