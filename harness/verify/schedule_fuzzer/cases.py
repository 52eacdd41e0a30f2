"""Cases of the schedule fuzzer: small blocks, each from a few numbers, so that a failure can be made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

from contend.evm import Block, State
from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import MAX_WORKERS
from contend.harness.verify.damage import Damage
from contend.outside_files import shown

# Blocks that are made for the fuzzer.
ADVERSARIAL, DESTROYING, DELEGATING = MADE = "adversarial_blocks", "destroying_blocks", "delegating_blocks"
SIZES = (2, 4, 8, 16, 24)
WORKLOAD_SIZE = 24
SCHEMA = "contend-schedule/1"


@dataclass(frozen=True)
class ScheduleCase:
    """One schedule of one block.

    Attributes
    ----------
    strategy : str
    workers : int
    source : str
        One of `MADE`, or the name of a workload.
    block : int
        Seed of the block.
    schedule : int
        Seed of the schedule.
    kept : tuple of int, optional
        Places in the block of the transactions that are left of it; all for None.
    cut : bool
        Whether steps are cut in two, where the strategy has points at which they can be.
    damage : Damage, optional
        What is done to the hints that the strategy is given.
    """

    strategy: str
    workers: int
    source: str
    block: int
    schedule: int
    kept: tuple[int, ...] | None = None
    cut: bool = False
    damage: Damage | None = None

    def as_json(self) -> dict[str, Any]:
        """Show the case as a file keeps it."""
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, content: Any, where: str) -> ScheduleCase:
        """Read a case.

        Raises
        ------
        BadInputError
            If a field is missing or malformed, naming file and field.
        """
        if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
            raise BadInputError(f"{where}: no schedule of this version ({SCHEMA}); give a file that contend fuzz wrote")
        for name, kind in (("strategy", str), ("source", str), ("workers", int), ("block", int), ("schedule", int)):
            value = content.get(name)
            # True is an int, and no number here.
            if type(value) is not kind or (isinstance(value, int) and not _in_range(name, value)):
                raise BadInputError(f"{where}: field {name!r} is {shown(value)}, not what contend fuzz writes")
        kept = content.get("kept")
        if kept is not None and not (isinstance(kept, list) and all(type(place) is int for place in kept)):
            raise BadInputError(f"{where}: field 'kept' is not a list of places")
        fields = {name: content[name] for name in ("strategy", "workers", "source", "block", "schedule")}
        cut = content.get("cut", False)
        if not isinstance(cut, bool):
            raise BadInputError(f"{where}: field 'cut' is {shown(cut)}, not true or false")
        damage = content.get("damage")
        if damage is not None:
            damage = Damage.from_json(damage, f"{where}: field 'damage'")
        return cls(**fields, kept=None if kept is None else tuple(kept), cut=cut, damage=damage)


def _in_range(name: str, value: int) -> bool:
    return 1 <= value <= MAX_WORKERS if name == "workers" else 0 <= value < 1 << 63


@dataclass(frozen=True)
class Scene:
    """A block and the state it starts from."""

    block: Block
    state: State
    contracts: dict[str, bytes]


@lru_cache(maxsize=8)
def whole_scene(source: str, seed: int) -> Scene:
    """The block of a source and a seed, and the state before it."""
    if source == ADVERSARIAL:
        from contend.harness.verify.schedule_fuzzer.adversarial_contracts import (
            CONTRACTS,
            adversarial_state,
            block_of,
            draw_acts,
        )

        random = Random(seed)
        return Scene(block_of(draw_acts(random, random.choice(SIZES))), adversarial_state(), CONTRACTS)
    if source == DESTROYING:
        from contend.harness.verify.schedule_fuzzer.destroying_blocks import (
            DESTROYING_CONTRACTS,
            destroying_state,
            draw_destroying_block,
        )

        random = Random(seed)
        block = draw_destroying_block(random, random.choice(SIZES))
        return Scene(block, destroying_state(), DESTROYING_CONTRACTS)
    if source == DELEGATING:
        from contend.harness.verify.schedule_fuzzer.delegating_blocks import (
            DELEGATING_CONTRACTS,
            delegating_state,
            draw_delegating_block,
        )

        random = Random(seed)
        block = draw_delegating_block(random, random.choice(SIZES))
        return Scene(block, delegating_state(), DELEGATING_CONTRACTS)
    from contend.workloads import registry, resolve_dials

    kind = registry.get(source)
    scenario = kind().build(resolve_dials(kind, {}), seed, WORKLOAD_SIZE)
    return Scene(scenario.blocks[0], scenario.genesis, scenario.contracts)


def scene_of(case: ScheduleCase) -> Scene:
    """The scene of a case: of the transactions that were left out, nonces are closed up."""
    scene = whole_scene(case.source, case.block)
    if case.kept is None:
        return scene
    if any(not 0 <= place < len(scene.block) for place in case.kept):
        raise BadInputError(f"case: a place in 'kept' is not in the block of {len(scene.block)} transactions")
    return replace(scene, block=only(scene.block, case.kept))


def only(block: Block, kept: Sequence[int]) -> Block:
    """Leave of a block only these transactions; each sender's later nonces move up."""
    wanted, gone = set(kept), Counter[bytes]()
    found = []
    for place, transaction in enumerate(block):
        if place in wanted:
            found.append(replace(transaction, nonce=max(transaction.nonce - gone[transaction.sender], 0)))
        else:
            gone[transaction.sender] += 1
    return replace(block, transactions=tuple(found))
