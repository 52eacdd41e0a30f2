"""Caption of a figure or a table, as text and as LaTeX."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from contend.harness.present.paper.latex import escaped

_COLUMNS = 100


@dataclass(frozen=True)
class Caption:
    """Caption.

    Attributes
    ----------
    title : str
        Without a full stop.
    sentences : tuple of str
        What follows it: what is shown, and its provenance.
    """

    title: str
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, title: str, *parts: Iterable[str]) -> Caption:
        """Put a caption together of sentences, those that are empty left out."""
        return cls(title, tuple(text for part in parts for text in part if text))

    @property
    def text(self) -> str:
        """Whole caption in one line."""
        return " ".join([f"{self.title}.", *self.sentences])

    @property
    def wrapped(self) -> str:
        """Whole caption in lines, for a file of text."""
        return textwrap.fill(self.text, _COLUMNS, break_long_words=False, break_on_hyphens=False) + "\n"

    @property
    def short(self) -> str:
        """Title as LaTeX, for lists of figures."""
        return escaped(self.title)

    @property
    def latex(self) -> str:
        """Whole caption as LaTeX, a sentence a line."""
        return "\n".join(escaped(one) for one in (f"{self.title}.", *self.sentences))
