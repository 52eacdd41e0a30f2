"""Contenders: which strategies are measured with what, and what is refused."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from contend.harness.errors import BadInputError
from contend.harness.plan import request as requests
from contend.harness.plan.contenders import contenders
from contend.harness.plan.request import Request
from contend.harness.plan.resolve import resolve
from contend.strategies import given
from contend.strategies.base import Strategy
from contend.strategies.given import BLOCK, FULL, INDEXED, TRUTH
from contend.strategies.registry import get
from contend.strategies.serial import Serial


def measured(*strategies: str, **more: Any) -> list[str]:
    plan = resolve(Request(("dao",), strategies, 2, **more))
    return list(dict.fromkeys(cell.strategy for cell in plan.cells if cell in plan.reported))


def refused(*strategies: str, **more: Any) -> str:
    with pytest.raises(BadInputError) as error:
        measured(*strategies, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_words_of_the_options_are_those_of_the_strategies() -> None:
    assert tuple(given.SOURCES) == requests.HINTS
    assert tuple(given.LIST_KINDS) == requests.LIST_KINDS


def test_a_strategy_is_measured_with_each_source_that_it_takes() -> None:
    assert measured("serial", "block_stm", "static_partition", hints=["none", "dry_run", "truth"]) == [
        "serial",
        "block_stm",
        "block_stm+dry_run",
        "block_stm+truth",
        "static_partition",
        "static_partition+truth",
    ]


def test_all_sources_are_those_that_each_strategy_takes() -> None:
    assert measured("serial", "bal", "groups", hints="all") == [
        "serial",
        "bal",
        "groups+dry_run",
        "groups+template",
        "groups+declared",
        "groups",
        "groups+truth",
    ]


def test_without_sources_each_has_its_usual_one() -> None:
    assert measured("serial", "block_stm", "static_partition") == ["serial", "block_stm", "static_partition"]


def test_a_strategy_that_is_named_with_its_source_is_given_that() -> None:
    assert measured("block_stm+truth", "block_stm+none", "block_stm") == ["block_stm+truth", "block_stm"]
    assert measured("static_partition+dry_run", "block_stm", hints="truth") == ["static_partition", "block_stm+truth"]


def test_of_a_group_only_those_are_measured_that_can_be_given_something() -> None:
    assert measured(hints="none") == ["serial", "block_stm", "sharded"]


@pytest.mark.parametrize(
    ("strategies", "hints", "text"),
    [
        (("static_partition",), "none", "hints: none of static_partition can be given 'none'; static_partition can be"),
        (("serial",), "truth", "hints: none of serial can be given 'truth'; they use nothing beside the transactions"),
        (("static_partition", "block_stm"), "none", "hints: strategy 'static_partition' can be given dry_run, "),
        (("block_stm",), "thruth", "hints: 'thruth' is not known (did you mean 'truth'?); choose from none, dry_run"),
        (("block_stm+thruth",), None, "cannot be given 'thruth' (did you mean 'block_stm+truth'?): it can be given"),
        (("serial+truth",), None, "strategy 'serial' cannot be given 'truth': it uses nothing beside the transactions"),
        (("block_smt+truth",), None, "unknown strategy 'block_smt'; did you mean 'block_stm'?"),
    ],
)
def test_what_cannot_be_given_is_refused_with_a_hint(strategies: tuple[str, ...], hints: str | None, text: str) -> None:
    assert text in refused(*strategies, hints=hints)


class Valued(Serial):
    """Needs an access list with values."""

    name = "valued"
    takes: ClassVar[tuple[str, ...]] = (BLOCK, TRUTH)
    list_kinds: ClassVar[tuple[str, ...]] = (FULL, INDEXED)


def chosen(named: set[str], **more: Any) -> list[str]:
    kinds: dict[str, type[Strategy]] = {"valued": Valued, "block_stm": get("block_stm")}

    def lookup(name: str) -> type[Strategy]:
        if not name.startswith("valued+"):
            return kinds[name] if name in kinds else get(name)
        return type("Given", (Valued,), {"name": name, "given": name.partition("+")[2]})

    return list(contenders(kinds, Request(**more), named, lookup))


def test_a_strategy_is_not_given_a_list_that_it_can_do_nothing_with() -> None:
    assert chosen(set(), hints="block") == ["valued", "block_stm+block"]
    assert chosen(set(), hints="block", access_list="reads") == ["block_stm+block"]
    assert chosen({"valued"}, hints="truth", access_list="full") == ["valued+truth", "block_stm+truth"]
    with pytest.raises(BadInputError, match="'valued' can do nothing with a list of the kind reads, only with: full,"):
        chosen({"valued"}, hints="block", access_list="reads")


def test_a_kind_of_list_that_nobody_is_given_is_refused() -> None:
    assert "locations is of no use, since no strategy here is given the block's list; add --hints block" in refused(
        "block_stm", access_list="locations"
    )


def test_a_baseline_is_a_contender() -> None:
    asked = Request(("dao",), "block_stm", 2, hints="truth", baseline="block_stm+truth")
    assert resolve(asked).cells[-1].strategy == "block_stm+truth"
    with pytest.raises(BadInputError, match=r"'block_stm' is not measured \(did you mean 'block_stm\+truth'\?\)"):
        resolve(Request(("dao",), "block_stm", 2, hints="truth", baseline="block_stm"))
