"""Killed processes leave a durable store at a committed block; and one that they leave otherwise is noticed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("clibmdbx", reason="clibmdbx is not installed")

# A commit in two transactions, between which the process dies once a block of the run is there.
_IN_TWO = """
import os, signal, sys
from pathlib import Path
from contend.node.store.durable.changed_records import Records
from contend.node.store.durable.head import Head
from contend.node.store.durable.mdbx_store import MdbxStore
from tools import kill_store

commit = MdbxStore.commit

def in_two(self, records, root=None, began_with=None):
    if self.head.block == 3:
        transaction = self._env.write()
        self._change(transaction, records)
        transaction.commit()
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self, records, root, began_with)

path = Path(sys.argv[1])
MdbxStore.make(path, Head())
case = kill_store.case_of("payments", 20, 3)
MdbxStore.commit = in_two
kill_store.kill_one([case], path, "none", 2.0)
MdbxStore.commit = commit
try:
    print(kill_store.what_is_wrong([case], path)[1])
except Exception as error:
    print(error)
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def test_a_sample_of_kills_leaves_committed_blocks(tmp_path: Path) -> None:
    found = python("-m", "tools.kill_store", "--kills", "8", "--path", str(tmp_path))
    assert found.returncode == 0, found.stderr + found.stdout
    assert re.fullmatch(r"8 kills, within [\d.]+ s each; found .* at block .*; 0 wrong\n", found.stdout)
    assert not list(tmp_path.iterdir())


def test_a_commit_in_two_transactions_is_noticed(tmp_path: Path) -> None:
    found = python("-c", _IN_TWO, str(tmp_path / "state"))
    assert found.returncode == 0, found.stderr
    assert re.search(r"\d+ records differ from those after block 3|names other numbers of records", found.stdout)
