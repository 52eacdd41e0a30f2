"""Cost table: the nanoseconds for each class of work that virtual time is made of.

Classes of the interpreter and of drivers over a state are those of `evm.code.cost_model`; here are those of the
strategies' bookkeeping. ``costs.json`` is the table that figures are published with: it is part of the project, so that
the same seed gives the same figures on every machine. ``contend calibrate`` fits one to the machine it runs on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contend.evm.code import cost_model as evm_costs
from contend.outside_files import json_of, reason, shown, text_of

CLASSES: tuple[str, ...] = (
    *evm_costs.CLASSES,
    "idle",  # between two looks of a worker that has nothing to do
    "task",  # taken from the scheduler, or looked for
    "begin",  # an incarnation
    "read",  # answered from multi-version memory
    "finish",  # an incarnation: its receipt, its status
    "publish_read",  # an entry of the read set
    "publish_write",  # a version
    "validate",
    "validate_read",  # an entry of the read set
    "abort",
    "abort_write",  # a version becomes an ESTIMATE
    "wait",  # a transaction is put on the list of another
    "release",  # a successor in a dependency graph
    "commit_location",  # looked at, and its final word written to the state
    "fee",  # of a transaction, summed
    "hint_location",  # recorded by a dry run
    "plan_transaction",
    "plan_location",
    "route",  # a transaction to the shard of its sender
    "lock",  # a location's, asked for or upgraded
    "send",  # a message between shards, apart from the network
    "receive",
    "turn_read",  # an entry of a read set, compared with the newest committed version
    "turn_write",  # a prepared version, made the newest committed one
    "list_access",  # of a transaction, logged for the block's access list
    "list_sort",  # an access in a pass of sorting
    "list_byte",  # of the list, written
    "list_item",  # an account of a block's access list, opened; a transaction's row of hints, given room
    "list_location",  # of a block's access list, found in the state
    "list_change",  # of a block's access list, laid out
    "list_read",  # answered from a block's access list, or from the state if it has nothing
    "list_compare",  # of a write with what a block's access list says
    "list_confirm",  # a transaction, begun and ended and held against a block's access list
    "fill",  # a version that stood there as a placeholder gets its word
    "switch",  # a machine that waited is taken up again, with the word that it waited for
    "sort_hint",  # an access, by the part of the locations that it belongs to
    "link_hint",  # an access, into its location's queue
    "predict_context",  # looked up: what the past says of calls of one kind
    "predict_template",  # evaluated, apart from its hashes: a location
    "learn_location",  # of a transaction that has been executed, explained
    "learn_template",  # counted in a context
    "order_access",  # a hinted access moved on to its place in the order of its location; twice each
    "join",  # of a transaction and a predecessor into one component
    "pack_transaction",  # moved on to its place in a lane; twice each
    "link_edge",  # of a dependency graph, or a transaction of it
    "note_preimage",  # of a hash, while it is executed, and entered in an index
    "stand",  # a version, laid out for a change that a block's access list names
    "list_hop",  # over an item of a block's access list, to find where others begin
    "signature",  # of secp256k1: who signed a hash is recovered, and looked up among accounts
    "signature_mldsa44",  # verified, by a key that has been read
    "signature_mldsa65",
    "signature_key",  # read from its bytes, where transactions carry keys
    "signature_falcon512",
    "signature_falcon512_key",
    "signature_slhdsa128s",
    "lane_block",  # of a message that is hashed beside others, in a lane
    "trie_change",  # a changed word, brought to its account
    "trie_node",  # of a trie, on the way to a leaf
    "trie_child",  # of a node of a trie, written in its encoding
)
(
    IDLE,
    TASK,
    BEGIN,
    READ,
    FINISH,
    PUBLISH_READ,
    PUBLISH_WRITE,
    VALIDATE,
    VALIDATE_READ,
    ABORT,
    ABORT_WRITE,
    WAIT,
    RELEASE,
    COMMIT_LOCATION,
    FEE,
    HINT_LOCATION,
    PLAN_TRANSACTION,
    PLAN_LOCATION,
    ROUTE,
    LOCK,
    SEND,
    RECEIVE,
    TURN_READ,
    TURN_WRITE,
    LIST_ACCESS,
    LIST_SORT,
    LIST_BYTE,
    LIST_ITEM,
    LIST_LOCATION,
    LIST_CHANGE,
    LIST_READ,
    LIST_COMPARE,
    LIST_CONFIRM,
    FILL,
    SWITCH,
    SORT_HINT,
    LINK_HINT,
    PREDICT_CONTEXT,
    PREDICT_TEMPLATE,
    LEARN_LOCATION,
    LEARN_TEMPLATE,
    ORDER_ACCESS,
    JOIN,
    PACK_TRANSACTION,
    LINK_EDGE,
    NOTE_PREIMAGE,
    STAND,
    LIST_HOP,
    SIGNATURE,
    SIGNATURE_MLDSA44,
    SIGNATURE_MLDSA65,
    SIGNATURE_KEY,
    SIGNATURE_FALCON512,
    SIGNATURE_FALCON512_KEY,
    SIGNATURE_SLHDSA128S,
    LANE_BLOCK,
    TRIE_CHANGE,
    TRIE_NODE,
    TRIE_CHILD,
) = range(evm_costs.COUNT, len(CLASSES))
COUNT = len(CLASSES)

TABLE_FILE = Path(__file__).with_name("costs.json")
PS_PER_NS = 1_000
_MOST_NS = 1e9
_WORKERS = re.compile("[1-9][0-9]{0,5}")
_MOST_SLOWDOWN = 100_000


class CostTableError(ValueError):
    """A table that cannot be used; the message names the file and the class."""


@dataclass(frozen=True)
class CostTable:
    """Costs of all classes of work, by one worker that runs alone.

    Attributes
    ----------
    nanoseconds : dict
        By class, every class of `CLASSES`.
    origin : str
        Where the table was fitted, in words.
    slowdown : dict
        By how many workers are at work, thousandths by which each takes longer than one alone: cores share caches and
        memory, and often execution units. Empty for workers that do not slow each other down.
    """

    nanoseconds: Mapping[str, float]
    origin: str = ""
    slowdown: Mapping[int, int] = field(default_factory=dict)

    @cached_property
    def table(self) -> npt.NDArray[np.uint64]:
        """Picoseconds by class number, shape (COUNT,)."""
        return np.array([round(self.nanoseconds[name] * PS_PER_NS) for name in CLASSES], np.uint64)

    @cached_property
    def digest(self) -> str:
        """Digest of the costs: figures made with the same table have the same one."""
        costs = {name: int(cost) for name, cost in zip(CLASSES, self.table, strict=True)}
        text = json.dumps([costs, sorted(self.slowdown.items())])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def read(cls, path: Path = TABLE_FILE) -> CostTable:
        """Read a table.

        Raises
        ------
        CostTableError
            If the file is missing or malformed, or a class is missing, unknown, or has no cost from 0 to a second.
        """
        try:
            content = json_of(text_of(path))
        except OSError as error:
            raise CostTableError(f"{path}: {reason(error)}; give a table made by `contend calibrate`") from error
        except ValueError as error:
            raise CostTableError(
                f"{path}: not JSON ({reason(error)}); give a table made by `contend calibrate`"
            ) from error
        costs = content.get("nanoseconds") if isinstance(content, dict) else None
        if not isinstance(costs, dict):
            raise CostTableError(f'{path}: no object "nanoseconds"; give a table made by `contend calibrate`')
        for name in CLASSES:
            if name not in costs:
                raise CostTableError(
                    f"{path}: class {name!r} has no cost; make the table again with `contend calibrate`"
                )
        for name, cost in costs.items():
            if name not in CLASSES:
                raise CostTableError(f"{path}: class {shown(name)} is not known; classes are {', '.join(CLASSES)}")
            if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost <= _MOST_NS:
                raise CostTableError(f"{path}: class {name!r}: {shown(cost)} is no cost in nanoseconds, 0 to 1e9")
        return cls(costs, str(content.get("origin", "")), _slowdown(path, content.get("slowdown", {})))

    def as_json(self) -> dict[str, object]:
        """Show the table as a file keeps it."""
        slowdown = {str(workers): factor for workers, factor in self.slowdown.items()}
        return {"origin": self.origin, "nanoseconds": dict(self.nanoseconds), "slowdown": slowdown}


def _slowdown(path: Path, content: object) -> dict[int, int]:
    found = {}
    for workers, factor in (content if isinstance(content, dict) else {"": content}).items():
        # True is an int, and no number here.
        if not _WORKERS.fullmatch(workers) or type(factor) is not int or not 1 <= factor <= _MOST_SLOWDOWN:
            raise CostTableError(
                f"{path}: slowdown {shown(workers)}: {shown(factor)}: give thousandths by worker count, 1 to 100000"
            )
        found[int(workers)] = factor
    return found


@cache
def default_costs() -> CostTable:
    """The table that is part of the project."""
    return CostTable.read()
