"""A few lines of assembler, so that tests can say what their contracts do."""

from __future__ import annotations

from contend.harness.verify.schedule_fuzzer.assembler import assemble

__all__ = ["assemble"]
