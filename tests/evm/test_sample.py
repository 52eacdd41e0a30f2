"""The sample of official vectors: as its manifest pins it, small, with its licences; and what absent data lead to."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from shared_data import SAMPLE, VARIABLE, sample, shared

from tests.vectors.make_sample import MANIFEST, archive, digests

MOST_BYTES = 2_000_000


def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(sample(MANIFEST).read_text())
    return content


def test_every_file_is_the_one_that_was_pinned() -> None:
    pinned = manifest()
    assert {path.name for path in SAMPLE.glob("*.tar.gz")} == set(pinned)
    for name, entry in pinned.items():
        assert digests(sample(name)) == entry["sha256"], f"{name} is not what {MANIFEST} pins"


def test_a_change_of_one_byte_and_a_missing_file_show(tmp_path: Path) -> None:
    pinned = manifest()["state_tests.tar.gz"]["sha256"]
    with tarfile.open(sample("state_tests.tar.gz")) as files:
        contents = {one.name: stream.read() for one in files if (stream := files.extractfile(one)) is not None}
    changed = tmp_path / "changed.tar.gz"
    changed.write_bytes(archive(contents))
    assert digests(changed) == pinned
    first, second, *_ = contents
    contents[first] = contents[first].replace(b"1", b"2", 1)
    del contents[second]
    changed.write_bytes(archive(contents))
    found = digests(changed)
    assert {name for name in pinned if found.get(name) != pinned[name]} == {first, second}


def test_an_archive_depends_on_names_and_contents_only() -> None:
    one, other = archive({"a": b"1", "b": b"2"}), archive({"b": b"2", "a": b"1"})
    assert one == other
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(one))) as files:
        assert [(member.name, member.mtime, member.uid, member.uname) for member in files] == [
            ("a", 0, 0, ""),
            ("b", 0, 0, ""),
        ]


def test_every_file_has_a_source_and_every_source_a_licence() -> None:
    for entry in manifest().values():
        folders = [source["folder"] for source in entry["sources"]]
        assert not [name for name in entry["sha256"] if sum(name.startswith(f"{one}/") for one in folders) != 1]
        for source in entry["sources"]:
            assert source["name"]
            assert source["version"]
            text = sample(source["licence"]).read_text()
            assert re.search("Permission is hereby granted, free of charge|CC0 1.0 Universal", text)


def test_the_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir() if path.is_file()) <= MOST_BYTES


@pytest.mark.parametrize(
    ("ci", "folder", "ends"),
    [
        (None, None, pytest.skip.Exception),
        (None, "wrong", pytest.skip.Exception),
        ("true", None, pytest.skip.Exception),
        ("true", "wrong", pytest.fail.Exception),
    ],
)
def test_absent_data_fail_where_they_were_promised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str | None, folder: str | None, ends: type[BaseException]
) -> None:
    for variable, value in (("CI", ci), (VARIABLE, folder and str(tmp_path / folder))):
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)
    monkeypatch.setattr("shared_data.ROOT", tmp_path / "checkout")
    with pytest.raises(ends, match="mainnet of the shared data is not here"):
        shared("mainnet")


@pytest.mark.parametrize(("ci", "ends"), [(None, pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_an_absent_sample_fails_under_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str | None, ends: type[BaseException]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("shared_data.SAMPLE", tmp_path)
    with pytest.raises(ends, match=r"tests/vectors/state_tests\.tar\.gz is not here"):
        sample("state_tests.tar.gz")
