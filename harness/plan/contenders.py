"""Contenders: strategies with what each of them is given, from the names and sources that a request has.

A strategy that is named with its source, as in ``block_stm+truth``, is given that, whatever the request says of hints.
All others are measured with every source that the request names and that they can use; with their usual one, where it
names none; and once, if they use nothing. What was not asked for in particular, but is one of a group of names (all of
them, or the default), is left out where there is nothing that it could be given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from contend.harness.errors import BadInputError
from contend.harness.plan.request import LIST_KINDS, Request
from contend.strategies.base import Strategy
from contend.strategies.given import BLOCK, SEPARATOR, SOURCES, TRUTH, contender
from contend.strategies.registry import usual_source

Kinds = dict[str, type[Strategy]]


def contenders(
    kinds: Mapping[str, type[Strategy]],
    request: Request,
    named: Collection[str],
    lookup: Callable[[str], type[Strategy]],
) -> Kinds:
    """Contenders that strategies and sources make, by name.

    Parameters
    ----------
    kinds : mapping
        Strategies by the name that they were asked for by.
    request : Request
        Says the sources, and the kind of access lists.
    named : collection of str
        Those that were asked for in particular.
    lookup : callable
        Finds the class of a contender by its name.

    Raises
    ------
    BadInputError
        For a source or a kind of list that is of no use to anyone, or to a strategy that was asked for in particular.
    """
    _check_sources(kinds, request.hints)
    found: Kinds = {}
    for name, kind in kinds.items():
        own = _of_strategy(name, kind, request.hints, lookup)
        useless = [one for one, given in own.items() if not _can_use(given, request.access_list)]
        if name in named and not own:
            raise BadInputError(
                f"hints: strategy {name!r} can be given {', '.join(kind.takes)} and not {', '.join(request.hints)}; "
                f"name it with its source, as in {name}{SEPARATOR}{kind.takes[0]}, or leave it out"
            )
        if name in named and useless:
            raise BadInputError(
                f"access list: strategy {useless[0]!r} can do nothing with a list of the kind {request.access_list}, "
                f"only with: {', '.join(kind.list_kinds)}"
            )
        found |= {one: given for one, given in own.items() if one not in useless}
    if request.access_list != LIST_KINDS[0] and not any(kind.given == BLOCK for kind in found.values()):
        raise BadInputError(
            f"access list: {request.access_list} is of no use, since no strategy here is given the block's list; add "
            f"--hints {BLOCK}"
        )
    return found


def _of_strategy(
    name: str, kind: type[Strategy], hints: Collection[str], lookup: Callable[[str], type[Strategy]]
) -> Kinds:
    """One strategy with each source; none where it can use none of them."""
    strategy, separator, _ = name.partition(SEPARATOR)
    if separator:
        # The usual source has no name of its own.
        return {contender(strategy, kind.given, usual_source(kind)): kind}
    if not hints or not kind.takes:
        return {name: kind}
    made = [contender(name, source, usual_source(kind)) for source in hints if source in kind.takes]
    return {one: lookup(one) for one in made}


def _can_use(kind: type[Strategy], list_kind: str) -> bool:
    is_listed = kind.given == BLOCK or (kind.uses_values and kind.given == TRUTH)
    return not is_listed or list_kind in kind.list_kinds


def _check_sources(kinds: Mapping[str, type[Strategy]], hints: Collection[str]) -> None:
    """Refuse a source that nobody takes; who names all of them means those that are taken."""
    for source in () if set(hints) >= set(SOURCES) else hints:
        if any(_takes(name, kind, source) for name, kind in kinds.items()):
            continue
        able = {name.partition(SEPARATOR)[0]: ", ".join(kind.takes) for name, kind in kinds.items() if kind.takes}
        known = "; ".join(f"{name} can be given {takes}" for name, takes in able.items())
        raise BadInputError(
            f"hints: none of {', '.join(kinds)} can be given {source!r}"
            + (f"; {known}" if known else "; they use nothing beside the transactions")
        )


def _takes(name: str, kind: type[Strategy], source: str) -> bool:
    return kind.given == source if SEPARATOR in name else source in kind.takes
