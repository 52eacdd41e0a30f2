"""The bound: against brute force on small random blocks, and on blocks whose answer is known."""

from __future__ import annotations

from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contend.evm.drivers.recorder import Recording
from contend.evm.state import location_key
from contend.harness.analysis.dependencies import build_graph
from contend.harness.analysis.list_schedule import ListSchedule, longest_chain
from contend.harness.analysis.profile import bounds_of
from contend.harness.record.bound import KINDS, Bound, Bounds

LOCATIONS = 5
COINBASE = 4
# Locations 0 and 1 are storage, 2 is a nonce, 3 a balance, 4 the beneficiary's balance.
KIND_OF = (0, 0, 2, 1, 1)
READ, WRITE, CREDIT, UNDONE, FIRST, TESTING = range(6)
# FIRST: a credit to an account that it tests, and that was empty. TESTING: a credit after a test that it was not.

WRITING, BLIND = (WRITE, CREDIT, FIRST, TESTING), (CREDIT, UNDONE, FIRST, TESTING)

# By transaction: what it does at which location. Blind entries are balances only.
Block = list[dict[int, int]]
_entry = {
    location: st.sampled_from(
        [READ, WRITE, CREDIT, UNDONE, FIRST, TESTING] if KIND_OF[location] == 1 else [READ, WRITE]
    )
    for location in range(LOCATIONS)
}
blocks = st.lists(st.fixed_dictionaries({}, optional=_entry), min_size=1, max_size=8)


def recording_of(block: Block, work: list[int] | None = None, before: list[int] | None = None) -> Recording:
    keys = [location_key(bytes([number]) * 20, kind) for number, kind in enumerate(KIND_OF)]
    actions = [action for one in block for action in one.values()]
    costs = np.array(work or [1] * len(block), np.int64)
    return Recording(
        np.cumsum([0, *map(len, block)]).astype(np.int64),
        np.array([location for one in block for location in one], np.int64),
        np.array([action in WRITING for action in actions], np.bool_),
        costs,
        LOCATIONS,
        blind=np.array([action in BLIND for action in actions], np.bool_),
        tested=np.array([action in (FIRST, TESTING) for action in actions], np.bool_),
        crossed=np.array([action == FIRST for action in actions], np.bool_),
        work=costs,
        before=np.array(before or [0] * len(actions), np.int64),
        ahead=np.zeros(len(block), np.int64),
        keys=np.array(keys, np.uint64),
        coinbase=COINBASE,
    )


def edges_by_hand(block: Block, commutative: bool) -> set[tuple[int, int]]:
    """Every pair (earlier, later) with a true dependency, straight from the definition."""
    found = set()
    for later, mine in enumerate(block):
        for location, action in mine.items():
            if commutative and action in BLIND:
                if action in (FIRST, TESTING):
                    crossing = [i for i in range(later) if block[i].get(location) == FIRST]
                    found |= {(earlier, later) for earlier in crossing[-1:]}
                continue
            for earlier in range(later - 1, -1, -1):
                theirs = block[earlier].get(location)
                if theirs in WRITING:
                    found.add((earlier, later))
                    if theirs == WRITE or not commutative:
                        break
            if location == COINBASE:
                # Its balance has the fees of everyone before.
                found |= {(earlier, later) for earlier in range(later)}
    return found


def longest_by_hand(block: Block, edges: set[tuple[int, int]], costs: list[int]) -> int:
    ends: list[int] = []
    for later in range(len(block)):
        before = [ends[earlier] for earlier in range(later) if (earlier, later) in edges]
        ends.append(max(before, default=0) + costs[later])
    return max(ends)


works = st.lists(st.integers(1, 9), min_size=8, max_size=8)


@pytest.mark.bounds
@settings(max_examples=300)
@given(block=blocks, work=works, commutative=st.booleans())
def test_dependencies_and_paths_agree_with_brute_force(block: Block, work: list[int], commutative: bool) -> None:
    work = work[: len(block)]
    recording = recording_of(block, work)
    edges = edges_by_hand(block, commutative)
    graph = build_graph(recording, commutative)
    assert graph.dependent.tolist() == [any(later == i for _, later in edges) for i in range(len(block))]
    assert (graph.sources < np.repeat(np.arange(len(graph)), np.diff(graph.starts))).all()
    for costs in ([1] * len(block), work):
        chain = longest_chain(graph, np.array(costs, np.int64))
        assert chain.length == longest_by_hand(block, edges, costs)
        assert sum(costs[i] for i in chain.transactions) == chain.length
        # Each link is a dependency, through a location that both touch (or the fees).
        for earlier, later, through in zip(chain.transactions[:-1], chain.transactions[1:], chain.links, strict=True):
            assert (earlier, later) in edges
            location = COINBASE if through == LOCATIONS else int(through)
            assert location in block[later]


@pytest.mark.bounds
@settings(max_examples=200)
@given(block=blocks, commutative=st.booleans(), kept=st.sets(st.integers(0, LOCATIONS - 1)))
def test_only_counted_locations_make_dependencies(block: Block, commutative: bool, kept: set[int]) -> None:
    counted = np.isin(np.arange(LOCATIONS), list(kept))
    graph = build_graph(recording_of(block), commutative, counted)
    only = [{location: action for location, action in one.items() if location in kept} for one in block]
    expected = longest_by_hand(block, edges_by_hand(only, commutative), [1] * len(block))
    assert longest_chain(graph, np.ones(len(block), np.int64)).length == expected


def best_by_hand(work: list[int], edges: set[tuple[int, int]], workers: int) -> int:
    """The shortest schedule, over every order in which transactions can be handed to the next free worker."""
    best = sum(work)
    for order in permutations(range(len(work))):
        place = {transaction: i for i, transaction in enumerate(order)}
        if any(place[earlier] > place[later] for earlier, later in edges):
            continue
        free, ends = [0] * workers, [0] * len(work)
        for transaction in order:
            ready = max((ends[earlier] for earlier, later in edges if later == transaction), default=0)
            worker = min(range(workers), key=lambda one: (max(free[one], ready), free[one]))
            ends[transaction] = free[worker] = max(free[worker], ready) + work[transaction]
        best = min(best, max(ends))
    return best


@pytest.mark.bounds
@settings(max_examples=60)
@given(
    block=st.lists(st.fixed_dictionaries({}, optional=_entry), min_size=1, max_size=5),
    work=works,
    workers=st.integers(1, 3),
    commutative=st.booleans(),
)
def test_a_list_schedule_lies_between_the_bound_and_grahams_factor(
    block: Block, work: list[int], workers: int, commutative: bool
) -> None:
    work = work[: len(block)]
    recording = recording_of(block, work)
    graph = build_graph(recording, commutative)
    length = ListSchedule(graph, recording.work).length(workers)
    critical = longest_chain(graph, recording.work).length
    assert length >= critical
    assert length * workers >= sum(work)
    best = best_by_hand(work, edges_by_hand(block, commutative), workers)
    assert length >= best
    assert length * workers <= best * (2 * workers - 1)


@pytest.mark.bounds
@settings(max_examples=60)
@given(
    block=st.lists(st.fixed_dictionaries({}, optional=_entry), min_size=1, max_size=8),
    work=works,
    workers=st.integers(1, 4),
    commutative=st.booleans(),
    data=st.data(),
)
def test_a_schedule_of_reads_lies_between_the_bound_and_whole_transactions_one_by_one(
    block: Block, work: list[int], workers: int, commutative: bool, data: st.DataObject
) -> None:
    work = (work * 8)[: len(block)]
    recording = recording_of(block, work)
    graph = build_graph(recording, commutative)
    # How much of each transaction comes before what it reads of another; nothing of a join.
    costs = graph.node_weights(recording.work)
    targets = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    lags = np.array([data.draw(st.integers(0, max(int(costs[node]) - 1, 0))) for node in targets], np.int64)
    length = ListSchedule(graph, recording.work, lags).length(workers)
    assert length >= longest_chain(graph, recording.work, lags).length
    assert sum(work) <= length * workers
    assert length <= sum(work)


def test_a_transaction_may_begin_before_what_it_reads_is_there() -> None:
    block: Block = [{0: WRITE}, {0: READ}, {1: WRITE}]
    recording = recording_of(block, [10, 10, 10])
    graph = build_graph(recording)
    assert ListSchedule(graph, recording.work).length(2) == 20
    # The second reads after 6 of its 10: it begins when 6 before the first one's end have come.
    assert ListSchedule(graph, recording.work, np.array([6])).length(2) == 20
    assert ListSchedule(graph, recording.work, np.array([6])).length(3) == 14


def test_one_worker_takes_the_whole_work_and_many_the_critical_path() -> None:
    block: Block = [{0: WRITE}, {}, {0: READ}, {1: WRITE}, {0: READ, 1: READ}]
    recording = recording_of(block, [3, 1, 4, 1, 5])
    schedule = ListSchedule(build_graph(recording), recording.work)
    assert [schedule.length(w) for w in (1, 2, 1_024)] == [14, 8, 8]


def test_the_longest_path_goes_first() -> None:
    # Three short transactions, then a chain of two: with two workers, only a schedule that begins the chain at once
    # takes six.
    block: Block = [{}, {}, {}, {0: WRITE}, {0: READ}]
    recording = recording_of(block, [2, 2, 2, 3, 3])
    assert ListSchedule(build_graph(recording), recording.work).length(2) == 6


def test_a_schedule_without_workers_is_refused() -> None:
    recording = recording_of([{}])
    with pytest.raises(ValueError, match="workers = 0: at least 1 is needed"):
        ListSchedule(build_graph(recording), recording.work).length(0)


def view(block: Block) -> tuple[Bound, Bound]:
    bounds = bounds_of(recording_of(block))
    return bounds.plain, bounds.commutative


def test_one_chain_allows_no_speedup() -> None:
    plain, commutative = view([{0: WRITE}] * 10)
    assert plain == commutative
    assert (plain.dependent, plain.longest_chain, plain.critical_path) == (9, 10, 10)
    assert plain.speedup(1_024) == 1.0
    assert plain.depth == {"nonce": 1, "balance": 1, "storage": 10, "code": 1}


def test_independent_transactions_allow_all_of_it() -> None:
    plain, _ = view([{location: READ} for location in range(4)] * 3)
    assert (plain.dependent_share, plain.longest_chain) == (0.0, 1)
    assert [plain.speedup(w) for w in (1, 2, 12, 1_024)] == [1.0, 2.0, 12.0, 12.0]


def test_a_star_is_two_deep() -> None:
    plain, _ = view([{0: WRITE}] + [{0: READ}] * 9)
    assert (plain.dependent, plain.longest_chain) == (9, 2)
    assert plain.speedup(1_024) == 5.0


def test_overwriting_and_writing_after_a_read_are_no_dependencies() -> None:
    # Two locations of different readers and writers: no read finds an earlier transaction's write.
    plain, _ = view([{0: READ}, {1: READ}, {0: WRITE}, {1: WRITE}])
    assert plain.dependent == 0


def test_payments_to_one_account_commute_until_it_is_read() -> None:
    block: Block = [{3: CREDIT}] * 6 + [{3: READ}] + [{3: CREDIT}] * 3 + [{3: WRITE}]
    plain, commutative = view(block)
    # As it is: the payments follow each other, the read comes with the seventh.
    assert (plain.longest_chain, plain.dependent) == (10, 10)
    assert plain.depth["balance"] == 10
    # Commutative: all payments at once, then those who look.
    assert (commutative.longest_chain, commutative.dependent) == (2, 2)


def test_who_tests_an_account_for_emptiness_waits_for_the_first_payment_alone() -> None:
    plain, commutative = view([{3: FIRST}] + [{3: TESTING}] * 9)
    assert plain.longest_chain == 10
    assert (commutative.longest_chain, commutative.dependent) == (2, 9)
    # Payments that do not test wait for nobody.
    assert view([{3: FIRST}] + [{3: CREDIT}] * 9)[1].dependent == 0


def test_whoever_reads_the_beneficiary_waits_for_all_fees() -> None:
    block: Block = [{}] * 5 + [{COINBASE: READ}] + [{}] * 2 + [{COINBASE: UNDONE}]
    plain, commutative = view(block)
    assert (plain.longest_chain, plain.dependent) == (3, 2)
    # A payment to it, made or taken back, reads no fee if additions commute.
    assert (commutative.longest_chain, commutative.dependent) == (2, 1)


def test_joins_keep_a_graph_small() -> None:
    # A thousand payments to one account, each followed by a look at it: an edge each would be half a million.
    block: Block = [{3: CREDIT}, {3: READ}] * 1_000
    graph = build_graph(recording_of(block), commutative=True)
    assert len(graph.sources) < 5_000
    assert longest_chain(graph, np.ones(2_000, np.int64)).length == 2


def test_an_empty_block_has_a_bound() -> None:
    plain, _ = view([])
    assert (plain.speedup(8), plain.dependent_share, plain.chain_share) == (1.0, 0.0, 0.0)


def test_bounds_survive_json() -> None:
    bounds = bounds_of(recording_of([{0: WRITE}, {0: READ, 3: CREDIT}]))
    assert Bounds.from_json(bounds.as_json()) == bounds
    assert set(bounds.plain.depth) == set(KINDS)


def test_every_shape_of_two_transactions() -> None:
    # Exhaustive where it is cheap: the second waits if and only if it sees a word of the first's.
    for first, second in product(range(6), repeat=2):
        plain, commutative = view([{3: first}, {3: second}])
        assert (plain.dependent == 1) == (first in WRITING)
        sees_sum, tests = second in (READ, WRITE), second in (FIRST, TESTING)
        assert (commutative.dependent == 1) == ((first in WRITING and sees_sum) or (first == FIRST and tests))


def test_more_workers_never_allow_less() -> None:
    plain, _ = view([{0: WRITE}, {0: READ}, {}, {}])
    counts = [1, 2, 3, 64]
    assert all(plain.speedup(a) <= plain.speedup(b) for a, b in combinations(counts, 2))


def test_a_transaction_is_held_up_where_it_reads_and_not_before() -> None:
    # Each reads what the one before writes; the second has done 6 of its 10 by then, the third nothing.
    block: Block = [{0: WRITE}, {0: READ, 1: WRITE}, {1: READ}]
    recording = recording_of(block, [10, 10, 10], before=[0, 6, 9, 0])
    graph = build_graph(recording)
    assert longest_chain(graph, recording.work).length == 30
    assert longest_chain(graph, recording.work, graph.lags).length == 10 + 4 + 10


@given(block=blocks, commutative=st.booleans(), late=st.integers(0, 9))
def test_reading_later_never_makes_the_critical_path_longer(block: Block, commutative: bool, late: int) -> None:
    entries = sum(map(len, block))
    recording = recording_of(block, [10] * len(block), before=[late] * entries)
    graph = build_graph(recording, commutative)
    whole, held_up = longest_chain(graph, recording.work), longest_chain(graph, recording.work, graph.lags)
    assert 10 <= held_up.length <= whole.length
    assert held_up.length >= whole.length - late * (len(whole.transactions) - 1)


@pytest.mark.parametrize("workers", [2, 8, 32])
def test_no_simulated_strategy_beats_the_bound(workers: int) -> None:
    from contend.harness.bench.bench import Bench
    from contend.harness.plan.clock_options import clock_maker
    from contend.harness.plan.request import Request
    from contend.harness.plan.resolve import CellKey, WorkloadPlan, resolve_dials
    from contend.strategies import registry as strategies
    from contend.workloads import registry as workloads

    request = Request(clock="virtual")
    bench = Bench(strategies.get, workloads.get, clock=clock_maker(request))
    # The market's payments are read first by some and last by others: chains overlap more than whole transactions do.
    for name in ("nft", "dao"):
        bounds = bench.prepare(WorkloadPlan(name, resolve_dials(name, {})), 1, 1_000).bounds
        assert bounds is not None
        serial = bench.run(CellKey("serial", 1)).seconds
        for strategy in ("block_stm", "static_partition"):
            reached = serial / bench.run(CellKey(strategy, workers)).seconds
            assert reached <= bounds.plain.speedup(workers)
    bench.close()
