"""Memory layouts of the state root: nodes of tries, what a block changes, and the workers that rehash.

A node's first cache line is the same for all kinds: what its parent needs of it. Nodes are named by numbers of 32 bits:
0 is none, `LEAF` marks a leaf; which array a leaf lies in, the trie says that it is of. Keys are hashes, whose bytes
lie in memory in their order; so does a reference.
"""

from __future__ import annotations

from contend.evm.runtime.structs import ADDRESS, I64, KEY, LINE_U64, U64, U256, Field, Struct, words
from contend.node.state_root.keccak_lanes import LANES

LEAF = 1 << 31
NIBBLES = 64  # of a key
SLOTS, ACCOUNTS = range(2)  # what is in a trie

_COMMON: dict[str, Field] = {
    "reference": U256,  # the node's hash, or its encoding where that is shorter than a hash
    "size": U64,  # of the reference in bytes
    "span": U64,  # nibbles above the node; a branch's depth, in the second byte; or `FREED`
    "stamp": U64,  # the update that has put it on a list of nodes to rehash
    "next": U64,  # the next on a list of free nodes
}
FREED = 1 << 16

NODE = Struct("TrieNode", **_COMMON)
LEAF_KEY = Struct("TrieLeaf", **_COMMON, key=U256)
# A branch, with the extension above it where it has one: from nibble `start` to nibble `depth` of `path`. At depth 0
# stands the top of a trie, which there is however few children it has.
BRANCH = Struct(
    "TrieBranch",
    **_COMMON,
    children=words(8),  # sixteen numbers of nodes
    path=U256,  # a key that begins like those of all leaves below
    spare=words(4),
)
SLOT = Struct("TrieSlot", **_COMMON, key=U256, value=U256)
ACCOUNT = Struct(
    "TrieAccount",
    **_COMMON,
    key=U256,
    balance=U256,
    nonce=U64,
    storage=U64,  # number of the top of its storage; 0 if it never had any
    spare=words(2),
    code=U256,  # hash of its code; zero for none
)

# An account that a block changes.
CHANGED = Struct(
    "ChangedAccount",
    address=ADDRESS,
    key=U256,
    account=U64,  # number of its leaf; 0 where there is none any more
    has_balance=U64,
    has_nonce=U64,
    has_code=U64,
    has_generation=U64,
    has_slots=U64,
    balance=U256,
    nonce=U64,
    code=U256,
    generation=U64,
    is_used=U64,  # or the row is one that its worker has found no account for
    spare=U64,
)
# A changed location, as `evm.state.Changes` have them.
CHANGE_KEY = Struct("ChangeKey", key=KEY)
NO_SLOT = 255  # instead of a nibble

# Nodes to rehash, as lists: branches by depth, then leaves. A list is a chain of pieces, the last one first.
PIECE_NODES = 124
PIECE = Struct("DirtyPiece", next=U64, count=I64, numbers=words(PIECE_NODES // 2))
DIRTY = Struct("DirtyNodes", heads=words(NIBBLES + 1), deepest=I64, spare=words(6))

# Messages waiting until as many as there are lanes can be hashed at once, by how many blocks they have.
MOST_BLOCKS = 4
QUEUE_COUNTS = MOST_BLOCKS + 1
STRIDES = tuple(136 * blocks + 40 for blocks in range(QUEUE_COUNTS))
_starts = [0]
for _stride in STRIDES:
    _starts.append(_starts[-1] + LANES * _stride)
QUEUE_STARTS = tuple(_starts)

GROUPS = 16
TOGETHER = 16  # keys that are looked for together
STAGES = 6
STATE_ROOT_WORKER = Struct(
    "StateRootWorker",
    activity=U64,
    cost_ps=U64,
    free_branch=U64,
    free_slot=U64,
    free_account=U64,
    path=words(NIBBLES + 1),  # branches from the top of a trie to a key
    path_length=I64,  # of them below the top
    waiting=words(QUEUE_COUNTS),  # messages, by blocks
    targets=words(QUEUE_COUNTS * LANES),  # where their hashes go
    hashes=words(4 * LANES),
    spare_hash=U256,
    messages=words(QUEUE_STARTS[-1] // 8),
    stack=words(16 * NIBBLES),  # of a walk through a whole trie
    together=words(TOGETHER),  # rows, or changed accounts, whose keys are looked for together
    cursors=words(TOGETHER),  # how far each is: a branch; 0 where it has come to its end
    cursor_keys=words(TOGETHER),  # addresses of their keys
)
STATE_ROOT = Struct(
    "StateRoot",
    branches=I64,
    branch_room=I64,
    slots=I64,
    slot_room=I64,
    accounts=I64,
    account_room=I64,
    top=U64,  # number of the top of the accounts' trie
    root=U256,
    stamp=U64,  # number of the update
    costs=I64,
    groups=I64,  # in how many parts tries are updated, by their keys' first nibble
    dirty=I64,  # `DIRTY` rows: of accounts and of slots, for each group
    pieces=I64,  # of their lists
    piece_room=I64,
    rows=I64,  # changed locations
    keys=I64,  # their keys
    words=I64,  # and their new words
    row_accounts=I64,  # for each the number of its changed account, 32 bits
    row_nibbles=I64,  # the first nibble of its slot's key, a byte; or `NO_SLOT`
    row_keys=I64,  # its slot's key
    changed=I64,  # `CHANGED` rows
    changed_room=I64,
    index=I64,  # hash table of changed accounts: words, each one more than a number
    index_mask=I64,
    tasks=words(STAGES + 1),
    branch_count=LINE_U64,
    slot_count=LINE_U64,
    account_count=LINE_U64,
    changed_count=LINE_U64,
    piece_count=LINE_U64,
    stage=LINE_U64,
    taken=LINE_U64,  # tasks of the stage that somebody has begun
    done=LINE_U64,
)
