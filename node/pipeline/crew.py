"""Crew: threads without the GIL that work for several stages at once.

A stage whose clock drives workers opens a team: its step, what its workers share, and a slot for each worker. A thread
of the crew looks through the teams in their order, the oldest block's first, and takes a step for the first slot that
has one to give: its own number's, or, where that has ended, any that is free. A slot is taken by a compare-and-swap
and given back behind the step, so that no two threads step one worker, and what one has written the next sees. When the
last slot of a team has ended, a byte in a pipe wakes the stage, whose thread waits there without the GIL and costs
nothing.

While something is done that no node would do (`strategies.clocks.base.Clock.outside`), the crew stands: each thread
ends its step, says so, and waits.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from contend.evm.runtime import atomics
from contend.evm.runtime.integers import U0, U1, I, U
from contend.evm.runtime.jit import kernel
from contend.evm.runtime.memory_views import call_2, view_i64
from contend.evm.runtime.structs import I64, LINE_U64, Struct, address_of
from contend.strategies.clocks import IDLE, WORKED
from contend.strategies.clocks.wall import SPINS_BEFORE_YIELD, yield_processor

FREE, TAKEN, ENDED = range(3)

SLOT = Struct(
    "CrewSlot",
    state=LINE_U64,
    address=I64,  # of the worker's header
    result=I64,  # of its last step
)
TEAM = Struct(
    "CrewTeam",
    alive=LINE_U64,  # slots that have not ended
    step=I64,
    shared=I64,
    slots=I64,  # address of the first
    slot_count=I64,  # never changed
    pipe=I64,  # file descriptor
)
CREW = Struct(
    "Crew",
    stop=LINE_U64,
    halted=LINE_U64,
    standing=LINE_U64,  # threads that stand while it is halted
    teams=I64,  # address of the first
    team_count=I64,
)


@intrinsic  # type: ignore[untyped-decorator]  # numba ships no types
def _write_byte(typing_context: Any, pipe: Any, address: Any) -> Any:
    """Write a byte from an address to a file descriptor."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        kind = ir.FunctionType(word, [ir.IntType(32), word, word])
        function = builder.module.globals.get("write") or ir.Function(builder.module, kind, "write")
        descriptor = builder.trunc(arguments[0], ir.IntType(32))
        builder.call(function, [descriptor, arguments[1], ir.Constant(word, 1)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@kernel()
def _step_slot(team, slot):
    """Take a step for a slot, if it is free."""
    if atomics.load(slot, "state") != U(FREE):
        return I(IDLE)
    if atomics.compare_and_swap(slot, "state", U(FREE), U(TAKEN)) != U(FREE):
        return I(IDLE)
    cost = call_2(team.step, team.shared, slot.address)
    if cost >= 0:
        atomics.store(slot, "state", U(FREE))
        return cost
    slot.result = cost
    atomics.store(slot, "state", U(ENDED))
    if atomics.subtract(team, "alive", U1) == U1:
        _write_byte(team.pipe, I(address_of(team)))
    return I(WORKED)


@kernel()
def _step_team(team, number):
    """Take a step for a team: for the thread's own slot, or for another where that has ended."""
    if atomics.load(team, "alive") == U0:
        return I(IDLE)
    if number < team.slot_count:
        own = SLOT.item(team.slots, team.slot_count, number)
        if atomics.load(own, "state") != U(ENDED):
            return _step_slot(team, own)
    for other in range(team.slot_count):
        cost = _step_slot(team, SLOT.item(team.slots, team.slot_count, other))
        if cost != I(IDLE):
            return cost
    return I(IDLE)


@kernel()
def serve(crew_address, number):
    """Be a thread of a crew until it is stopped."""
    crew = CREW.at(crew_address)
    idle = 0
    while atomics.load(crew, "stop") == U0:
        if atomics.load(crew, "halted") != U0:
            atomics.add(crew, "standing", U1)
            while atomics.load(crew, "halted") != U0 and atomics.load(crew, "stop") == U0:
                yield_processor()
            atomics.subtract(crew, "standing", U1)
        cost = I(IDLE)
        for place in range(crew.team_count):
            cost = _step_team(TEAM.item(crew.teams, crew.team_count, place), number)
            if cost != I(IDLE):
                break
        if cost != I(IDLE):
            idle = 0
        else:
            idle += 1
            if idle >= SPINS_BEFORE_YIELD:
                yield_processor()


@kernel()
def halt(crew_address, threads):
    """Have a crew stand; returns when all threads do, or have been told to end."""
    crew = CREW.at(crew_address)
    atomics.store(crew, "halted", U1)
    while atomics.load(crew, "standing") != U(threads) and atomics.load(crew, "stop") == U0:
        yield_processor()


@kernel()
def go_on(crew_address):
    """Have a crew that stands go on."""
    atomics.store(CREW.at(crew_address), "halted", U0)


@kernel()
def stop(crew_address):
    """Have all threads of a crew end."""
    atomics.store(CREW.at(crew_address), "stop", U1)


@kernel()
def open_team(team_address, step, shared, addresses, count):
    """Give a team work: its slots are free when all else is written."""
    team = TEAM.at(team_address)
    headers = view_i64(addresses, count)
    team.step, team.shared = step, shared
    for number in range(count):
        SLOT.item(team.slots, team.slot_count, number).address = headers[number]
    atomics.store(team, "alive", U(count))
    for number in range(count):
        atomics.store(SLOT.item(team.slots, team.slot_count, number), "state", U(FREE))
