"""Lines below a table about the stages of a node: which are in the times, how they overlap, which takes longest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from contend.harness.record.content.bottleneck import NAMES, bottlenecks

Cell = Mapping[str, Any]
_IN_IT = "Every time, serial's too, has"
# Stores by the names that records have for them, in words.
_STORES = {"mdbx": "database of MDBX"}


def print_stages(console: Console, cells: Sequence[Cell]) -> None:
    """Say which stages of a node are in the times beside the execution, and which is the bottleneck."""
    for line in (
        *_agreements(cells),
        *_signatures(cells),
        *_stores(cells),
        *_roots(cells),
        *_overlaps(cells),
    ):
        console.print(line, style="dim", markup=False, highlight=False)
    for line in bottlenecks(cells):
        console.print(line, markup=False, highlight=False)


def _facts(cells: Sequence[Cell], option: str) -> Iterator[tuple[Cell, Mapping[str, Any]]]:
    for cell in cells:
        facts = (cell.get("stages") or {}).get(option)
        if facts:
            yield cell, facts


def _signatures(cells: Sequence[Cell]) -> Iterator[str]:
    """Say by which signatures senders are found."""
    told: dict[str, set[int]] = {}
    stored = False
    for cell, facts in _facts(cells, "signatures"):
        sizes = told.setdefault(facts["scheme"], set())
        sizes.add(round((facts["signature_bytes"] + facts["key_bytes"]) / max(cell["transactions"], 1)))
        stored |= "stored_messages" in facts
    for scheme, sizes in told.items():
        size = "-".join(map(str, sorted({min(sizes), max(sizes)})))
        of_what = ", of stored messages and not of the transactions," if stored else ""
        yield (
            f"{_IN_IT} signatures in it: senders are found by {scheme} ({size} bytes a transaction){of_what} on all "
            "workers before execution."
        )


def _stores(cells: Sequence[Cell]) -> Iterator[str]:
    """Say where the state was, what of it was in memory, and what was read of it a transaction."""
    told: dict[tuple[str, ...], list[Cell]] = {}
    for cell, facts in _facts(cells, "state"):
        store = _STORES.get(facts["store"], facts["store"])
        told.setdefault((store, f"{facts['cache']:.0%}", _reads_of(facts)), []).append(cell)
    for (store, share, how), own in told.items():
        records, reads = _range_a_transaction(own, "cold_records"), _range_a_transaction(own, "cold_reads")
        yield (
            f"{_IN_IT} cold state in it: a {store}, {share} of its records in memory when a block begins; {records} "
            f"records a transaction by {reads} reads, {how}.{_commits_of(own)}"
        )


def _commits_of(cells: Sequence[Cell]) -> str:
    """What is committed to the store, and when it is on the disk; empty where nothing is."""
    if not any("sync" in cell["stages"]["state"] for cell in cells):
        return ""
    syncs = {cell["stages"]["state"]["sync"] for cell in cells}
    when = "on the disk before its time ends" if syncs == {"block"} else "written to the disk when the system does it"
    records = _range_a_transaction(cells, "store_records")
    warm = sum(cell["counters"].get("store_warm", 0) > 0 for cell in cells)
    kept = f" The system had kept pages of it in {warm} of {len(cells)} cells, which are warm." if warm else ""
    return f"{kept} Each block is committed to it, {records} records a transaction, {when}."


_AHEAD = {"sure": "those that are sure", "block": "those that its access list names"}


def _reads_of(facts: Mapping[str, Any]) -> str:
    """How records were read."""
    if "disk" in facts:
        latency, channels = facts["latency_seconds"] * 1e6, facts["channels"]
        ahead = f", {_AHEAD.get(facts['read_ahead'], 'some')} ahead of the block" if "read_ahead" in facts else ""
        several = f"; {facts['machines']} machines a worker" if "machines" in facts else ""
        return f"of a simulated device ({facts['disk']}: {latency:g} us, {channels} at once){ahead}{several}"
    if "read_ahead" not in facts:
        how = "for each of which its worker waits"
    else:
        what = _AHEAD.get(facts["read_ahead"], "some")
        how = f"{what} ahead of the block by {facts['ahead_io']}, and its worker waits for any other"
    return how if facts.get("direct", True) else f"{how}, through the system's cache"


def _range_a_transaction(cells: Sequence[Cell], counter: str) -> str:
    """Least and most of a counter a transaction, of those cells that have it."""
    values = [cell["counters"][counter] / max(cell["transactions"], 1) for cell in cells if counter in cell["counters"]]
    return "-".join(dict.fromkeys(f"{one:.2f}" for one in (min(values), max(values)))) if values else "no"


def _roots(cells: Sequence[Cell]) -> Iterator[str]:
    """Say of how large a state roots are."""
    roots = [facts for _, facts in _facts(cells, "root")]
    if roots:
        accounts, slots = (_span({facts[name] for facts in roots}) for name in ("accounts", "slots"))
        yield (
            f"{_IN_IT} the state root in it: of {accounts} accounts and {slots} slots what the block has changed, on "
            "all workers after it."
        )


def _span(numbers: Collection[int]) -> str:
    """The least and the largest of some numbers."""
    return "-".join(f"{number:,}" for number in sorted({min(numbers), max(numbers)}))


def _agreements(cells: Sequence[Cell]) -> Iterator[str]:
    """Say who has agreed on blocks, in how many messages, and how long that is in latencies of the network."""
    told: dict[tuple[str, ...], list[Cell]] = {}
    for cell, facts in _facts(cells, "consensus"):
        if "agreement_messages" in cell["counters"]:
            silent = f", {facts['silent']} of them silent" if facts["silent"] else ""
            jitter = f", jitter {facts['jitter']:g}" if facts["jitter"] else ""
            told.setdefault((facts["protocol"], f"{facts['validators']} validators{silent}{jitter}"), []).append(cell)
    for (protocol, validators), own in told.items():
        messages = _range_a_block(own, "agreement_messages", "{:,.0f}")
        delays = _range_a_block(own, "agreement_delays", "{:.2f}")
        times = f" and {delays} message delays" if delays else ""
        yield (
            f"{_IN_IT} agreement in it: {protocol} among {validators}, {messages} messages{times} a block, before "
            "execution."
        )


def _range_a_block(cells: Sequence[Cell], counter: str, how: str) -> str:
    """Least and most of a counter a block; empty where nobody counts it."""
    values = [cell["counters"][counter] / cell.get("block_count", 1) for cell in cells if counter in cell["counters"]]
    return "-".join(dict.fromkeys(how.format(one) for one in (min(values), max(values)))) if values else ""


def _overlaps(cells: Sequence[Cell]) -> Iterator[str]:
    """Say that stages overlap, and how well their model foretells it."""
    told = [cell["pipeline"] for cell in cells if cell.get("pipeline")]
    if told:
        stages = ", ".join(NAMES.get(name, name) for name in told[0]["alone_seconds"])
        errors = sorted(abs(one["error"]) for one in told)
        yield (
            f"Stages of consecutive blocks overlap ({stages}), a block at each; serial's come one after the other. The "
            f"stage model is off by {errors[len(errors) // 2]:.1%} in the median, {errors[-1]:.1%} at most."
        )
