"""Strategies with a bug planted in one kernel: what proves that the schedule fuzzer finds such bugs.

The package of strategies is copied under another name, one piece of source text replaced, and the copy's step compiled.
Copies lie in the cache of compiled kernels, so that a second run of the tests loads what the first one compiled.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import strategies
from evm.jit import cache_root, kernels_digest
from strategies.base import Strategy

SOURCES = Path(strategies.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """A bug.

    Attributes
    ----------
    name : str
        An identifier.
    file : str
        Of the package, in which the text is.
    text : str
        That is there exactly once.
    replacement : str
    strategy : str
        ``module:Class`` of the package.
    """

    name: str
    file: str
    text: str
    replacement: str
    strategy: str

    def load(self) -> type[Strategy]:
        """The strategy with the bug in it."""
        folder = cache_root() / kernels_digest() / "mutants"
        package = f"mutant_{self.name}"
        for source in SOURCES.iterdir():
            if source.suffix not in {".py", ".json"}:
                continue
            text = source.read_text()
            if source.name == self.file:
                assert text.count(self.text) == 1, (
                    f"{self.name}: the text to be replaced is there {text.count(self.text)} times"
                )
                text = text.replace(self.text, self.replacement)
            text = text.replace("from strategies", f"from {package}").replace("import strategies", f"import {package}")
            target = folder / package / source.name
            # A file that is written anew would be compiled anew.
            if not target.exists() or target.read_text() != text:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        module, _, name = self.strategy.partition(":")
        found: type[Strategy] = getattr(importlib.import_module(f"{package}.{module}"), name)
        return found
