"""``contend risk``: what it prints, as JSON too, and what it refuses."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from contend.harness.cli import main
from contend.harness.present.tables.takeover_table import duration, probability

ASKED = ["risk", "--nodes", "4000", "--shards", "16", "--bad", "1/3", "--resilience", "1/2", "--epoch", "1d"]


def test_the_risk_of_a_chain_is_told_by_both_models() -> None:
    result = CliRunner().invoke(main, ASKED)
    assert result.exit_code == 0, result.output
    assert "16 shards of 250; 125 bad members take one over (at-least 1/2)" in " ".join(result.output.split())
    assert "4,302 years" in result.output
    assert "12,540 years" in result.output


def test_the_same_as_json() -> None:
    result = CliRunner().invoke(main, [*ASKED, "--json"])
    found = json.loads(result.output)
    assert [model["model"] for model in found["models"]] == ["binomial", "hypergeometric"]
    assert found["bad_nodes"] == 1333
    assert found["models"][0]["seconds_to_failure"] == pytest.approx(4_302 * 365 * 86_400, rel=1e-3)
    assert found["models"][0]["smallest_committee"] == 423


def test_what_cannot_fail_never_does() -> None:
    result = CliRunner().invoke(main, ["risk", "--nodes", "10", "--shards", "1", "--bad", "1/5", "--json"])
    model = json.loads(result.output)["models"][1]
    assert (model["some_shard"], model["seconds_to_failure"]) == (0.0, None)


@pytest.mark.parametrize(
    ("option", "text", "told"),
    [
        ("--bad", "a third", "no share"),
        ("--bad", "1/0", "no share"),
        ("--bad", "4/3", "above 0 and below 1"),
        ("--resilience", "0", "above 0 and below 1"),
        ("--epoch", "1 day", "as in 12h"),
        ("--epoch", "0s", "as in 12h"),
        ("--target", "tiny", "2^-40 or 1e-6"),
        ("--target", "1", "above 0 and below 1"),
        ("--shards", "5000", "more than the 4000 nodes"),
    ],
)
def test_what_makes_no_sense_is_refused(option: str, text: str, told: str) -> None:
    result = CliRunner().invoke(main, [*ASKED, option, text])
    assert result.exit_code == 2
    assert told in result.output
    assert option in result.output
    assert result.output.count("\n") == 1


def test_numbers_are_as_people_read_them() -> None:
    assert probability(0.0276) == "0.0276"
    assert probability(2.0**-40) == "9.09e-13"
    assert duration(86_400 * 365 * 4_302) == "4,302 years"
    assert duration(90) == "1.5 minutes"
    assert duration(86_400) == "1 day"
    assert duration(float("inf")) == "never"
