"""Shared events: simulated workers that are everybody's, stepped in the order of their times.

As the event loop of one strategy (`strategies.clocks.virtual`), but for several teams of workers: each has a step, what
its workers share, and a slot for each worker. Of the teams that have work a worker takes a step of the first, in the
order of their table, the oldest block's first: for the slot of its own number, or, where that has ended, for another
that nobody steps. That is what threads do (`node.pipeline.crew`).

A worker that finds nothing in any team is put aside. When a wake counter of a team changes, the worker that has waited
longest looks some time later (class "idle"), and the next one after it where it finds something; all look where those
of that team each wait for something of their own. A slot that was idle is not stepped before a counter of its team has
changed.

All memory is indexed by worker; a team has a row of each array.
"""

from __future__ import annotations

from contend.evm.runtime.integers import I
from contend.evm.runtime.jit import kernel, macro, native
from contend.evm.runtime.memory_views import call_2, view_i64
from contend.evm.runtime.structs import I64, Struct
from contend.strategies.clocks import FINISHED, IDLE
from contend.strategies.clocks.wake_counters import sum_at

NEVER = 1 << 62
FULL_SPEED = 1_000  # of a slow-down in thousandths
STEPS_AT_ONCE = 200_000  # between two looks at what Python has to do: signals, for one
TEAM_ENDED, TIME_IS_UP, OUT_OF_STEPS, STUCK = range(4)  # why the loop returned
NOT_SEEN = -1  # what stands for the version of a slot that has not been idle

SHARED_TEAM = Struct(
    "SharedTeam",
    step=I64,
    shared=I64,
    slots=I64,  # how many
    alive=I64,  # that have not ended; zero where the team has no work
    interchangeable=I64,
    addresses=I64,  # of the workers' headers
    ended=I64,
    free_ps=I64,  # when each slot's step ends
    seen=I64,  # version at which each slot was idle
    results=I64,
    wake_counters=I64,
    wake_counter_count=I64,
    wake_sum=I64,
    version=I64,  # how often that has changed
)
SHARED_LOOP = Struct(
    "SharedLoop",
    teams=I64,
    team_count=I64,
    worker_count=I64,
    tree=I64,
    leaves=I64,
    due_ps=I64,
    queue=I64,  # ring of workers put aside, the one that has waited longest first
    queue_head=I64,
    queue_size=I64,
    probe=I64,  # the worker of the queue that looks next, plus one; or zero
    idle_ps=I64,
    slowdown=I64,
    instant=I64,  # address of a word that tells the time of the step in hand
    now_ps=I64,
    busy_ps=I64,
    steps=I64,
)


@macro
def _row(address, loop):
    return view_i64(address, loop.worker_count)


@kernel()
def _play(loop, worker):
    """Play a worker's matches again after its time has changed; each node keeps the earlier of its two sides."""
    due, tree = view_i64(loop.due_ps, loop.leaves), view_i64(loop.tree, I(2) * loop.leaves)
    node = (worker + loop.leaves) >> I(1)
    while node >= 1:
        left, right = tree[I(2) * node], tree[I(2) * node + I(1)]
        tree[node] = left if due[left] <= due[right] else right
        node >>= I(1)


@kernel()
def _wake(loop, worker, time):
    view_i64(loop.due_ps, loop.leaves)[worker] = time
    _play(loop, worker)


@kernel()
def _send_probe(loop, time):
    """Let the worker that has waited longest look again at `time`."""
    loop.probe = 0
    if loop.queue_size > 0:
        worker = _row(loop.queue, loop)[loop.queue_head]
        loop.queue_head = (loop.queue_head + I(1)) % loop.worker_count
        loop.queue_size -= I(1)
        loop.probe = worker + I(1)
        _wake(loop, worker, time)


@kernel()
def _wake_all(loop, time):
    """Let every worker that was put aside look again at `time`."""
    queue = _row(loop.queue, loop)
    for i in range(loop.queue_size):
        _wake(loop, queue[(loop.queue_head + I(i)) % loop.worker_count], time)
    loop.queue_size = 0


@kernel()
def wake_all(loop_address, time):
    """As `_wake_all`, for who has opened a team."""
    _wake_all(SHARED_LOOP.at(loop_address), time)


@kernel()
def _step_slot(loop, team, slot, time):
    """Step a slot's worker, which nobody else steps; its cost, `IDLE`, or negative where it has ended."""
    cost = call_2(team.step, team.shared, _row(team.addresses, loop)[slot])
    loop.steps += I(1)
    if cost > 0:
        cost = max(cost * loop.slowdown // I(FULL_SPEED), I(1))
        _row(team.free_ps, loop)[slot] = time + cost
        loop.busy_ps += cost
    elif cost == IDLE:
        _row(team.seen, loop)[slot] = team.version
        return cost
    else:
        _row(team.ended, loop)[slot] = 1
        _row(team.results, loop)[slot] = cost
        team.alive -= I(1)
    return cost


@kernel()
def _may_step(loop, team, slot, time):
    is_free = _row(team.ended, loop)[slot] == 0 and _row(team.free_ps, loop)[slot] <= time
    return is_free and _row(team.seen, loop)[slot] != team.version


@kernel()
def _step_team(loop, team, worker, time):
    """Take a step for a team: for the worker's own slot, or for another where that has ended."""
    if team.alive == 0:
        return I(IDLE)
    if worker < team.slots and _row(team.ended, loop)[worker] == 0:
        return _step_slot(loop, team, worker, time) if _may_step(loop, team, worker, time) else I(IDLE)
    for slot in range(team.slots):
        if _may_step(loop, team, slot, time):
            cost = _step_slot(loop, team, slot, time)
            if cost != IDLE:
                return cost
    return I(IDLE)


@kernel()
def _note_changes(loop, team, time):
    """Have workers look again where a step has changed a wake counter of its team."""
    wake_sum = sum_at(team.wake_counters, team.wake_counter_count)
    if wake_sum != team.wake_sum:
        team.wake_sum = wake_sum
        team.version += I(1)
        if team.interchangeable == 0:
            _wake_all(loop, time + loop.idle_ps)
        elif loop.probe == 0:
            _send_probe(loop, time + loop.idle_ps)


@kernel()
def _put_aside(loop, worker):
    _row(loop.queue, loop)[(loop.queue_head + loop.queue_size) % loop.worker_count] = worker
    loop.queue_size += I(1)
    _wake(loop, worker, I(NEVER))


@kernel()
def run_shared_events(loop_address, until):
    """Step workers until a team has ended, `until` has come, or `STEPS_AT_ONCE` steps have been made; says which."""
    loop = SHARED_LOOP.at(loop_address)
    due, tree = view_i64(loop.due_ps, loop.leaves), view_i64(loop.tree, I(2) * loop.leaves)
    instant = view_i64(loop.instant, 1)
    for _ in range(STEPS_AT_ONCE):
        worker = tree[1]
        time = due[worker]
        if time >= until:
            if until < NEVER:
                loop.now_ps = until
                return I(TIME_IS_UP)
            return I(STUCK)
        instant[0] = time
        cost, place = I(IDLE), I(0)
        while place < loop.team_count:
            team = SHARED_TEAM.item(loop.teams, loop.team_count, place)
            cost = _step_team(loop, team, worker, time)
            if cost != IDLE:
                break
            place += I(1)
        if cost == IDLE:
            _put_aside(loop, worker)
            if loop.probe == worker + I(1):
                loop.probe = 0
            continue
        if cost > 0:
            _wake(loop, worker, time + cost)
        if loop.probe == worker + I(1):
            _send_probe(loop, time)
        team = SHARED_TEAM.item(loop.teams, loop.team_count, place)
        _note_changes(loop, team, time)
        if team.alive == 0:
            loop.now_ps = time
            return I(TEAM_ENDED)
    return I(OUT_OF_STEPS)


@native("int64(int64, int64)")
def spend_step(shared_address, worker_address):
    """Spend what is left at an address, all at once."""
    left = view_i64(shared_address, 1)
    cost = left[0]
    left[0] = 0
    return cost if cost > 0 else I(FINISHED)
