"""Content of files from outside: what is not read at all, in a line and at once."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from contend.workloads.files import content
from contend.workloads.files.content import content_of
from contend.workloads.files.fields import FieldError, read


def test_gzip_and_plain_files_give_the_same(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.json", tmp_path / "b"
    plain.write_bytes(b"[1]")
    packed.write_bytes(gzip.compress(b"[1]"))
    assert content_of(plain) == content_of(packed) == b"[1]"
    assert read(packed).value == [1]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    with pytest.raises(FieldError, match=r"pipe\.json: cannot be read: it is a pipe, not a regular file"):
        read(path)
    with pytest.raises(FieldError, match="Is a directory"):
        read(tmp_path)
    with pytest.raises(FieldError, match="it is a device"):
        read(Path("/dev/zero"))


def test_what_is_nothing_but_padding_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * (content.FREELY_UNPACKED + 1)))
    with pytest.raises(FieldError, match=r"bomb\.json\.gz: cannot be read: .* unpack to more than 16,777,216"):
        read(path)
    path.write_bytes(gzip.compress(b" " * 1000 + b"{}"))
    assert read(path).value == {}


@pytest.mark.parametrize("size", [1, 20, 30])
def test_a_damaged_gzip_is_one_line(tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.json.gz"
    raw = gzip.compress(bytes(range(256)))
    for damaged in (raw[:size], raw[:size] + b"\xff" * 8 + raw[size + 8 :]):
        path.write_bytes(damaged)
        with pytest.raises(FieldError, match=r"cut\.json\.gz") as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_a_file_beyond_all_sizes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(content.MOST_BYTES + 1)
    with pytest.raises(FieldError, match="at most 1,073,741,824 are read"):
        read(path)
