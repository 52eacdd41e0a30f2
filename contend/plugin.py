"""What a plug-in is made of: everything that a plan, a step strategy or a workload needs, under names that stay.

A package that brings strategies or workloads imports this module, `contend.testing` for its tests, and nothing else
of Contend: other modules move without notice. ``contend new`` writes such a package, and ``docs/plugins.md`` says how
it becomes known. Kernels are functions over structs; "Kernels" in ``CONTRIBUTING.md`` has their rules.

Every strategy
--------------
`Strategy` : class
    The common face: ``execute(block, state, workers)`` gives an `Outcome`.
`Outcome` : dataclass
    Changes, receipts, seconds by phase, counters, and the serialisation order where it is not the block's.
`Serial` : class
    The baseline; also a base for strategies that differ from it in little.
`Block`, `Environment`, `Transaction` : dataclasses
    What is executed. Hashes and addresses are `bytes`, amounts are `int` in wei.
`State`, `Changes`, `Receipts` : classes
    Before and after: one map from location to word, the locations that changed, a receipt a transaction.
`Clock`, `WALL`, `VirtualClock` : class, object, class
    What drives workers and tells the time: real threads, or simulated workers.
`ACT_SCHEDULE`, `ACT_EXECUTE`, `ACT_VALIDATE`, `ACT_WAIT`, `ACT_COMMIT`, `ACT_PLAN`, `ACT_MESSAGE` : int
    Activities: what a worker's step was, for ``contend timeline``.

A plan
------
`PlannedStrategy` : class
    A strategy that is a plan: write ``plan(hints, workers)`` and nothing else.
`Plan` : dataclass
    ``Plan(lanes=[...])``, arrays of int64 of places in the block, each executed in its order by one worker; or
    ``Plan(edges=...)``, int64 of shape (k, 2), a dependency graph that is executed by the next free worker.
`Hints` : dataclass
    Predicted access sets in compressed rows: ``offsets`` int64 (n + 1,), ``locations`` int64 (m,), ``writes`` bool
    (m,), ``costs`` int64 (n,) in gas; ``components()`` and ``conflict_edges()`` of the conflict graph.
`pack_longest_first` : function
    Costs onto bins by Graham's LPT rule.

A step: the strategy
--------------------
`OptimisticStrategy` : class
    A strategy whose workers execute over multi-version memory and validate. Its class attributes: ``step``;
    ``own_shared`` and ``own_worker``, a `Struct` of its own counters and words, as many as it wants, by name;
    ``wake_counters``, the names of the fields of which one changes whenever an idle worker may find something to do;
    ``takes``, the sources of hints that it can use, the usual one first. What it is given is ``self.given``. Its method
    ``prepare(space, image, state)`` may call ``self.gather_hints(space, image, state)``, which fills the hint table
    from there, and ``self.mark_expected_writes(space)``, after which who reads what is expected is `BLOCKED`.
`BlockSTM`, `block_stm_step`, `speculate` : class, Native, kernel
    Block-STM, its step, and the same as a kernel, ``speculate(shared, worker)``: to be built upon.
`WAKE_COUNTERS` : tuple of str
    Those of Block-STM's scheduler.
`Workspace`, `BlockImage` : classes
    What ``prepare(space, image, state)`` is given: ``space.shared``, ``space.workers``, ``space.own_shared`` and
    ``space.own_workers`` are numpy records with the fields of the structs; `BlockImage` is a block as kernels read it.

A step: kernels and their memory
--------------------------------
`kernel`, `native` : decorators
    ``@kernel()`` compiles a function into its callers; ``@native("int64(int64, int64)")`` one that is called by its
    address, as a step is.
`Native` : class
    What `native` makes.
`I`, `U`, `U0`, `U1` : types and constants
    int64 and uint64: every constant of a kernel is wrapped in one of them, and they are never mixed.
`Struct` : class
    Named fields of 64-bit words, declared once: ``OWN = Struct("MyShared", next=LINE_U64)``. In kernels
    ``OWN.at(address).next``; `Struct.zeros` and `Struct.lines` make arrays of them.
`I64`, `U64`, `U256`, `LINE_U64`, `words` : types of fields
    Signed, unsigned, four words as a tuple, unsigned on a cache line of its own, an array of so many words.
`atomics` : module
    ``load``, ``store``, ``add``, ``subtract``, ``minimum``, ``exchange``, ``compare_and_swap``, ``load_seq_cst``, of a
    field by name: ``atomics.add(OWN.at(shared.own), "next", U1)`` gives the value before.
`SHARED`, `WORKER` : Struct
    The headers behind a step's two arguments: ``SHARED.at(shared_address)``, ``WORKER.at(worker_address)``. Fields that
    a step uses: ``shared.block_size``, ``shared.own``; ``worker.txn_idx``, ``worker.phase``, ``worker.activity``,
    ``worker.own``, ``worker.gas_spent``, ``worker.validations``.
`check` : kernel
    ``check(condition)``: an assertion that compiles to nothing outside the bounds lane (``NUMBA_BOUNDSCHECK=1``).
`view_i64`, `view_u64`, `call_2` : kernels
    ``view_u64(address, count)``, memory as an array; ``call_2(step_address, shared_address, worker_address)``.

A step: what it returns
-----------------------
`end_step` : kernel
    ``end_step(worker, result)``: what the step returns, the cost in picoseconds if it `WORKED`.
`WORKED`, `IDLE`, `FINISHED`, `FAILED` : int
    Something was done; nothing was changed, and there is nothing to do until a wake counter changes; the worker has
    ended; something was full, and the block is executed again with more room.
`PHASE_TASK`, `PHASE_READ`, `PHASE_FINISH`, `PHASE_ANNOUNCE`, `OWN_PHASE` : int
    Values of ``worker.phase``: look for a transaction; give it a word; it has run to its end; what it did is recorded
    and to be announced (`speculate` does that); the first number that is free for phases of your own.
`spend` : kernel
    ``spend(shared, worker, COST_TASK, 1)``: work of one class, for simulated time.
`COST_TASK`, `COST_WAIT`, `COST_RELEASE`, `COST_LOCK` : int
    Classes of work of the table of costs: a task found, a wait for another transaction, a successor released, a lock.
`COST_BEGIN`, `COST_READ`, `COST_FINISH`, `COST_PUBLISH_READ`, `COST_PUBLISH_WRITE` : int
    An incarnation begun, a read answered, an incarnation recorded, an entry of its sets. Spent by the kernels below.
`COST_VALIDATE`, `COST_VALIDATE_READ`, `COST_ABORT`, `COST_ABORT_WRITE` : int
    A validation, an entry validated, an abort, an entry made an estimate. Spent by the kernels below.
`COST_PLAN_TRANSACTION`, `COST_PLAN_LOCATION` : int
    A transaction and an access planned; ``self.spend(COST_PLAN_LOCATION, count)`` in a strategy's ``prepare``.

A step: one incarnation of a transaction, worker.txn_idx
--------------------------------------------------------
`try_incarnate` : kernel
    ``try_incarnate(shared, worker, txn_idx)``: take a transaction that is ready to execute; False if it is not.
`begin_execution`, `run_to_need` : kernels
    ``begin_execution(shared, worker)``: execute it up to the first word that it needs, or its end; ``run_to_need`` goes
    on. Both set ``worker.phase`` and return `WORKED` or `FAILED`.
`answer_read` : kernel
    ``answer_read(shared, worker, never_wait)``: give it that word, from multi-version memory or the state. Returns
    `ANSWERED`, `BLOCKED` or `FAULTED`, and the transaction that must execute first if it is blocked.
`ANSWERED`, `BLOCKED`, `FAULTED` : int
`validate_unrecorded`, `validate_read_set` : kernels
    ``validate_unrecorded(shared, worker)``: the first location that the incarnation in hand would now read otherwise,
    or `VALID`; ``validate_read_set`` asks the same of one that was recorded.
`VALID` : int
`count_abort` : kernel
    ``count_abort(shared, worker, stale, gas)``: an incarnation was wasted, because of this location. Counters of
    executions must add up, see "Counters" in ``docs/plugins.md``.
`record` : kernel
    ``record(shared, worker)``: publish its writes, its read set and its receipt. Returns whether there was room, and
    whether somebody may have read what is no longer so: it wrote where the incarnation before did not, or another word
    where that one's stayed in sight.
`set_executed_status` : kernel
    ``set_executed_status(shared, worker)``: it is executed and its writes are visible.
`convert_writes_to_estimates`, `add_dependency` : kernels
    Block-STM's: ``convert_writes_to_estimates(shared, worker, stale)``, mark what an aborted incarnation wrote (of a
    planned transaction's first repair, only what it wrote at the stale location); give up the incarnation, counted as
    begun again, and wait for a lower transaction.
`has_fault`, `note_fault` : kernels
    ``has_fault(shared)``: whether some worker found something full; ``note_fault(shared)`` says so.

A workload
----------
`Workload` : class
    A seeded generator of a genesis and of blocks, with dials and an invariant.
`Dial`, `Preset`, `DialValue` : dataclasses and type
    A parameter that moves contention, with default and range; named values of some; int, float or str.
`Scenario` : dataclass
    What a workload builds: genesis, blocks, and names of contracts and accounts.
`resolve_dials`, `DialError` : function and exception
    ``resolve_dials(workload, {"artists": 1})``: every dial with its value, checked.
`Genesis` : class
    The state before the first block: ether, code, storage, deployments.
`BlockBuilder` : class
    Blocks of transactions with real nonce chains and fees.
`ChainBuilder` : class
    The same with contracts deployed and called before the first block.
`Accounts`, `named_account` : class and function
    Addresses, 20 bytes, by index and by role.
`RandomStream`, `Zipf`, `draw_kinds`, `draw_pairs` : classes and functions
    Draws that are the same bits on every machine, int64 of shape (count,).
`Artifact`, `load_artifact`, `mapping_slot`, `view_call`, `keccak256` : class and functions
    Compiled contracts with their ABI and layout; where a mapping keeps a key; a call that changes nothing.
`GWEI`, `ETHER`, `PLAIN_TRANSFER_GAS` : int
    In wei, wei and gas.
"""

from contend.evm import (
    Block,
    Changes,
    Environment,
    Genesis,
    Receipts,
    State,
    Transaction,
    keccak256,
    mapping_slot,
    view_call,
)
from contend.evm.block_image import BlockImage
from contend.evm.runtime import atomics
from contend.evm.runtime.checks import check
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import Native, kernel, native
from contend.evm.runtime.memory_views import call_2, view_i64, view_u64
from contend.evm.runtime.structs import I64, LINE_U64, U64, U256, Struct, words
from contend.strategies.accounting import end_step, spend
from contend.strategies.base import Outcome, Strategy
from contend.strategies.block_stm.accounting import count_abort, has_fault, note_fault
from contend.strategies.block_stm.incarnation import ANSWERED, BLOCKED, FAULTED, answer_read, record
from contend.strategies.block_stm.layout import SHARED, WORKER
from contend.strategies.block_stm.scheduler import add_dependency, set_executed_status, try_incarnate
from contend.strategies.block_stm.strategy import BlockSTM, OptimisticStrategy
from contend.strategies.block_stm.validation import (
    VALID,
    convert_writes_to_estimates,
    validate_read_set,
    validate_unrecorded,
)
from contend.strategies.block_stm.worker import (
    OWN_PHASE,
    PHASE_ANNOUNCE,
    PHASE_FINISH,
    PHASE_READ,
    PHASE_TASK,
    begin_execution,
    run_to_need,
    speculate,
)
from contend.strategies.block_stm.worker import step as block_stm_step
from contend.strategies.block_stm.workspace import WAKE_COUNTERS, Workspace
from contend.strategies.clocks import (
    ACT_COMMIT,
    ACT_EXECUTE,
    ACT_MESSAGE,
    ACT_PLAN,
    ACT_SCHEDULE,
    ACT_VALIDATE,
    ACT_WAIT,
    FAILED,
    FINISHED,
    IDLE,
    WALL,
    WORKED,
    Clock,
)
from contend.strategies.clocks.cost_table import ABORT as COST_ABORT
from contend.strategies.clocks.cost_table import ABORT_WRITE as COST_ABORT_WRITE
from contend.strategies.clocks.cost_table import BEGIN as COST_BEGIN
from contend.strategies.clocks.cost_table import FINISH as COST_FINISH
from contend.strategies.clocks.cost_table import LOCK as COST_LOCK
from contend.strategies.clocks.cost_table import PLAN_LOCATION as COST_PLAN_LOCATION
from contend.strategies.clocks.cost_table import PLAN_TRANSACTION as COST_PLAN_TRANSACTION
from contend.strategies.clocks.cost_table import PUBLISH_READ as COST_PUBLISH_READ
from contend.strategies.clocks.cost_table import PUBLISH_WRITE as COST_PUBLISH_WRITE
from contend.strategies.clocks.cost_table import READ as COST_READ
from contend.strategies.clocks.cost_table import RELEASE as COST_RELEASE
from contend.strategies.clocks.cost_table import TASK as COST_TASK
from contend.strategies.clocks.cost_table import VALIDATE as COST_VALIDATE
from contend.strategies.clocks.cost_table import VALIDATE_READ as COST_VALIDATE_READ
from contend.strategies.clocks.cost_table import WAIT as COST_WAIT
from contend.strategies.clocks.virtual import VirtualClock
from contend.strategies.hints.predicted_sets import Hints
from contend.strategies.planned.engine import PlannedStrategy
from contend.strategies.planned.plan import Plan, pack_longest_first
from contend.strategies.serial import Serial
from contend.workloads.base import Dial, DialValue, Preset, Scenario, Workload
from contend.workloads.building.accounts import Accounts, named_account
from contend.workloads.building.block_builder import ETHER, GWEI, PLAIN_TRANSFER_GAS, BlockBuilder
from contend.workloads.building.chain_builder import ChainBuilder
from contend.workloads.building.sampling import RandomStream, Zipf, draw_kinds, draw_pairs
from contend.workloads.contracts.abi import Artifact
from contend.workloads.contracts.abi import load as load_artifact
from contend.workloads.dials import DialError, resolve_dials

__all__ = [
    "ACT_COMMIT",
    "ACT_EXECUTE",
    "ACT_MESSAGE",
    "ACT_PLAN",
    "ACT_SCHEDULE",
    "ACT_VALIDATE",
    "ACT_WAIT",
    "ANSWERED",
    "BLOCKED",
    "COST_ABORT",
    "COST_ABORT_WRITE",
    "COST_BEGIN",
    "COST_FINISH",
    "COST_LOCK",
    "COST_PLAN_LOCATION",
    "COST_PLAN_TRANSACTION",
    "COST_PUBLISH_READ",
    "COST_PUBLISH_WRITE",
    "COST_READ",
    "COST_RELEASE",
    "COST_TASK",
    "COST_VALIDATE",
    "COST_VALIDATE_READ",
    "COST_WAIT",
    "ETHER",
    "FAILED",
    "FAULTED",
    "FINISHED",
    "GWEI",
    "I64",
    "IDLE",
    "LINE_U64",
    "OWN_PHASE",
    "PHASE_ANNOUNCE",
    "PHASE_FINISH",
    "PHASE_READ",
    "PHASE_TASK",
    "PLAIN_TRANSFER_GAS",
    "SHARED",
    "U0",
    "U1",
    "U64",
    "U256",
    "VALID",
    "WAKE_COUNTERS",
    "WALL",
    "WORKED",
    "WORKER",
    "Accounts",
    "Artifact",
    "Block",
    "BlockBuilder",
    "BlockImage",
    "BlockSTM",
    "ChainBuilder",
    "Changes",
    "Clock",
    "Dial",
    "DialError",
    "DialValue",
    "Environment",
    "Genesis",
    "Hints",
    "I",
    "Native",
    "OptimisticStrategy",
    "Outcome",
    "Plan",
    "PlannedStrategy",
    "Preset",
    "RandomStream",
    "Receipts",
    "Scenario",
    "Serial",
    "State",
    "Strategy",
    "Struct",
    "Transaction",
    "U",
    "VirtualClock",
    "Workload",
    "Workspace",
    "Zipf",
    "add_dependency",
    "answer_read",
    "atomics",
    "begin_execution",
    "block_stm_step",
    "call_2",
    "check",
    "convert_writes_to_estimates",
    "count_abort",
    "draw_kinds",
    "draw_pairs",
    "end_step",
    "has_fault",
    "keccak256",
    "kernel",
    "load_artifact",
    "mapping_slot",
    "named_account",
    "native",
    "note_fault",
    "pack_longest_first",
    "record",
    "resolve_dials",
    "run_to_need",
    "set_executed_status",
    "speculate",
    "spend",
    "try_incarnate",
    "validate_read_set",
    "validate_unrecorded",
    "view_call",
    "view_i64",
    "view_u64",
    "words",
]
