"""Calibration: a cost table fitted to this machine, and how far the virtual clock is from the wall clock here."""
