"""What `items` and `game` promise, asked of the compiled contracts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.workloads.world import ALICE, BOB, CAROL, ETHER, ZERO, Contract, World, as_int, reverts

PLAYER = (1 << 160) - 1


@dataclass
class Realm:
    world: World
    items: Contract
    game: Contract


@pytest.fixture
def realm() -> Realm:
    world = World()
    items = world.deploy("items")
    game = world.deploy("game", items.address, 3)
    items.send(ALICE, "setGame", game.address)
    return Realm(world, items, game)


def test_quests_give_materials_once_in_a_while(realm: Realm) -> None:
    realm.game.send(BOB, "quest", 5)
    assert realm.items.ask("balanceOf", BOB, 5) == realm.items.ask("totalSupply", 5) == (1,)
    assert realm.game.ask("experience", BOB) == (15,)
    with reverts("game: quest not ready"):
        realm.game.send(BOB, "quest", 5)
    realm.game.send(CAROL, "quest", 5)
    realm.world.pass_blocks(3)
    realm.game.send(BOB, "quest", 5)
    assert realm.game.ask("questsDone", 5) == (3,)


def test_crafting_burns_what_it_needs(realm: Realm) -> None:
    for _ in range(2):
        realm.game.send(BOB, "quest", 0)
        realm.world.pass_blocks(3)
    with reverts("ERC1155: insufficient balance"):
        realm.game.send(BOB, "craft", 0)
    realm.game.send(BOB, "quest", 1)
    realm.game.send(BOB, "craft", 0)
    assert [realm.items.ask("balanceOf", BOB, item) for item in (0, 1, 64)] == [(0,), (0,), (1,)]
    assert [realm.items.ask("totalSupply", item) for item in (0, 1, 64)] == [(0,), (0,), (1,)]
    with reverts("game: no such recipe"):
        realm.game.send(BOB, "craft", 64)


def test_only_the_game_makes_items_and_only_the_admin_names_it(realm: Realm) -> None:
    for method in ("mint", "burn"):
        with reverts("items: not the game"):
            realm.items.send(ALICE, method, BOB, 1, 1)
    with reverts("items: not the admin"):
        realm.items.send(BOB, "setGame", BOB)


def test_batches_move_together_or_not_at_all(realm: Realm) -> None:
    items = realm.items
    for quest in (1, 2):
        realm.game.send(BOB, "quest", quest)
    move = "safeBatchTransferFrom"
    with reverts("ERC1155: insufficient balance"):
        items.send(BOB, move, BOB, CAROL, [1, 2], [1, 2], b"")
    assert items.ask("balanceOf", CAROL, 1) == (0,)
    with reverts("ERC1155: not allowed"):
        items.send(CAROL, move, BOB, CAROL, [1], [1], b"")
    with reverts("ERC1155: lengths differ"):
        items.send(BOB, move, BOB, CAROL, [1], [1, 2], b"")
    with reverts("ERC1155: transfer to zero"):
        items.send(BOB, move, BOB, ZERO, [1], [1], b"")
    items.send(BOB, "setApprovalForAll", CAROL, True)
    items.send(CAROL, move, BOB, CAROL, [1, 2], [1, 1], b"")
    assert [items.ask("balanceOf", CAROL, item) for item in (1, 2)] == [(1,), (1,)]
    # A contract that does not answer cannot be given anything.
    with reverts():
        items.send(CAROL, move, CAROL, realm.game.address, [1], [1], b"")


def test_raids_add_up(realm: Realm) -> None:
    realm.game.send(ALICE, "raid", 1_000)
    realm.game.send(BOB, "raid", 1)
    assert realm.game.ask("worldDamage") == (1_001,)
    assert realm.game.ask("damageOf", BOB) == (1,)
    for force in (0, 1_001):
        with reverts("game: force out of range"):
            realm.game.send(BOB, "raid", force)


def test_the_leaderboard_shows_the_best_in_order(realm: Realm) -> None:
    players = [bytes([number]) * 20 for number in range(1, 14)]
    for player in players:
        realm.world.genesis.fund(player, ETHER)
    points = dict.fromkeys(players, 0)
    for step in range(60):
        player = players[step * step * 7 % 13]
        realm.game.send(player, "raid", 1)
        points[player] += 5
        ranking = [realm.game.ask("ranking", place)[0] for place in range(10)]
        shown = [(entry >> 160, entry & PLAYER) for entry in ranking if entry]
        best = sorted((value for value in points.values() if value), reverse=True)
        assert [value for value, _ in shown] == best[:10]
        assert all(points[player.to_bytes(20, "big")] == value for value, player in shown)
        assert len({player for _, player in shown}) == len(shown)
    assert as_int(players[0]) in {entry & PLAYER for entry in ranking}
