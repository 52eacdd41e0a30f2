"""Options that stand for others: a whole node."""

from __future__ import annotations

from typing import Any

import pytest

from contend.harness.errors import BadInputError
from contend.harness.plan.implied import implied
from contend.harness.plan.request import Request


def request(**said: Any) -> Request:
    return Request(**implied(said, Request) | said)


def test_a_whole_node_has_all_stages() -> None:
    assert request(node="full").stages == {
        "signatures": "secp256k1",
        "root": "mpt",
        "state": "mdbx",
        "cache": "cold",
        "sync": "block",
    }


def test_under_simulated_time_it_is_of_a_file_and_validators_agree() -> None:
    stages = request(node="full", clock="virtual").stages
    assert stages["state"] == "file"
    assert stages["disk"] == "nvme"
    assert stages["consensus"] == "tendermint"
    assert stages["validators"] == "16"
    assert (stages["signatures"], stages["root"]) == ("secp256k1", "mpt")


def test_what_is_asked_for_goes_before_what_a_node_implies() -> None:
    asked = request(node="full", clock="virtual", signatures="falcon512", state="memory", consensus="hotstuff")
    assert asked.stages == {
        "signatures": "falcon512",
        "keys": "carried",
        "root": "mpt",
        "consensus": "hotstuff",
        "validators": "16",
    }


def test_without_it_nothing_is_implied() -> None:
    assert request().stages == {}
    assert implied({"node": "none"}, Request) == {}


def test_a_node_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadInputError, match="node"):
        request(node="half")


@pytest.mark.parametrize("asked", [{"state": "file"}, {"state": "mdbx"}, {"node": "full"}])
def test_real_reads_of_a_store_do_not_overlap_with_stages(asked: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="leave --state"):
        request(root="mpt", pipeline="shared", block_count=3, **asked)


def test_simulated_ones_do_by_one_machine_a_worker() -> None:
    asked = {"node": "full", "clock": "virtual", "pipeline": "shared", "block_count": 3}
    assert request(**asked).stages["pipeline"] == "shared"
    with pytest.raises(BadInputError, match="one machine"):
        request(machines=4, **asked)
