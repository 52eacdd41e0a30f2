"""The one runner that every strategy's tests go through; plug-ins' tests go through it as well."""

from __future__ import annotations

from contend.testing import Equivalence

__all__ = ["Equivalence"]
