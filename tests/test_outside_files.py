"""Content of files from outside: what is not read at all, in a line and at once."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from contend import outside_files
from contend.harness.cli import main
from contend.outside_files import content_of, json_of, opened, reason, text_of, toml_of, unpacking
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
    path.write_bytes(gzip.compress(b" " * (outside_files.FREELY_UNPACKED + 1)))
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
        file.truncate(outside_files.MOST_BYTES + 1)
    with pytest.raises(FieldError, match="at most 1,073,741,824 are read"):
        read(path)


def test_an_archive_is_read_no_further_than_one_may_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "all.tar.gz"
    with tarfile.open(archive, "w:gz") as files:
        for name in ("a.json", "b.json"):
            member = tarfile.TarInfo(name)
            member.size = 1 << 16
            files.addfile(member, io.BytesIO(bytes(member.size)))

    def names() -> list[str]:
        with opened(archive) as packed, tarfile.open(fileobj=unpacking(packed), mode="r:") as files:
            return files.getnames()

    assert names() == ["a.json", "b.json"]
    monkeypatch.setattr(outside_files, "MOST_ARCHIVED", 1 << 16)
    with pytest.raises(OSError, match="unpacks to more than"):
        names()


def test_what_is_parsed_is_not_nested_without_end() -> None:
    for parse, text in ((json_of, "[" * 100_000), (toml_of, "a=" + "[" * 10_000)):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse(text)


@pytest.mark.parametrize(
    "command",
    [
        "run --suite {}",
        "run --costs {} --clock virtual",
        "report {}",
        "fuzz --replay {}",
        "fuzz-blocks --replay {}",
        "access-list -w payments --check {}",
        "statetest {}",
    ],
)
def test_no_command_waits_for_a_pipe(tmp_path: Path, command: str) -> None:
    pipe = tmp_path / "x.toml"
    os.mkfifo(pipe)
    result = CliRunner().invoke(main, [word.format(pipe) for word in command.split()])
    assert result.exit_code == 2, result.output
    (line,) = result.output.splitlines()
    assert str(pipe) in line
    assert "it is a pipe" in line


def test_a_block_on_standard_input() -> None:
    code = "from contend.outside_files import file_of, content_of as c; print(c(file_of('-')), c('-'))"
    done = subprocess.run([sys.executable, "-c", code], input=gzip.compress(b"{}"), capture_output=True, check=True)
    assert done.stdout == b"b'{}' b'{}'\n"


def test_text_and_reasons_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match="utf-8"):
        text_of(path)
    assert reason(ValueError("a\n b")) == "a b"
    with pytest.raises(OSError, match="no null byte"):
        opened("a\0b")


def test_a_command_reads_a_block_of_standard_input(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "contend", "run", "-w", "replay", "--block", "-", "-s", "serial", "-q"],
        input=b"{",
        capture_output=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert "no JSON" in line
    assert not list(tmp_path.glob("standard-input*"))


def test_deep_json_is_refused_whatever_a_library_has_made_of_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that raises the limit of recursion had the process end with a segmentation fault."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200_000)
    try:
        with monkeypatch.context() as patched:
            # It is the whole process's: another thread may be anywhere.
            patched.setattr(sys, "setrecursionlimit", None)
            for text in ("[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000):
                with pytest.raises(ValueError, match="nested too deeply"):
                    json_of(text)
    finally:
        sys.setrecursionlimit(limit)


def deep(levels: int, within: Any) -> Any:
    """Lists and objects in turn, around a value."""
    for level in range(levels):
        within = [within, "]"] if level % 2 else {"}": within, "{": 1}
    return within


hard = st.recursive(
    st.text('[]{}"\\', max_size=6) | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('[]{}"\\', max_size=6), inner),
    max_leaves=12,
)


@given(value=hard, levels=st.integers(0, outside_files.MOST_LEVELS - 30), form=st.sampled_from(["utf-8", "utf-16"]))
def test_brackets_in_strings_are_no_levels(value: Any, levels: int, form: str) -> None:
    text = json.dumps(deep(levels, value))
    assert json_of(text) == json_of(text.encode(form)) == json.loads(text)
    for wrong in (text[:-1], text + "]"):
        with pytest.raises(json.JSONDecodeError):
            json_of(wrong)
    with pytest.raises(ValueError, match="nested too deeply"):
        json_of(json.dumps(deep(outside_files.MOST_LEVELS + 30, value)))


@pytest.mark.parametrize("item", ["[]", "{}", '[""]'])
def test_nothing_but_lists_is_not_read(item: str) -> None:
    text = ",".join([item] * (1 << 21))
    with pytest.raises(ValueError, match="more lists and objects than a text of its length has"):
        json_of(f"[{text}]")
