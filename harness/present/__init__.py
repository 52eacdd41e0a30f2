"""Presentation: tables, progress, charts, the report."""
