"""The question which strategy to use: for a builder, and for a validator, who is given the block's access list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas

from contend.harness.plan.resolve import BASELINE
from contend.harness.present.formatting import count, factor, listed, share
from contend.harness.present.report.answer import (
    Answer,
    believable,
    by_role,
    doubt_of,
    figures_of,
    name_of,
    place_of,
    workers_of,
)
from contend.harness.present.report.captions import spread_words
from contend.harness.present.report.selection import Selection
from contend.harness.record.content.cell_facts import BUILDER, VALIDATOR
from contend.harness.record.statistics.block_spread import Spread, is_block, spreads_of
from contend.harness.record.statistics.paired import ratio_between
from contend.harness.record.statistics.paired_verdict import FLOOR, Standing, sentence, standing
from contend.harness.record.warnings import MOSTLY_FAILED

_QUESTION = "Which strategy should I use?"
_OF_ROLE = {BUILDER: "Which strategy should a builder use?", VALIDATOR: "Which strategy should a validator use?"}
_MOST_LEFT_OUT = 6


def which(every: Sequence[Selection]) -> Iterator[Answer]:
    """Answer for each clock, real cores first: they count for more, whatever can be simulated."""
    told = [one for selected in every for one in by_role(selected)]
    if not told:
        yield Answer(_QUESTION, "No strategy was measured beside serial.", ("Run contend run.",), False)
    several = {role for _, role in told} != {BUILDER}
    for selected, role in told:
        yield _of_role(selected, role, _OF_ROLE[role] if several else _QUESTION)


def _of_role(chosen: Selection, role: str, question: str) -> Answer:
    winners: dict[str, list[str]] = {}
    points = list[str]()
    doubtful = []
    failing = []
    # Of a folder of blocks, its contenders' spreads say it; a sentence for each block would be a page.
    found = spreads_of(believable(chosen.plain))
    spread = {str(name) for name in chosen.plain["workload"] if is_block(str(name))} if found else set[str]()
    points += _over_blocks(found)
    for workload, part in chosen.plain.groupby("workload", sort=False):
        good, name = believable(part), name_of(chosen, str(workload))
        doubtful += [f"{one['strategy']} on {name}" for _, one in part.drop(good.index).iterrows()]
        winner, text = _best_of(good)
        winners.setdefault(winner, []).append(name)
        if workload not in spread:
            points.append(f"{place_of(chosen, str(workload))}: {text}")
        if part["mostly_failed"].any():
            failing.append(name)
    most = max(winners, key=lambda name: (len(winners[name]), name != BASELINE))
    total = sum(len(names) for names in winners.values())
    limit = f"with up to {workers_of(int(chosen.plain['workers'].max()), chosen.simulated)}"
    where = f"{limit}, {chosen.setting}" if chosen.setting else limit
    if spread and len(spread) == total:
        most, headline = _over_all(found, winners, chosen)
    elif total == 1:
        headline = f"{most} on {winners[most][0]}, {_by_how_much(chosen, most) or where}."
    elif len(winners) == 1:
        headline = f"{most} on {'both' if total == 2 else f'all {total}'} workloads, {where}."
    else:
        rest = [f"{name} on {listed(names)}" for name, names in winners.items() if name != most]
        headline = f"{most} on {len(winners[most])} of {total} workloads, {where}; {listed(rest)}."
    if role == VALIDATOR:
        headline = f"Given the block's access list, as a validator is: {headline}"
    if most == BASELINE:
        headline += " Serial here means that no strategy is faster beyond doubt."
    if failing:
        headline += f" On {listed(failing)} {MOSTLY_FAILED}: what is told of it is about failing."
    if doubtful:
        named = listed(list(dict.fromkeys(doubtful)))
        points.append(f"Not considered, since a warning says that it misleads: {named}.")
    if chosen.left_out:
        more = len(chosen.left_out) - _MOST_LEFT_OUT
        rest = [*chosen.left_out[:_MOST_LEFT_OUT], *([f"{count(more, 'more setting')}"] if more > 0 else [])]
        points.append(f"Left out here, and in the table of all cells: {'; '.join(rest)}.")
    return Answer(question, headline, tuple(points), chosen.simulated, doubt_of(chosen.plain))


def _over_blocks(found: Sequence[Spread]) -> Iterator[str]:
    """What each contender reaches over blocks with the workers that serve it best, the best first."""
    best: dict[str, Spread] = {}
    for one in sorted(found, key=lambda one: (-one.middle, one.workers)):
        best.setdefault(one.strategy, one)
    for one in best.values():
        yield f"Over {count(len(one.by_block), 'block')}: {spread_words(one)}."


def _over_all(found: Sequence[Spread], winners: Mapping[str, Sequence[str]], chosen: Selection) -> tuple[str, str]:
    """The strategy to use on blocks of which nobody knows which comes next, and a headline about it."""
    best = max(found, key=lambda one: one.middle)
    blocks, counted = count(len(best.by_block), "block"), sorted(winners.items(), key=lambda item: -len(item[1]))
    fastest = f"Best on so many of them: {listed([f'{name} {len(names)}' for name, names in counted])}."
    how = f"{factor(best.middle)} serial in the middle of {blocks}{f', {chosen.setting}' if chosen.setting else ''}"
    workers = workers_of(best.workers, chosen.simulated)
    if best.middle <= (1.0 if chosen.simulated else 1.0 + FLOOR):
        return BASELINE, f"{BASELINE}; {best.strategy} with {workers} has {how}. {fastest}"
    return best.strategy, f"{best.strategy} with {workers}, {how}. {fastest}"


def _by_how_much(chosen: Selection, winner: str) -> str:
    """Speed-up of the one winner, for the headline."""
    own = chosen.plain[chosen.plain["strategy"] == winner]
    if winner == BASELINE or own.empty:
        return ""
    best = own.iloc[int(own["speedup"].to_numpy().argmax())]
    text = f"{factor(best['speedup'])} serial with {workers_of(int(best['workers']), chosen.simulated)}"
    return f"{text}, {chosen.setting}" if chosen.setting else text


def _best_of(part: pandas.DataFrame) -> tuple[str, str]:
    """The strategy to use on one workload, and why."""
    rivals = part[part["strategy"] != BASELINE]
    if rivals.empty:
        return BASELINE, "only serial was measured."
    ranked = rivals.sort_values("speedup", ascending=False, kind="stable")
    best = ranked.iloc[0]
    simulated = bool(best["simulated"])
    measured = f"{factor(best['speedup'])} serial with {workers_of(int(best['workers']), simulated)}"
    if not simulated:
        measured += f" [{best['speedup_low']:.2f}, {best['speedup_high']:.2f}]"
    name = str(best["strategy"])
    if best["speedup_low"] <= (1.0 if simulated else 1.0 + FLOOR):
        return BASELINE, f"nothing beats serial for certain; the best is {name}, {measured}."
    text = f"{name}, {measured}"
    if best["share_of_bound"] == best["share_of_bound"]:
        text += f", {share(best['share_of_bound'])} of the bound{' with the values' if best['uses_values'] else ''}"
    if best["limit"] == best["limit"] and best["limit"]:
        text += f"; so many serial runs at once reach {factor(float(best['limit']))}"
    if best["bytes_per_transaction"] == best["bytes_per_transaction"] and best["bytes_per_transaction"]:
        text += f"; {best['bytes_per_transaction']:,.0f} bytes a transaction come with the block"
    others = ranked[ranked["strategy"] != name]
    return name, f"{text}.{_beside(best, others.iloc[0]) if len(others) else ''}"


def _beside(best: pandas.Series[Any], second: pandas.Series[Any]) -> str:
    """How the best stands beside the next one, run beside run."""
    pair = ratio_between(figures_of(best), figures_of(second))
    if pair is not None and standing(pair) is Standing.FASTER:
        return f" Run beside run, {sentence(pair)}."
    if pair is None and second["speedup_high"] < best["speedup_low"]:
        return f" Next: {second['strategy']}, {factor(second['speedup'])}."
    return f" Too close to tell from {second['strategy']}, {factor(second['speedup'])}."
