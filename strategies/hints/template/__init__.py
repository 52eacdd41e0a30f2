"""Hints from templates: expressions over a transaction's own words, learned from the blocks before.

``source`` says how it works. A transaction is seen as ``words`` (sender, recipient, call data) and as a few
``contexts``, kinds of calls that it is one of. ``expression`` has what a template is and how it gives a location;
``preimages`` and ``explanation`` find expressions for what was touched; ``predict`` and ``learn`` are the steps of
workers.
"""

from contend.strategies.hints.template.source import Template

__all__ = ["Template"]
