#pragma version 0.4.3
"""
@title   Game economy: crafting, quests, raids on a world boss, and a leaderboard
@notice  Crafting burns two materials and mints what a recipe makes. A quest gives experience and a material, and may be
         done once in some blocks by each player. A raid hits the boss that the whole world shares. Experience moves
         players up a leaderboard of ten.
"""

interface Items:
    def mint(_to: address, _id: uint256, _value: uint256): nonpayable
    def burn(_from: address, _id: uint256, _value: uint256): nonpayable

event Crafted:
    player: indexed(address)
    recipe: indexed(uint256)

event QuestDone:
    player: indexed(address)
    quest: indexed(uint256)
    experience: uint256

event Raided:
    player: indexed(address)
    damage: uint256
    total: uint256

event Ranked:
    player: indexed(address)
    place: uint256
    experience: uint256

RANKS: constant(uint256) = 10
MATERIALS: constant(uint256) = 64
CRAFT_EXPERIENCE: constant(uint256) = 15
RAID_EXPERIENCE: constant(uint256) = 5

items: public(immutable(address))
cooldown: public(immutable(uint256))

experience: public(HashMap[address, uint256])
# By player, then quest: number of the block from which on it can be done again.
ready: public(HashMap[address, HashMap[uint256, uint256]])
questsDone: public(HashMap[uint256, uint256])
# What the whole world did to the boss, and each player's part of it.
worldDamage: public(uint256)
damageOf: public(HashMap[address, uint256])
# By place, the best first: experience << 160 | player
ranking: public(uint256[RANKS])


@deploy
def __init__(_items: address, _cooldown: uint256):
    items = _items
    cooldown = _cooldown


@external
def craft(_recipe: uint256):
    """
    @notice  Recipe r burns 2 of material r and 1 of the next, and makes one item of kind MATERIALS + r
    """
    assert _recipe < MATERIALS, "game: no such recipe"
    extcall Items(items).burn(msg.sender, _recipe, 2)
    extcall Items(items).burn(msg.sender, (_recipe + 1) % MATERIALS, 1)
    extcall Items(items).mint(msg.sender, MATERIALS + _recipe, 1)
    log Crafted(player=msg.sender, recipe=_recipe)
    self._gain(msg.sender, CRAFT_EXPERIENCE)


@external
def quest(_quest: uint256):
    assert block.number >= self.ready[msg.sender][_quest], "game: quest not ready"
    self.ready[msg.sender][_quest] = block.number + cooldown
    self.questsDone[_quest] += 1
    gained: uint256 = 10 + _quest % 16
    extcall Items(items).mint(msg.sender, _quest % MATERIALS, 1)
    log QuestDone(player=msg.sender, quest=_quest, experience=gained)
    self._gain(msg.sender, gained)


@external
def raid(_force: uint256):
    assert 0 < _force and _force <= 1000, "game: force out of range"
    total: uint256 = self.worldDamage + _force
    self.worldDamage = total
    self.damageOf[msg.sender] += _force
    log Raided(player=msg.sender, damage=_force, total=total)
    self._gain(msg.sender, RAID_EXPERIENCE)


@internal
def _gain(_player: address, _gained: uint256):
    """
    @dev  Only who passes the last place touches the leaderboard: most gains read one word of it.
    """
    total: uint256 = self.experience[_player] + _gained
    self.experience[_player] = total
    entry: uint256 = (total << 160) | convert(_player, uint256)
    if self.ranking[RANKS - 1] >> 160 >= total:
        return
    # From where the player stands, or from the end, towards the front.
    at: uint256 = RANKS - 1
    for i: uint256 in range(RANKS):
        if self.ranking[i] & (2**160 - 1) == convert(_player, uint256):
            at = i
            break
    for i: uint256 in range(RANKS):
        if at == 0:
            break
        ahead: uint256 = self.ranking[unsafe_sub(at, 1)]
        if ahead >> 160 >= total:
            break
        self.ranking[at] = ahead
        at = unsafe_sub(at, 1)
    self.ranking[at] = entry
    log Ranked(player=_player, place=at, experience=total)
