"""Block tests at a path. What is malformed is told, the rest read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from contend.harness.verify.official_files import official_tests
from contend.harness.verify.whole_block.block_test import BlockTest, test_of
from contend.workloads.files.fields import FieldError


def read_block_tests(path: Path) -> Iterator[BlockTest | FieldError]:
    """All tests at a path, with an error for each file and each test that is malformed.

    Raises
    ------
    FieldError
        If there is nothing at the path, or it is an archive that cannot be read.
    """
    for file, name, _, content in official_tests(path):
        if isinstance(content, FieldError):
            yield content
            continue
        try:
            yield test_of(name, content, file)
        except FieldError as error:
            yield error
