"""Game: crafting that burns and mints items, quests, batch transfers (ERC-1155), a world boss, and a leaderboard.

Crafting and quests change the supply of a kind of item, quests a counter of their own, raids one counter of the whole
world; every gain of experience reads the last place of the leaderboard, and the best players' gains rewrite it.
Transfers of items conflict only where their owners do.

Defaults, and where they come from:

- ``players``, ``player_zipf``: payment senders of 2022, 0.80.
- ``quest_zipf``, ``recipe_zipf``: popular quests and recipes draw most players; no measurement was at hand.
- ``craft``, ``quest``, ``transfer``, ``raid``: no measurement was at hand. They are weights, not shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from contend.workloads.base import Dial, DialValue, Preset, Scenario
from contend.workloads.building.arrivals import BURST
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.storage import Storage
from contend.workloads.contracts.abi import decode_words, load
from contend.workloads.generators.application import Application

if TYPE_CHECKING:
    from contend.evm import State, Transaction

MATERIALS = 64
RANKS = 10
PLAYER_BITS = 160
COOLDOWN = 1
BATCH = 4
GAS = {"craft": 190_000, "quest": 220_000, "transfer": 90_000, "raid": 110_000}
TRANSFER_GAS_EACH = 28_000


class Game(Application):
    """Game: conflicts through the world's counter, supplies of items, quests' counters, and the leaderboard."""

    name = "game"
    summary = "crafting, quests, raids on a world boss, a leaderboard, ERC-1155 batch transfers"
    artifacts: ClassVar[Mapping[str, str]] = {"items": "items", "game": "game"}
    dials = (
        Dial("players", 20_000, "accounts that play", 2, 1_000_000),
        Dial.zipf("player_zipf", 0.80, "players"),
        Dial.weight("craft", 0.3, "crafting"),
        Dial.weight("quest", 0.3, "quests"),
        Dial.weight("transfer", 0.35, "batch transfers of items"),
        Dial.weight("raid", 0.05, "raids, which all meet in one counter"),
        Dial("quests", 500, "quests", 1, 100_000),
        Dial.zipf("quest_zipf", 0.8, "quests"),
        Dial("recipes", MATERIALS, "recipes, each for a kind of item", 1, MATERIALS),
        Dial.zipf("recipe_zipf", 0.8, "recipes"),
        BURST,
    )
    presets = (
        Preset("world-event", "the boss appears: most players raid at once (no measurement at hand)", {"raid": 2.0}),
        Preset("viral", "a viral second draws 25 times the median, all to the same quest",
               {"quest": 2.0, "quest_zipf": 1.6, "player_zipf": 0.3, "burst": "viral"}),
    )  # fmt: skip

    # Raids meet in one counter, transfers hardly anywhere: their shares of the block are the line.
    ends = (
        {"players": 1_000_000, "player_zipf": 0.0, "craft": 0.0, "quest": 0.0, "transfer": 1.0, "raid": 0.0},
        {"players": 20_000, "player_zipf": 0.8, "craft": 0.0, "quest": 0.0, "transfer": 0.0, "raid": 1.0},
    )

    def computed_keys(self, transaction: Transaction) -> Iterator[tuple[int, ...]]:
        """Kinds of items that a recipe takes and makes, or that a quest gives. See `Workload.computed_keys`."""
        for word in decode_words(transaction.data[4:]):
            yield from ((word % MATERIALS,), ((word + 1) % MATERIALS,), (MATERIALS + word,))

    def compose(self, chain: ChainBuilder, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        builder = chain.block_builder
        weights = {kind: float(dials[kind]) for kind in ("craft", "quest", "transfer", "raid")}
        if not sum(weights.values()):
            weights["transfer"] = 1.0
        kinds = chain.draw_kinds("kinds", weights)
        actors = chain.draw_ranks("players", int(dials["players"]), float(dials["player_zipf"]))
        steps = chain.draw_below("receivers", int(dials["players"]) - 1)
        quests, recipes = int(dials["quests"]), int(dials["recipes"])
        chosen = chain.draw_ranks("quests", quests, float(dials["quest_zipf"]))
        made = chain.draw_ranks("recipes", recipes, float(dials["recipe_zipf"]))
        parts = chain.draw_below("amounts", 1_000)

        items = chain.deploy("items", "items")
        game = chain.deploy("game", "game", items, COOLDOWN)
        chain.genesis.call(items, load("items").method("setGame")(game))
        craft, quest, raid = (load("game").method(name) for name in ("craft", "quest", "raid"))
        batch = load("items").method("safeBatchTransferFrom")
        held: dict[tuple[bytes, int], int] = {}
        done: set[tuple[int, int]] = set()
        for kind, actor, step, quest_id, recipe, part in zip(kinds, actors, steps, chosen, made, parts, strict=True):
            player = builder.accounts[actor]
            if builder.begins_block:
                done.clear()
            match kind:
                case "craft":
                    for item, needed in ((recipe, 2), ((recipe + 1) % MATERIALS, 1)):
                        held[player, item] = held.get((player, item), 0) + needed
                    held.setdefault((player, MATERIALS + recipe), 0)
                    builder.add(actor, game, GAS[kind], craft(recipe))
                case "quest":
                    # A quest that a player has done in this block is not ready again; where all are done, it reverts.
                    tries = 0
                    while (actor, quest_id) in done and tries < quests:
                        quest_id, tries = (quest_id + 1) % quests, tries + 1
                    done.add((actor, quest_id))
                    held.setdefault((player, quest_id % MATERIALS), 0)
                    builder.add(actor, game, GAS[kind], quest(quest_id))
                case "transfer":
                    friend = builder.accounts[(actor + 1 + step) % int(dials["players"])]
                    ids = [(part + k * 17) % (2 * MATERIALS) for k in range(1 + part % BATCH)]
                    for item in ids:
                        held[player, item] = held.get((player, item), 0) + 1
                        held.setdefault((friend, item), 0)
                    gas = GAS[kind] + TRANSFER_GAS_EACH * len(ids)
                    builder.add(actor, items, gas, batch(player, friend, ids, [1] * len(ids), b""))
                case "raid":
                    builder.add(actor, game, GAS[kind], raid(1 + part))
        _write_items(chain, held)
        return {"held": tuple(held), "players": _write_experience(chain, sorted(set(actors)))}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Check that items, damage and ranks add up. See `Application.verify`.

        The supply of each kind of item is what players have of it; the boss suffered what players inflicted; and the
        leaderboard shows the ten with most experience, with the experience that they have.
        """
        items = Storage(state, scenario.contracts["items"], load("items"))
        game = Storage(state, scenario.contracts["game"], load("game"))
        found, supplies = [], dict.fromkeys(range(2 * MATERIALS), 0)
        for player, item in scenario.notes["held"]:
            supplies[item] += items.get("balanceOf", player, item)
        for item, held in supplies.items():
            if (recorded := items.get("totalSupply", item)) != held:
                found.append(f"item {item}: players have {held}, the supply is {recorded}")
        players = scenario.notes["players"]
        inflicted, damage = sum(game.get("damageOf", player) for player in players), game.get("worldDamage")
        if inflicted != damage:
            found.append(f"world: players inflicted {inflicted}, the boss suffered {damage}")
        experience = {int.from_bytes(player, "big"): game.get("experience", player) for player in players}
        ranking = [game.get("ranking", offset=rank) for rank in range(RANKS)]
        shown = [(entry >> PLAYER_BITS, entry & ((1 << PLAYER_BITS) - 1)) for entry in ranking if entry]
        best = sorted(experience.values(), reverse=True)[: len(shown)]
        if [points for points, _ in shown] != best or len({player for _, player in shown}) != len(shown):
            found.append(f"leaderboard: shows {[points for points, _ in shown]}, the best have {best}")
        if any(experience.get(player) != points for points, player in shown):
            found.append("leaderboard: a player's experience is not what it shows")
        return found


def _write_items(chain: ChainBuilder, held: Mapping[tuple[bytes, int], int]) -> None:
    """Write the items that players have at genesis, and their supplies."""
    storage = chain.storage("items", "items")
    supplies: dict[int, int] = {}
    for (player, item), amount in held.items():
        storage.set(amount, "balanceOf", player, item)
        supplies[item] = supplies.get(item, 0) + amount
    for item, amount in supplies.items():
        storage.set(amount, "totalSupply", item)


def _write_experience(chain: ChainBuilder, players: list[int]) -> tuple[bytes, ...]:
    """Write experience of earlier days and the leaderboard that follows from it; the players' addresses."""
    storage = chain.storage("game", "game")
    points = {player: player * 7919 % 1_000 * 10 for player in players}
    for player, experience in points.items():
        storage.set(experience, "experience", chain.block_builder.accounts[player])
    best = sorted(points, key=lambda player: -points[player])[:RANKS]
    for rank, player in enumerate(best):
        if points[player]:
            address = int.from_bytes(chain.block_builder.accounts[player], "big")
            storage.set(points[player] << PLAYER_BITS | address, "ranking", offset=rank)
    return tuple(chain.addresses(players))
