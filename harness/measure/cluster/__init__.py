"""Sweeps on a cluster: the executor whose measuring processes run on the nodes of a Ray cluster.

Ray places and supervises; what it carries are the messages between a client and its measuring processes, which are the
same programs as on one machine. It is an optional package, and imported only when a cluster has been asked for.
"""
