"""What a strategy says of access lists: which one the block has, and whether the one that came with it is right."""

from __future__ import annotations

from contend.evm import Snapshot
from contend.evm.access_list import access_list_content, access_list_of, first_difference, state_before
from contend.harness.verify.knowledge import BlockKnowledge
from contend.harness.verify.schedule_fuzzer.cases import Scene, ScheduleCase
from contend.strategies.base import Outcome, Strategy
from contend.strategies.given import BLOCK

LISTED_EVERY = 7
"""One schedule in so many has the strategy make the block's list, whether it is cut, its hints damaged, or not."""


def has_list(case: ScheduleCase, strategy: Strategy) -> bool:
    """Whether a strategy is to make the block's access list under this schedule."""
    return strategy.lists_accesses and case.schedule % LISTED_EVERY == 0


def list_differences(
    strategy: Strategy, outcome: Outcome, scene: Scene, snapshot: Snapshot, knowledge: BlockKnowledge
) -> list[str]:
    """What is wrong with the list that a strategy made, and with its verdict on the list that it was given.

    Parameters
    ----------
    strategy : Strategy
        With the knowledge that it was given.
    outcome : Outcome
        Whose result is the serial one.
    scene : Scene
        The state may be another one afterwards.
    snapshot : Snapshot
        Of the state before the block.
    knowledge : BlockKnowledge
    """
    given = strategy.knowledge.access_list
    # Who judges lists counts those that it refuses.
    judges = "refused_lists" in outcome.counters
    if not judges and not strategy.makes_access_list:
        return []
    found = []
    if judges:
        is_right = given == knowledge.of(0, BLOCK).access_list
        if is_right and outcome.refused_list is not None:
            found.append(f"the right access list is refused: {outcome.refused_list}")
        if not is_right and outcome.refused_list is None:
            found.append("a wrong access list is confirmed")
    if strategy.makes_access_list:
        found += _wrong_entries(outcome, scene, snapshot, knowledge)
    return found


def _wrong_entries(outcome: Outcome, scene: Scene, snapshot: Snapshot, knowledge: BlockKnowledge) -> list[str]:
    """First entry in which the list that was made differs from that of the block in the order that is claimed."""
    block, state = scene.block, scene.state
    state.restore(snapshot)
    if outcome.order is None:
        right = knowledge.of(0, BLOCK).access_list
    else:
        block = block.reordered(outcome.order)
        right = access_list_of(block, state)
    if outcome.access_list == right:
        return []
    made = outcome.access_list or b""
    flaw = first_difference(made, access_list_content(block, state), len(block), state_before(state))
    return [f"the access list that it made: {flaw}"]
