"""Folders of block files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contend.workloads.files.block_folder import block_files
from contend.workloads.files.fields import FieldError


def test_a_file_stands_for_itself_and_a_folder_for_its_blocks_by_number(tmp_path: Path) -> None:
    for name in ("10.json.gz", "9.json", "17000-2.json.gz", "README.md", ".9.json.gz.x7", ".8.json"):
        (tmp_path / name).write_text("")
    found = [os.path.relpath(one, tmp_path) for one in block_files(str(tmp_path))]
    assert found == ["9.json", "10.json.gz", "17000-2.json.gz"]
    assert block_files(str(tmp_path / "README.md")) == [str(tmp_path / "README.md")]
    assert block_files(str(tmp_path / "nowhere")) == [str(tmp_path / "nowhere")]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("")
    with pytest.raises(FieldError, match=r"the folder has no block files, which end in \.json or \.json\.gz") as caught:
        block_files(str(tmp_path))
    assert str(tmp_path) in str(caught.value)
