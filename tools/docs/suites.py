"""``python -m tools.docs.suites SUITE``: a suite's file with the digests of what its workloads build now."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace

from contend.harness.bench.block_sequence import blocks_digest
from contend.harness.errors import BadInputError
from contend.harness.plan.resolve import lookup, resolve_dials
from contend.harness.plan.suites import Suite, SuiteEntry, read
from contend.workloads import registry


def pinned(suite: Suite) -> Iterator[SuiteEntry]:
    """Build every workload of a suite, and give its entry with the digests found.

    Raises
    ------
    BadInputError
        If a workload or a dial does not exist.
    """
    for entry in suite.entries:
        workload = lookup(registry, entry.workload)()
        dials = resolve_dials(entry.workload, entry.dials)
        scenario = workload.build(dials, suite.seed, suite.block_size, entry.block_count)
        yield replace(entry, genesis=scenario.genesis.digest(), block=blocks_digest(scenario.blocks))


def render(suite: Suite) -> str:
    """A suite as the text of its file."""
    lines = [f"name = {json.dumps(suite.name)}", f"summary = {json.dumps(suite.summary)}"]
    lines += [f"seed = {suite.seed}", f"block_size = {suite.block_size:_}"]
    for entry in suite.entries:
        lines += ["", "[[workloads]]", f"workload = {json.dumps(entry.workload)}"]
        if entry.label != entry.workload:
            lines.append(f"label = {json.dumps(entry.label)}")
        if entry.dials:
            dials = ", ".join(f"{name} = {json.dumps(value)}" for name, value in entry.dials.items())
            lines.append(f"dials = {{ {dials} }}")
        if entry.block_count > 1:
            lines.append(f"block_count = {entry.block_count}")
        lines += [f"{key} = {json.dumps(value)}" for key in ("genesis", "block") if (value := getattr(entry, key))]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Print a suite's file with the digests of what its workloads build now; the exit code."""
    if len(arguments) != 1:
        print("usage: python -m tools.docs.suites SUITE (a name, or the path of a TOML file)", file=sys.stderr)
        return 2
    try:
        suite = read(arguments[0])
        entries = []
        for entry in pinned(suite):
            print(f"built {entry.label}", file=sys.stderr)
            entries.append(entry)
    except BadInputError as error:
        print(f"contend: {error}", file=sys.stderr)
        return 2
    print(render(replace(suite, entries=tuple(entries))), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
