"""The tutorials, followed to the letter: what they say is done, and what they show is what is printed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from documents import ROOT, blocks, expectations, follow, is_in, make_environment, refreshed

PAGES = ["tutorial-strategy.md", "tutorial-workload.md"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder as a reader has it after `make setup`, with nothing beside it."""
    folder = tmp_path / "contend"
    folder.mkdir()
    make_environment(folder / ".venv")
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_it_does_and_shows_what_it_says(name: str, place: Path) -> None:
    try:
        metadata.version("contend")
    except metadata.PackageNotFoundError:
        pytest.skip("a plug-in needs Contend installed in this environment (`make setup`)")
    page = (ROOT / "docs" / name).read_text()
    printed = follow(page, place)
    shown = expectations(page, printed)
    assert shown
    for block, output in shown:
        assert is_in(block, output), (
            f"docs/{name} shows\n{block.text}\nbut printed was\n{output}\n"
            f"If the change is right: python tests/support/documents.py docs/{name}"
        )
    assert "FAILED" not in "".join(printed.values())


@pytest.mark.parametrize("name", PAGES)
def test_every_block_means_something(name: str) -> None:
    for block in blocks((ROOT / "docs" / name).read_text()):
        assert block.language in {"sh", "text", "diff", "py"} or block.path, block.text


PAGE = """
```sh
mkdir inner
cd inner
```
```python
# note.py
print("seven", 3 + 4)
```
```sh
python3 note.py
```
```diff
--- a/note.py
+++ b/note.py
@@ -2 +2 @@
-print("seven", 3 + 4)
+print("seven", 4 + 4)
```
```sh
python3 note.py
```
```text
seven 8
```
"""


def test_a_page_is_followed(tmp_path: Path) -> None:
    printed = follow(PAGE, tmp_path)
    assert printed[2] == "seven 7\n"
    ((block, output),) = expectations(PAGE, printed)
    assert is_in(block, output)
    stale = PAGE.replace("seven 8", "seven 9")
    ((block, output),) = expectations(stale, printed)
    assert not is_in(block, output)


def test_a_page_whose_command_fails_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no such thing"):
        follow("```sh\necho no such thing; false\n```\n```sh\necho never\n```\n", tmp_path)


def test_what_is_shown_can_be_written_anew(tmp_path: Path) -> None:
    page = "```sh\nprintf 'a 1\\nb 2\\nc 3\\nd 4\\n'\n```\n```text\nb 7\nc 3\n```\nrest\n"
    assert refreshed(page, follow(page, tmp_path)) == page.replace("b 7", "b 2")
