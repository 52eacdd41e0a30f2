"""Placeholders: versions stand before their words are known, and who needs one waits with its machine kept."""
