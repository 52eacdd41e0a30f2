"""The sweeps that models are learned from, as requests; simulated, so that they are the same wherever they are made.

Blocks of 1 to 10,000 transactions by default dials, then hot, cold and uneven ones, chains of nonces, and the worst
cases. What is measured beside these to find out from how many transactions on to be parallel stands below.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contend.evm.runtime.kernel_cache import kernels_digest
from contend.harness.plan.request import Request, command_words
from contend.strategies.clocks.cost_table import default_costs

CONTENDERS = (
    *("serial", "block_stm", "occ_window", "placeholder+dry_run", "groups+dry_run", "block_stm+dry_run"),
    *("bal", "placeholder", "groups"),
)
OTHERS = ("serial", "sharded", "aria", "static_partition", "locks+dry_run")
"""Contenders that blocks are not handed to, or never best; for the page about sizes."""
WORKERS, FEWER_WORKERS = (2, 4, 8, 16, 32), (2, 8, 32)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
LARGEST = 10_000
DEFAULT_WORKLOADS = ("payments", "swaps", "nft", "dao")
_FEW_SIZES = (40, 300, 1_500)
_CASE_SIZES = (40, 200, 1_000)
_HOT: Mapping[str, Any] = {
    **{"payments.accounts": 100, "swaps.pools": 1, "nft.collections": 2, "dao.proposals": 1, "lending.markets": 1},
    **{"lending.assets": 1, "orders.books": 1, "stablecoin.fee_bps": 10, "game.raid": 10, "grants.organisations": 1},
    **{"grants.rounds": 1, "supply.batches": 5},
}
_COLD: Mapping[str, Any] = {
    **{"payments.sender_zipf": 0, "payments.receiver_zipf": 0, "swaps.pools": 2_000, "swaps.pool_zipf": 0},
    **{"nft.collection_zipf": 0, "dao.proposals": 1_000, "dao.proposal_zipf": 0, "lending.markets": 200},
    **{"lending.market_zipf": 0, "orders.books": 200, "orders.book_zipf": 0, "game.raid": 0, "game.quest_zipf": 0},
    **{"grants.organisations": 500, "grants.organisation_zipf": 0, "supply.batches": 20_000, "supply.batch_zipf": 0},
    **{"metering.networks": 200},
}
_WARM: Mapping[str, Any] = {
    **{"payments.erc20": 1, "payments.tokens": 3, "swaps.pools": 20, "nft.collections": 50, "dao.proposals": 30},
    **{"lending.markets": 8, "orders.books": 4, "stablecoin.coins": 10, "game.raid": 0.3, "grants.organisations": 40},
    **{"supply.per_batch": 2, "metering.networks": 8},
}
_CHAINED: Mapping[str, Any] = {
    **{"stablecoin.sender_zipf": 3, "metering.operators": 3, "swaps.trader_zipf": 3, "game.player_zipf": 3},
}


def sweep() -> Iterator[Request]:
    """What is learned from."""
    for size in SIZES:
        yield _request(("all",), size)
    yield _request(DEFAULT_WORKLOADS, LARGEST)
    for size in _FEW_SIZES:
        for seed, dials in ((2, _HOT), (3, _COLD), (4, _WARM)):
            yield _request(("all",), size, dials=dials, seed=seed)
    for size in _CASE_SIZES:
        cases = ("chain", "star", "shifting", "aborting", "giant", "late-writer")
        yield _request(("adversarial",), size, sweep=("case", cases), seed=5)
        few = {"senders": 10, "work": 400}
        yield _request(("adversarial",), size, sweep=("case", ("giant", "chain", "star")), dials=few, seed=6)
        yield _request(("payments",), size, sweep=("sender_zipf", (2.0, 3.0, 5.0)), seed=7)
        yield _request(("mixed",), size, sweep=("skew", (0.0, 1.6, 2.5)), seed=8)
        yield _request(("stablecoin", "metering", "swaps", "game"), size, dials=_CHAINED, seed=9)


def sizes() -> Iterator[Request]:
    """What else the page about sizes shows."""
    for size in (*SIZES, LARGEST):
        yield _request(DEFAULT_WORKLOADS, size, OTHERS, FEWER_WORKERS)


def real(folder: Path) -> Iterator[Request]:
    """Real blocks, which nothing is learned from."""
    yield _request(("replay",), None, blocks=str(folder))


def measure(folder: Path, requests: Iterator[Request], keep: bool = False) -> None:
    """Measure what no complete record of a results folder has yet.

    Parameters
    ----------
    folder : Path
    requests : iterator of Request
    keep : bool, optional
        Whether records count that were made with other kernels or costs.
    """
    found = [_request_of(path, keep) for path in sorted((folder / "records").glob("*.json"))]
    for request in requests:
        asked = request.as_json()
        if _plain(asked) in found:
            continue
        words = ["run", "--isolated", *command_words(asked), "--no-charts", "--quiet", "--results", str(folder)]
        subprocess.run([str(Path(sys.executable).with_name("contend")), *words], check=True, stdout=subprocess.DEVNULL)


def _request(
    workloads: tuple[str, ...],
    size: int | None,
    strategies: tuple[str, ...] = CONTENDERS,
    workers: tuple[int, ...] = WORKERS,
    **asked: Any,
) -> Request:
    sized: dict[str, Any] = {} if size is None else {"block_size": size}
    return Request(workloads, strategies, workers, clock="virtual", **sized, **asked)


def _request_of(path: Path, keep: bool) -> Any:
    content = json.loads(path.read_text())
    made_with = [content["environment"].get(name) for name in ("kernels", "costs")]
    is_of_today = keep or made_with == [kernels_digest(), default_costs().digest]
    return _plain(content["request"]) if content.get("complete") and is_of_today else None


def _plain(request: Mapping[str, Any]) -> Any:
    """A request as JSON has it, without what says nothing about figures."""
    return json.loads(
        json.dumps({name: value for name, value in request.items() if value is not None and name != "blocks"})
    )
