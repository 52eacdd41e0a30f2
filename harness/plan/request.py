"""Request: what is to be measured. Checked in form here, in substance (names, dials) when it is planned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.option_types import (
    ADDRESS,
    CORES,
    COUNTS,
    DIALS,
    DURATION,
    FLAG,
    NAME,
    NAMES,
    PATH,
    PATHS,
    RATE,
    SECONDS,
    SWEEP,
    TEXT,
    Cores,
    Counts,
    DialValue,
    Names,
    PathLike,
    Sweep,
    choice,
    number,
    several,
    whole_number,
)
from contend.harness.plan.options import Option, options

MAX_BLOCK_SIZE = 1_000_000
MAX_BLOCK_COUNT = 1_000
MAX_REPEAT = 10_000
MAX_PROCESSES = 64
# Names that stand for names: everything that is built in, and what is measured where nothing is named.
ALL, DEFAULT = "all", "default"
DEFAULT_BLOCK_SIZE = 10_000
DEFAULT_WORKERS = {"wall": (1, 2), "virtual": (1, 2, 4, 8, 16, 32)}
# Every run has it, and every cell its speed-up over it.
DEFAULT_BASELINE = "serial"
# Of the serial strategy's throughput: busy, but not so busy that a steady stream would wait for ever.
DEFAULT_LOAD = 0.8
HINTS = ("none", "dry_run", "template", "declared", "block", "truth")
"""Sources of what strategies are given (`strategies.given.SOURCES`, which takes numpy to read)."""
LIST_KINDS = ("full", "locations", "reads", "indexed")
"""Kinds of access lists (`strategies.given.LIST_KINDS`)."""
STAGES = ("consensus", "signatures", "root", "state")
"""Options that ask for a stage of a node besides execution (`node.registry`)."""
NO_STAGE = "none"
SIGNATURES = (NO_STAGE, "secp256k1", "mldsa44", "mldsa65", "falcon512", "slhdsa128s")
"""Schemes of signatures (`node.signatures.making.SCHEMES`)."""
WITHOUT_KEYS = (NO_STAGE, "secp256k1")
"""Those whose keys nobody has to be told: they are recovered."""
KEYS = ("carried", "registry")
"""Where keys are (`node.signatures.making.KEYS`)."""
ROOTS = (NO_STAGE, "mpt")
"""Kinds of state roots (`node.state_root.stage.KINDS`)."""
IN_MEMORY, DURABLE = "memory", "mdbx"
STATES = (IN_MEMORY, "file", DURABLE)
"""Where a state is: in memory, or in a store (`node.cold_state.stage.STORES`)."""
NODES = (NO_STAGE, "full")
"""Sets of stages that go by one name (`harness.plan.implied`)."""
SYNCS = ("block", "none")
"""When a block that is committed is on the disk (`node.cold_state.stage.SYNCS`)."""
CACHE, DISK = "cold", "nvme"
"""What of it is in the cache, and the simulated device that the rest is on, unless said otherwise."""
READ_AHEAD = (NO_STAGE, "sure", "block")
"""What of it is read before a block is executed (`node.store.ahead.read_ahead.KINDS`)."""
USUAL_IO_THREADS, MAX_IO_THREADS = 32, 256
WAYS_TO_READ = ("auto", "uring", "threads")
"""How that is done (`node.store.ahead.read_ahead.IO`)."""
MAX_MACHINES = 64
PROTOCOLS = (NO_STAGE, "tendermint", "hotstuff", "two_phase")
"""Protocols of agreement (`node.agreement.simulation.PROTOCOLS`)."""
LEAST_VALIDATORS, USUAL_VALIDATORS, MAX_VALIDATORS = 4, 16, 500
MAX_JITTER = 2.0
OF_VALIDATORS = ("validators", "silent", "jitter")
"""Options that say more of an agreement, by the names that `node.agreement.stage` has for them."""
PIPELINES = "shared, or split:R,E,T, shares of recovery, execution and the root, such as split:2,1,1"
"""How workers are divided where stages overlap (`node.seats`)."""
QUICK_SHARES = {"block_size": 0.1, "repeat": 0.4}
"""What a quick look takes of the usual value of each of these options."""
_FIXED_BY_SUITE = ("workloads", "dials", "sweep", "seed", "block_size", "block_count", "blocks")
_PROTOCOLS = ", ".join(PROTOCOLS[1:])
_PIPELINE = re.compile(rf"{NO_STAGE}|shared|split:[1-9]\d*,[1-9]\d*,[1-9]\d*")
_NETWORKS = "same_machine, rack, datacenter, region, wide_area, or latency:overhead in nanoseconds"


def _simulated(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("clock", "wall") != "wall")


def _agreed(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("consensus", NO_STAGE) != NO_STAGE)


def _stored(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("state", IN_MEMORY) != IN_MEMORY)


def _durable(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("state", IN_MEMORY) == DURABLE)


def _staged(asked: Mapping[str, Any]) -> bool:
    return any(asked.get(name, NO_STAGE) != NO_STAGE for name in STAGES if name != "state")


def _of_several_blocks(asked: Mapping[str, Any]) -> bool:
    # A suite may have some; it is refused if it has none.
    return bool(asked.get("block_count", 1) > 1 or asked.get("suite"))


@dataclass(frozen=True)
class Request:
    """Request: which cells to measure and how.

    Every field is an option (`harness.plan.options.Option`), and this is where options are declared: the command line,
    `contend.run`, the records and the documents all take them from here, in this order. A new option is a new field
    here; ``docs/`` and ``record.schema.json`` are then made anew (``python -m tools.docs.options``,
    ``python -m tools.docs.records``).

    Raises
    ------
    BadInputError
        If a number is out of range or not a number, or if two options contradict each other.
    """

    workloads: Option[Names, tuple[str, ...]] = Option(
        None,
        NAMES,
        "--workload",
        "-w",
        metavar="NAMES",
        meaning="Workloads to measure",
        on_command_line="names separated by commas; all is all built-in ones, default,mine those of the default and "
        "mine",
        in_python='a name or several; ``"all"`` is all built-in ones, ``["default", "mine"]`` those of the default and '
        "mine",
        in_record="empty for the default, all for those that are built in",
        default_text="payments,swaps,nft,dao",
    )
    strategies: Option[Names, tuple[str, ...]] = Option(
        None,
        NAMES,
        "--strategy",
        "-s",
        metavar="NAMES",
        meaning="Strategies to measure",
        on_command_line="names separated by commas; all is all built-in ones, variants such as sharded_ordered "
        "included, default,mine those of the default and mine",
        in_python='a name or several; ``"all"`` is all built-in ones, variants such as ``"sharded_ordered"`` included, '
        '``["default", "mine"]`` those of the default and mine',
        in_record="empty for the default, all for those that are built in with their variants",
        default_text="serial,block_stm,sharded,placeholder,bal",
    )
    workers: Option[Counts, tuple[int, ...]] = Option(
        None,
        COUNTS,
        "--workers",
        metavar="COUNTS",
        meaning="Worker counts, each for every strategy that is parallel",
        on_command_line="numbers separated by commas; 1,2,...,1024 for powers of two",
        in_python="a number or several",
        default_text="1,2; virtual: 1,2,...,32",
    )
    dials: Option[Mapping[str, DialValue] | None, Mapping[str, DialValue]] = Option(
        None,
        DIALS,
        "--set",
        metavar="DIAL=VALUE",
        meaning="Overrides of dials",
        on_command_line="pools=1, or swaps.pools=1 for one workload; preset=NAME sets several",
        in_python='``{"pools": 1}``, or ``{"swaps.pools": 1}`` for one workload; ``{"preset": NAME}`` sets several',
    )
    block_size: Option[int, int] = Option(
        DEFAULT_BLOCK_SIZE,
        whole_number(1, MAX_BLOCK_SIZE),
        "--block-size",
        meaning="Transactions in a block; of several blocks, on average",
    )
    repeat: Option[int, int] = Option(
        10,
        whole_number(1, MAX_REPEAT),
        "--repeat",
        meaning="Timed runs of each cell, in all processes together",
    )
    seed: Option[int, int] = Option(1, whole_number(0, 2**63 - 1), "--seed", meaning="Seed of the workloads")
    processes: Option[int, int] = Option(
        2,
        whole_number(1, MAX_PROCESSES),
        "--processes",
        meaning="Independent measuring processes, which take turns",
    )
    timeout: Option[float, float] = Option(
        300.0,
        SECONDS,
        "--timeout",
        metavar="SECONDS",
        meaning="Seconds after which a run that gives no sign of life is ended and its cell has failed",
    )
    blocks: Option[PathLike | Iterable[PathLike], tuple[str, ...]] = Option(
        (),
        PATHS,
        "--block",
        metavar="PATH",
        meaning="Block files for the workload replay, or folders of them; - is standard input",
        applies=lambda asked: "replay" in (asked.get("workloads") or ()),
    )
    clock: Option[str, str] = Option(
        "wall",
        choice(*DEFAULT_WORKERS),
        "--clock",
        meaning="Real threads and real time (wall), or simulated workers (virtual), whose figures are the same on "
        "every machine",
    )
    costs: Option[PathLike | None, str | None] = Option(
        None,
        PATH,
        "--costs",
        metavar="FILE",
        meaning="File of the cost table for the virtual clock",
        default_text="the project's",
        applies=_simulated,
    )
    model: Option[PathLike | None, str | None] = Option(
        None,
        PATH,
        "--model",
        metavar="FILE",
        meaning="Model by which the strategy adaptive chooses who executes a block; contend learn makes one",
        default_text="the project's",
        added_later=True,
    )
    network: Option[str | None, str | None] = Option(
        None,
        TEXT,
        "--network",
        metavar="NAME",
        meaning="Simulated network between shards, and between validators",
        on_command_line=_NETWORKS,
        in_python=_NETWORKS,
        default_text="same_machine, between validators datacenter",
        applies=_simulated,
    )
    sweep: Option[tuple[str, Iterable[DialValue]] | None, Sweep | None] = Option(
        None,
        SWEEP,
        "--sweep",
        metavar="DIAL=VALUES",
        meaning="A dial and the values that it takes one after the other, in every workload that has it",
        on_command_line="pools=1,10,100, for instance",
        in_python='``("pools", [1, 10, 100])``',
    )
    suite: Option[str | None, str | None] = Option(
        None,
        TEXT,
        "--suite",
        metavar="NAME",
        meaning="Suite to measure, which fixes workloads, dials, seed and block size",
        on_command_line="its name, such as standard-1, or its TOML file",
        in_python='its name, such as ``"standard-1"``, or its TOML file',
        contradicts=_FIXED_BY_SUITE,
    )
    block_count: Option[int, int] = Option(
        1,
        whole_number(1, MAX_BLOCK_COUNT),
        "--block-count",
        meaning="Blocks in a row, each on the state that the one before left; latency is then reported, too",
        added_later=True,
    )
    load: Option[float | None, float | None] = Option(
        None,
        RATE,
        "--load",
        metavar="SHARE",
        meaning="Rate at which the transactions of several blocks arrive, as a share of serial throughput",
        default_text=f"{DEFAULT_LOAD}, unless there is a rate",
        added_later=True,
        run_only=True,
        contradicts=("rate",),
        applies=_of_several_blocks,
    )
    rate: Option[float | None, float | None] = Option(
        None,
        RATE,
        "--rate",
        metavar="TX/S",
        meaning="Rate at which the transactions of several blocks arrive, in transactions per second",
        added_later=True,
        run_only=True,
        contradicts=("load",),
        applies=_of_several_blocks,
    )
    quick: Option[bool, bool] = Option(
        False,
        FLAG,
        "--quick",
        meaning="A first look, which tables and records call quick: a tenth of the usual transactions a block and two "
        "fifths of the usual runs, where these are not asked for",
        added_later=True,
        for_client=True,
    )
    affinity: Option[Cores, tuple[int, ...]] = Option(
        None,
        CORES,
        "--affinity",
        metavar="CORES",
        meaning="Cores to which measuring processes are pinned, with all their threads and shards",
        on_command_line="their numbers, such as 0,2 or 0-3",
        in_python='a number or several, or ``"0-3"``',
        default_text="all that this process may use",
        added_later=True,
        for_client=True,
        applies=lambda asked: not _simulated(asked),
    )
    time_budget: Option[float | str | None, float | None] = Option(
        None,
        DURATION,
        "--time-budget",
        metavar="TIME",
        meaning="Time after which nothing more is measured; what is left out is shown, and measured when the record is "
        "resumed",
        on_command_line="90s, 5m or 1h30m",
        in_python='seconds, or ``"5m"``',
        in_record="seconds",
        added_later=True,
        run_only=True,
        for_client=True,
    )
    cluster: Option[str | None, str | None] = Option(
        None,
        ADDRESS,
        "--cluster",
        metavar="ADDRESS",
        meaning="Cluster of which every node measures: simulated cells are shared out, and of wall-clock cells a node "
        "has one workload at a time to itself",
        on_command_line="HOST:PORT or auto of a Ray cluster that this machine is part of, or local for one of this "
        "machine alone",
        in_python='``"HOST:PORT"`` or ``"auto"`` of a Ray cluster that this machine is part of, or ``"local"`` for one '
        "of this machine alone",
        default_text="none, this machine measures",
        added_later=True,
        run_only=True,
        for_client=True,
    )
    baseline: Option[str, str] = Option(
        DEFAULT_BASELINE,
        NAME,
        "--baseline",
        metavar="NAME",
        meaning="Strategy that the others are held against, with as many workers, beside their speed-up over serial",
        added_later=True,
        run_only=True,
    )
    hints: Option[Names, tuple[str, ...]] = Option(
        None,
        several(*HINTS),
        "--hints",
        metavar="SOURCES",
        meaning="What strategies are given beside the transactions; each is measured with every source that it can "
        "use, and one that uses nothing once",
        on_command_line=f"some of {', '.join(HINTS)}, separated by commas, or all; a strategy is also named with what "
        "it is given, as in block_stm+truth",
        in_python=f"one or several of {', '.join(HINTS)}, or all; a strategy is also named with what it is given, as "
        'in ``"block_stm+truth"``',
        in_record="empty for each strategy's usual source",
        default_text="each strategy's usual source",
        added_later=True,
    )
    access_list: Option[str, str] = Option(
        LIST_KINDS[0],
        choice(*LIST_KINDS),
        "--access-list",
        meaning="Kind of the access list that comes with a block for those that are given it: as EIP-7928 has it "
        "(full), without values (locations), locations only (reads), or with every reader's index, which is an "
        "extension of this project (indexed)",
        added_later=True,
        applies=lambda asked: "block" in (asked.get("hints") or ()),
    )
    signatures: Option[str, str] = Option(
        NO_STAGE,
        choice(*SIGNATURES),
        "--signatures",
        meaning="Signatures that transactions carry, from which all workers recover the senders before a block is "
        "executed, within the time",
        added_later=True,
    )
    keys: Option[str, str] = Option(
        KEYS[0],
        choice(*KEYS),
        "--keys",
        meaning="Where the keys of such signatures are: each transaction has its sender's with it (carried), or names "
        "the sender, whose key is known (registry)",
        added_later=True,
        applies=lambda asked: asked.get("signatures", NO_STAGE) not in WITHOUT_KEYS,
    )
    root: Option[str, str] = Option(
        NO_STAGE,
        choice(*ROOTS),
        "--root",
        meaning="State root that all workers compute after a block is committed, within the time: mpt is Ethereum's "
        "Merkle Patricia trie, kept from block to block",
        added_later=True,
    )
    node: Option[str, str] = Option(
        NO_STAGE,
        choice(*NODES),
        "--node",
        meaning="A whole node, where its stages are not asked for one by one: senders by secp256k1, a durable state "
        "that is cold, the state root; under simulated time cold state of a file instead, and agreement by tendermint "
        "among 16 validators",
        added_later=True,
    )
    state: Option[str, str] = Option(
        IN_MEMORY,
        choice(*STATES),
        "--state",
        meaning="Where the state is: in memory, or in a store of which a block's records are read when they are first "
        "touched, within the time: a file, or a database (mdbx; wall clock) to which each block is committed",
        added_later=True,
    )
    cache: Option[str, str] = Option(
        CACHE,
        NAME,
        "--cache",
        metavar="SHARE",
        meaning="Share of such a state's records that are in memory when a block begins, drawn evenly; cold is 0",
        on_command_line="cold, or a number from 0 to 1",
        in_python='``"cold"``, or a number from 0 to 1 as text',
        added_later=True,
        applies=_stored,
    )
    disk: Option[str, str] = Option(
        DISK,
        NAME,
        "--disk",
        metavar="DEVICE",
        meaning="Simulated device that such a state is on: reads take a constant time on the first free channel; "
        "virtual clock",
        on_command_line="nvme (90us:45), cloud (500us:8), or a latency and how many channels, such as 55us:4",
        added_later=True,
        applies=lambda asked: _stored(asked) and _simulated(asked),
    )
    read_ahead: Option[str, str] = Option(
        NO_STAGE,
        choice(*READ_AHEAD),
        "--read-ahead",
        meaning="What of such a state is read before a block is executed, within the time, many records at once: "
        "accounts and codes that transactions are sure to touch (sure), or all that the block's access list names "
        "(block); by all strategies that do not divide the state, serial included",
        added_later=True,
        applies=_stored,
    )
    io: Option[str, str] = Option(
        WAYS_TO_READ[0],
        choice(*WAYS_TO_READ),
        "--io",
        meaning="How that is done: by io_uring, by threads that wait side by side, or by the first of them that the "
        "system gives",
        added_later=True,
        applies=lambda asked: asked.get("read_ahead", NO_STAGE) != NO_STAGE and not _simulated(asked),
    )
    io_threads: Option[int, int] = Option(
        USUAL_IO_THREADS,
        whole_number(1, MAX_IO_THREADS),
        "--io-threads",
        meaning="How many threads wait side by side, where threads read ahead",
        added_later=True,
        applies=lambda asked: asked.get("read_ahead", NO_STAGE) != NO_STAGE and not _simulated(asked),
    )
    machines: Option[int, int] = Option(
        1,
        whole_number(1, MAX_MACHINES),
        "--machines",
        meaning="Machines that a worker has, one at work while the others wait for reads of such a state; not of "
        "serial, nor of strategies that divide the state; virtual clock",
        added_later=True,
        applies=lambda asked: _stored(asked) and _simulated(asked),
    )
    state_path: Option[PathLike | None, str | None] = Option(
        None,
        PATH,
        "--state-path",
        metavar="PATH",
        meaning="File that such a state is in, which is written where it is not there; or database that contend "
        "make-state has made",
        default_text="one for each state, in the cache folder",
        added_later=True,
        applies=_stored,
    )
    sync: Option[str, str] = Option(
        SYNCS[0],
        choice(*SYNCS),
        "--sync",
        meaning="When blocks are on the disk that are committed to a database: each before its time ends (block), or "
        "when the system writes it (none)",
        added_later=True,
        applies=_durable,
    )
    consensus: Option[str, str] = Option(
        NO_STAGE,
        choice(*PROTOCOLS),
        "--consensus",
        meaning="Protocol by which simulated validators agree on each block before it is executed, within the time; "
        "virtual clock",
        added_later=True,
        applies=_simulated,
    )
    validators: Option[int, int] = Option(
        USUAL_VALIDATORS,
        whole_number(LEAST_VALIDATORS, MAX_VALIDATORS),
        "--validators",
        meaning="Validators that agree on a block, of which fewer than a third may fail",
        added_later=True,
        applies=_agreed,
    )
    silent: Option[int, int] = Option(
        0,
        whole_number(0, (MAX_VALIDATORS - 1) // 3),
        "--silent",
        meaning="How many validators never say anything: those that would lead first, so that each costs a time-out",
        added_later=True,
        applies=_agreed,
    )
    jitter: Option[float, float] = Option(
        0.0,
        number(0, MAX_JITTER),
        "--jitter",
        metavar="SIGMA",
        meaning="Standard deviation of the logarithm of latencies between validators, drawn for each message from a "
        "log-normal distribution whose mean is the network's latency",
        added_later=True,
        applies=_agreed,
    )

    pipeline: Option[str, str] = Option(
        NO_STAGE,
        NAME,
        "--pipeline",
        metavar="HOW",
        meaning="Whether stages of blocks in a row overlap, as in a node: senders of the next block are found while "
        "one is executed and the root of the one before is computed, by workers that all stages share (shared), or "
        "that are divided among recovery, execution and the root by shares (split)",
        on_command_line="none, shared, or split:R,E,T, such as split:2,1,1",
        in_python='``"none"``, ``"shared"``, or ``"split:R,E,T"``, such as ``"split:2,1,1"``',
        added_later=True,
        contradicts=("load", "rate"),
        applies=lambda asked: _staged(asked) and _of_several_blocks(asked),
    )

    def __post_init__(self) -> None:
        for name in ("workloads", "strategies"):
            # Every version of Contend knows nothing named as the default.
            if getattr(self, name) == (DEFAULT,):
                object.__setattr__(self, name, None)
        if not self.workers:
            object.__setattr__(self, "workers", DEFAULT_WORKERS[self.clock])
        if self.costs is not None and not self.simulated:
            raise BadInputError("costs: a cost table is for the virtual clock; add --clock virtual")
        if self.network is not None and not self.simulated:
            raise BadInputError("network: networks are simulated; add --clock virtual")
        if self.affinity and self.simulated:
            raise BadInputError("affinity: simulated workers run on no core in particular; leave it out")
        if self.affinity and self.cluster is not None:
            raise BadInputError(
                "affinity: its cores are those of this machine, and a cluster measures; give one of both"
            )
        if self.block_count * self.block_size > MAX_BLOCK_SIZE:
            raise BadInputError(
                f"block count: {self.block_count} blocks of {self.block_size:,} are more than {MAX_BLOCK_SIZE:,} "
                "transactions; take fewer or smaller ones"
            )
        if self.load is not None and self.rate is not None:
            raise BadInputError("load, rate: both say how fast transactions arrive; give one of them")

        if self.keys != KEYS[0] and self.signatures in WITHOUT_KEYS:
            others = ", ".join(scheme for scheme in SIGNATURES if scheme not in WITHOUT_KEYS)
            raise BadInputError(f"keys: for signatures whose keys are not recovered; add --signatures, one of {others}")
        self._check_agreement()
        self._check_store()
        self._check_pipeline()

    def _check_pipeline(self) -> None:
        """Refuse a pipeline of nothing, and of a single block."""
        if not _PIPELINE.fullmatch(self.pipeline):
            raise BadInputError(f"pipeline: {self.pipeline!r} is not known: {NO_STAGE}, {PIPELINES}")
        if self.pipeline == NO_STAGE:
            return
        asked = self.as_json()
        if not _staged(asked):
            raise BadInputError("pipeline: nothing could overlap with execution; add --signatures or --root")
        if not _of_several_blocks(asked):
            raise BadInputError("pipeline: of blocks in a row, several are on their way at a time; add --block-count")
        if self.state != IN_MEMORY and not (self.simulated and self.state != DURABLE):
            raise BadInputError(
                f"pipeline: real reads of a store do not overlap with stages yet; leave --state {self.state} out, or "
                "simulate it: --state file --clock virtual"
            )
        if self.machines > 1:
            raise BadInputError("pipeline: workers have one machine each; leave --machines out")
        if self.load is not None or self.rate is not None:
            raise BadInputError("pipeline: blocks are always there to be taken; leave --load and --rate out")

    def _check_store(self) -> None:
        """Refuse what says more of a store that is not asked for, and a simulated device under real time."""
        if self.state == IN_MEMORY:
            usual: dict[str, Any] = {
                "cache": CACHE,
                "disk": DISK,
                "read_ahead": NO_STAGE,
                "io": WAYS_TO_READ[0],
                "machines": 1,
                "io_threads": USUAL_IO_THREADS,
                "state_path": None,
            }
            for name, value in usual.items():
                if getattr(self, name) != value:
                    raise BadInputError(
                        f"{name.replace('_', ' ')}: for a state that is not in memory; add --state file"
                    )
        elif self.disk != DISK and not self.simulated:
            raise BadInputError("disk: devices are simulated; add --clock virtual")
        elif self.machines > 1 and not self.simulated:
            raise BadInputError("machines: several of a worker are simulated; add --clock virtual")
        elif self.io != WAYS_TO_READ[0] and (self.read_ahead == NO_STAGE or self.simulated):
            raise BadInputError("io: for real reads ahead of a block; add --read-ahead, or leave --clock virtual out")
        elif self.io_threads != USUAL_IO_THREADS and (self.read_ahead == NO_STAGE or self.simulated):
            raise BadInputError("io threads: for real reads ahead of a block; add --read-ahead")
        elif self.state == DURABLE and self.simulated:
            raise BadInputError("state: what mdbx takes is measured under the wall clock only; leave --clock out")
        if self.sync != SYNCS[0] and self.state != DURABLE:
            raise BadInputError(f"sync: for a state in a database; add --state {DURABLE}")

    def _check_agreement(self) -> None:
        """Refuse an agreement that is not simulated, and what says more of one that is not asked for."""
        if self.consensus == NO_STAGE:
            usual = {"validators": USUAL_VALIDATORS, "silent": 0, "jitter": 0.0}
            for name, value in usual.items():
                if getattr(self, name) != value:
                    raise BadInputError(f"{name}: for validators that agree; add --consensus, one of {_PROTOCOLS}")
        elif not self.simulated:
            raise BadInputError("consensus: validators are simulated; add --clock virtual")
        elif self.silent > (self.validators - 1) // 3:
            most = (self.validators - 1) // 3
            raise BadInputError(f"silent: of {self.validators} validators {most} may be silent, not {self.silent}")

    @property
    def simulated(self) -> bool:
        """Whether time is simulated: one run of each cell in one process is then all of them."""
        return self.clock != "wall"

    @property
    def rounds(self) -> int:
        """Timed runs of each cell that are made: simulated ones would repeat each other."""
        return 1 if self.simulated else self.repeat

    @property
    def stages(self) -> dict[str, str]:
        """Stages of a node that are measured with the execution, by option; those that are not asked for left out."""
        return _stages(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Show the request as a record keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Request:
        """Read a request back from a record of the current version.

        Raises
        ------
        BadInputError
            If a number is out of range.
        TypeError
            If it has keys that are not a request's.
        """
        return cls(**content)


def stages_text(asked: Mapping[str, Any]) -> str:
    """Stages of a node that a request asks for, in words; empty for none.

    Parameters
    ----------
    asked : mapping
        As a record of any version has it.
    """
    return ", ".join(f"{name} {value}" for name, value in _stages(asked).items() if name != "state_path")


def _stages(asked: Mapping[str, Any]) -> dict[str, str]:
    """Stages of a request by option, with what else is said of them."""
    found = {name: asked.get(name, NO_STAGE) for name in STAGES}
    if found["signatures"] not in WITHOUT_KEYS:
        found["keys"] = asked.get("keys", KEYS[0])
    found["pipeline"] = asked.get("pipeline", NO_STAGE)
    if found["consensus"] != NO_STAGE:
        said = {name: asked.get(name, 0) for name in OF_VALIDATORS}
        found |= {name: f"{value:g}" for name, value in said.items() if value}
    stored: dict[str, str] = {}
    if found.pop("state") not in (NO_STAGE, IN_MEMORY):
        stored |= {"state": asked["state"], "cache": asked.get("cache", CACHE)}
        if _durable(asked):
            stored["sync"] = asked.get("sync", SYNCS[0])
        elif _simulated(asked):
            stored["disk"] = asked.get("disk", DISK)
            if asked.get("machines", 1) > 1:
                stored["machines"] = str(asked["machines"])
        if asked.get("read_ahead", NO_STAGE) != NO_STAGE:
            stored["read_ahead"] = asked["read_ahead"]
            if asked.get("io", WAYS_TO_READ[0]) != WAYS_TO_READ[0]:
                stored["io"] = asked["io"]
            if asked.get("io_threads", USUAL_IO_THREADS) != USUAL_IO_THREADS:
                stored["io_threads"] = str(asked["io_threads"])
        if asked.get("state_path"):
            stored["state_path"] = asked["state_path"]
    return {name: value for name, value in found.items() if value != NO_STAGE} | stored


def command_words(asked: Mapping[str, Any], kind: type[Request] = Request) -> list[str]:
    """Options by which ``contend run`` asks for what a record's request says; what is the default is left out.

    Parameters
    ----------
    asked : mapping
        As `Request.as_json` gives it, or as a record of any version has it: values are shown and not checked.
    kind : type
        `Request`, or a dataclass derived from it.
    """
    clock = asked.get("clock", kind().clock)
    usual = {**kind(clock=clock).as_json(), "clock": kind().clock}
    words: list[str] = []
    for name, option in options(kind).items():
        # A quick look has other usual values, so that these are said.
        always = name in QUICK_SHARES and asked.get("quick")
        if name in asked and (always or _plain(asked[name]) != _plain(usual[name])):
            words += option.words(asked[name])
    return words


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
