"""Contention that is asked for by its result: what is achieved is recorded, and what cannot be had is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from contend.harness.analysis.contention_search import KINDS, TOLERANCE, _bound, _share, between, find_dials
from contend.harness.cli import main
from contend.harness.errors import BadInputError
from contend.workloads import get, names, resolve_dials
from contend.workloads.base import DialValue

SIZE = 250


def ends_of(name: str) -> tuple[Mapping[str, DialValue], Mapping[str, DialValue]]:
    ends = get(name).ends
    assert ends is not None
    return ends


def test_points_between_two_ends() -> None:
    calm, hot = {"pools": 10_000, "zipf": 0.0}, {"pools": 1, "zipf": 2.0}
    assert between(calm, hot, 0.0) == calm
    assert between(calm, hot, 1.0) == hot
    assert between(calm, hot, 0.5) == {"pools": 100, "zipf": 1.0}


@pytest.mark.parametrize("name", names())
def test_both_ends_are_valid_dials(name: str) -> None:
    ends = ends_of(name)
    assert set(ends[0]) == set(ends[1])
    for end in ends:
        assert {dial: resolve_dials(get(name), end)[dial] for dial in end} == dict(end)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workload", names())
def test_every_workload_can_be_aimed(workload: str, kind: str) -> None:
    told: list[str] = []
    calm, hot = (
        _share(_bound(workload, resolve_dials(get(workload), end), 1, SIZE), kind) for end in ends_of(workload)
    )
    assert hot > calm + 0.3
    # In the upper half, where a dial that is a count has its gaps.
    wanted = round(calm + 0.7 * (hot - calm), 3)
    found = find_dials(workload, kind, wanted, 1, SIZE, tell=told.append)
    assert abs(found.share - wanted) <= TOLERANCE
    assert len(told) >= 2
    # The same dials give the same share again: they are all that a second person needs.
    assert _share(_bound(workload, resolve_dials(get(workload), found.dials), 1, SIZE), kind) == found.share


@pytest.mark.parametrize(
    ("workload", "kind", "wanted"),
    [("payments", "contention", 0.28), ("swaps", "contention", 0.6), ("swaps", "chain", 0.11), ("nft", "chain", 0.5)],
)
def test_what_is_asked_for_is_achieved(workload: str, kind: str, wanted: float) -> None:
    assert abs(find_dials(workload, kind, wanted, 1, 500).share - wanted) <= TOLERANCE


def test_a_workload_file_can_be_aimed() -> None:
    path = str(Path(__file__).resolve().parents[3] / "docs" / "examples" / "token.toml")
    assert abs(find_dials(path, "contention", 0.8, 1, SIZE).share - 0.8) <= TOLERANCE


def test_dials_that_were_set_are_not_turned() -> None:
    found = find_dials("swaps", "contention", 0.7, 1, 300, {"pools": 200})
    assert "pools" not in found.dials


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("ledger", "contention", 0.5), "has no dials that aim at it; those that have: payments, swaps"),
        (("swaps", "chain", 1.5), "1.5 is not a share"),
        (("swaps", "contention", 0.0), "cannot give 0; it gives from 0."),
    ],
)
@pytest.mark.usefixtures("plugins")
def test_what_cannot_be_had_is_said_in_one_line(arguments: tuple[str, str, float], complaint: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        find_dials(*arguments, 1, 2_000)
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "options",
    [
        ["--contention", "0.3"],
        ["-w", "swaps,nft", "--contention", "0.3"],
        ["-w", "swaps", "--contention", "0.3", "--chain", "0.1"],
        ["-w", "swaps", "--chain", "0.1", "--sweep", "pools=1,2"],
    ],
)
def test_one_target_of_one_workload(options: list[str]) -> None:
    done = CliRunner().invoke(main, ["run", *options])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "give one of them, one --workload" in done.stderr
