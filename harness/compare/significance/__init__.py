"""Significance: what a difference has to stand out from before anybody calls it one.

`null_run` has the floor, by which a version differs from itself; `signed_rank` how likely a cell's pairs are where
nothing differs; `false_discovery` what remains of a whole family of cells.
"""
