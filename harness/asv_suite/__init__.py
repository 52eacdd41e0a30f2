"""The asv suite: figures of which larger is worse, for every strategy and workload, so that their history can be kept.

asv knows no direction and takes a larger figure for a regression: therefore seconds a block, never transactions a
second. It imports this folder as the top-level package ``asv_suite`` and finds `contend` as it is installed.
"""
