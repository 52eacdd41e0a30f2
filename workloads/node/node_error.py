"""What goes wrong between here and a node."""

from __future__ import annotations

REORGANISED = "its chain has been reorganised meanwhile; ask again"


class NodeError(Exception):
    """A node cannot be asked, or does not answer what was asked. The message is one line, without any part of its URL.

    Attributes
    ----------
    again_after_s : float or None
        Whether the same may be answered later: seconds that the node wants to be left alone, 0 if it does not say;
        None where asking again is no use.
    """

    def __init__(self, text: str, again_after_s: float | None = None) -> None:
        super().__init__(text)
        self.again_after_s = again_after_s
