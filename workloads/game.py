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

from workloads.abi import decode_words, load
from workloads.application import Application
from workloads.arrivals import BURST
from workloads.base import Dial, DialValue, Preset, Scenario
from workloads.sampling import Zipf, mix
from workloads.site import Site
from workloads.storage import Storage

if TYPE_CHECKING:
    from evm import State, Transaction

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
        Dial("player_zipf", 0.80, "Zipf exponent of players; 0 is uniform", 0.0, 5.0),
        Dial("craft", 0.3, "weight of crafting", 0.0, 1_000.0),
        Dial("quest", 0.3, "weight of quests", 0.0, 1_000.0),
        Dial("transfer", 0.35, "weight of batch transfers of items", 0.0, 1_000.0),
        Dial("raid", 0.05, "weight of raids, which all meet in one counter", 0.0, 1_000.0),
        Dial("quests", 500, "quests", 1, 100_000),
        Dial("quest_zipf", 0.8, "Zipf exponent of quests; 0 is uniform", 0.0, 5.0),
        Dial("recipes", MATERIALS, "recipes, each for a kind of item", 1, MATERIALS),
        Dial("recipe_zipf", 0.8, "Zipf exponent of recipes; 0 is uniform", 0.0, 5.0),
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
        for number in decode_words(transaction.data[4:]):
            yield from ((number % MATERIALS,), ((number + 1) % MATERIALS,), (MATERIALS + number,))

    def compose(self, site: Site, dials: Mapping[str, DialValue]) -> dict[str, Any]:
        """See `Application.compose`."""
        draft, count = site.draft, site.draft.size
        weights = {kind: float(dials[kind]) for kind in ("craft", "quest", "transfer", "raid")}
        if not sum(weights.values()):
            weights["transfer"] = 1.0
        kinds = mix(site.stream("kinds"), weights, count)
        players = Zipf(int(dials["players"]), float(dials["player_zipf"]))
        actors = players.draw(site.stream("players"), count).tolist()
        steps = site.stream("receivers").below(int(dials["players"]) - 1, count).tolist()
        quests, recipes = int(dials["quests"]), int(dials["recipes"])
        chosen = Zipf(quests, float(dials["quest_zipf"])).draw(site.stream("quests"), count).tolist()
        made = Zipf(recipes, float(dials["recipe_zipf"])).draw(site.stream("recipes"), count).tolist()
        parts = site.stream("amounts").below(1_000, count).tolist()

        items = site.deploy("items", "items")
        game = site.deploy("game", "game", items, COOLDOWN)
        site.genesis.call(items, load("items").method("setGame")(game))
        craft, quest, raid = (load("game").method(name) for name in ("craft", "quest", "raid"))
        batch = load("items").method("safeBatchTransferFrom")
        held: dict[tuple[bytes, int], int] = {}
        done: set[tuple[int, int]] = set()
        for kind, actor, step, number, recipe, part in zip(kinds, actors, steps, chosen, made, parts, strict=True):
            player = draft.accounts[actor]
            if draft.begins_block:
                done.clear()
            match kind:
                case "craft":
                    for item, needed in ((recipe, 2), ((recipe + 1) % MATERIALS, 1)):
                        held[player, item] = held.get((player, item), 0) + needed
                    held.setdefault((player, MATERIALS + recipe), 0)
                    draft.add(actor, game, GAS[kind], craft(recipe))
                case "quest":
                    # A quest that a player has done in this block is not ready again; where all are done, it reverts.
                    tries = 0
                    while (actor, number) in done and tries < quests:
                        number, tries = (number + 1) % quests, tries + 1
                    done.add((actor, number))
                    held.setdefault((player, number % MATERIALS), 0)
                    draft.add(actor, game, GAS[kind], quest(number))
                case "transfer":
                    friend = draft.accounts[(actor + 1 + step) % int(dials["players"])]
                    ids = [(part + k * 17) % (2 * MATERIALS) for k in range(1 + part % BATCH)]
                    for item in ids:
                        held[player, item] = held.get((player, item), 0) + 1
                        held.setdefault((friend, item), 0)
                    gas = GAS[kind] + TRANSFER_GAS_EACH * len(ids)
                    draft.add(actor, items, gas, batch(player, friend, ids, [1] * len(ids), b""))
                case "raid":
                    draft.add(actor, game, GAS[kind], raid(1 + part))
        _stock(site, held)
        involved = _experience(site, sorted(set(actors)))
        return {"held": tuple(held), "players": involved}

    def verify(self, scenario: Scenario, state: State) -> list[str]:
        """Whether items, damage and ranks add up. See `Application.verify`.

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
        ranking = [game.get("ranking", offset=place) for place in range(RANKS)]
        shown = [(entry >> PLAYER_BITS, entry & ((1 << PLAYER_BITS) - 1)) for entry in ranking if entry]
        best = sorted(experience.values(), reverse=True)[: len(shown)]
        if [points for points, _ in shown] != best or len({player for _, player in shown}) != len(shown):
            found.append(f"leaderboard: shows {[points for points, _ in shown]}, the best have {best}")
        if any(experience.get(player) != points for points, player in shown):
            found.append("leaderboard: a player's experience is not what it shows")
        return found


def _stock(site: Site, held: Mapping[tuple[bytes, int], int]) -> None:
    """Write the items that players have at genesis, beside one of each in a shop that nobody visits."""
    storage = site.storage("items", "items")
    supplies: dict[int, int] = {}
    for (player, item), amount in held.items():
        storage.set(amount, "balanceOf", player, item)
        supplies[item] = supplies.get(item, 0) + amount
    for item, amount in supplies.items():
        storage.set(amount, "totalSupply", item)


def _experience(site: Site, players: list[int]) -> tuple[bytes, ...]:
    """Write experience of earlier days and the leaderboard that follows from it; all players."""
    storage = site.storage("game", "game")
    points = {number: number * 7919 % 1_000 * 10 for number in players}
    for number, experience in points.items():
        storage.set(experience, "experience", site.draft.accounts[number])
    best = sorted(points, key=lambda number: -points[number])[:RANKS]
    for place, number in enumerate(best):
        if points[number]:
            player = int.from_bytes(site.draft.accounts[number], "big")
            storage.set(points[number] << PLAYER_BITS | player, "ranking", offset=place)
    return tuple(site.accounts(players))
