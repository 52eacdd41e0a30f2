"""The page about workloads, ``docs/workloads.md``, made from the code: ``python -m tools.docs.workloads``.

Tables in documents are generated, never typed; a test compares the page with what this module gives. Each chart carries
the figures that it was drawn from, which the test compares as well.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from contend.harness.plan import suites
from contend.harness.present.tables.catalogue_tables import dial_range
from contend.harness.record.bound import Bounds
from contend.workloads import registry, resolve_dials
from contend.workloads.base import Workload
from contend.workloads.contracts.abi import CONTRACTS, load
from contend.workloads.generators.application import Application

PROFILE_SIZE, PROFILE_WORKERS = 2_000, 32
CHART_DPI = 90
FIGURES = "Description"
"""Where a chart carries its figures, among PNG's own keywords."""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "workloads.md"
INTRODUCTION = """\
# Workloads

Made by `python -m tools.docs.workloads` from the code; edit that. [Your own contract](own-contract.md) says how to
make a workload without writing Python, and the [README](../README.md) how to write one.

A workload is a seeded generator of a genesis and of blocks. Its dials move contention; its presets set several at once
(`--set preset=NAME`) and name the source of their figures; its invariant is checked after every serial run, to which
every other run is then compared. For every workload, ether only changes hands or is burned as base fee, every nonce is
used, and balances of shared tokens add up to their supply; what is said below comes on top of that.
`contend explain --workload NAME` measures what conflicts. `contend run --workload swaps --contention 0.28` turns dials
until that share of transactions depends on an earlier one, and `--chain 0.11` until the longest chain is that share of
the block; what was achieved is recorded, not guessed, and a request that cannot be met says what can. All of these
can be aimed at.

Several blocks (`--block-count`) continue where the one before ended. The dial `burst` spreads arrivals over them as
measured: NASDAQ's opening second, a token sale's plateau, a viral second. [Latency](latency.md) is then reported, too.

The dial `access_lists` gives transactions the lists of what they touch (EIP-2930), as wallets get them from an
execution ahead of inclusion: each transaction (`exact`), or half of them (`partial`). Lists cost gas and make first
accesses cheaper, so gas and digests are others than without; what transactions do is the same. They are what a strategy
that is given `declared` hints reads.

`contend run` measures {default} unless it is told otherwise; `--workload all` measures all.
"""
SOURCES = {"swaps": ("router", "pool", "liquidity"), "dao": ("votes", "dao"), "nft": ("collection", "market", "bazaar")}
CONTRACTS_OF = {
    "payments": ("token",),
    "lending": ("lending", "oracle", "arbitrage", "pool"),
    "orders": ("orderbook",),
    "stablecoin": ("stablecoin",),
    "game": ("game", "items"),
    "grants": ("grants", "treasury"),
    "supply": ("provenance",),
    "metering": ("metering",),
    "mixed": (),
    "adversarial": ("gauntlet",),
    **SOURCES,
}


def page() -> str:
    """The whole page, as Markdown."""
    default = ", ".join(f"`{name}`" for name in registry.DEFAULT)
    sections = [INTRODUCTION.format(default=default), _suites(), _profiles()]
    sections += ["\n".join(_section(registry.get(name))) for name in registry.BUILT_IN]
    return "\n".join(sections)


def _suites() -> str:
    lines = [
        "## Suites",
        "",
        "A suite fixes workloads, dials, seed and sizes: `contend run --suite NAME`. Digests of genesis and blocks are",
        "checked in, and verified at every run.",
        "",
        "| suite | what it is | blocks |",
        "| --- | --- | --- |",
    ]
    for name in suites.names():
        suite = suites.read(name)
        labels = ", ".join(entry.label for entry in suite.entries)
        lines.append(f"| `{name}` | {suite.summary} | {labels}; {suite.block_size:,} transactions each |")
    return "\n".join([*lines, ""])


def _profiles() -> str:
    lines = [
        "## Conflict profiles",
        "",
        f"Measured from recorded read and write sets of blocks of {PROFILE_SIZE:,} transactions, seed 1: the share of",
        "transactions that depend on an earlier one, the longest chain as a share of the block, and the most that",
        f"{PROFILE_WORKERS} workers could speed the block up, by gas. *Commuting* takes credits that nobody reads for",
        "commutative. The chart in each section shows the same blocks, and the bound by simulated time for 1 to 1,024",
        "workers ([bound.md](bound.md)).",
        "",
        "| workload | preset | dependent | longest chain | bound | commuting: dependent | longest chain | bound |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in registry.BUILT_IN:
        for preset in ("", *(preset.name for preset in registry.get(name).presets)):
            lines.append(f"| {name} | {preset} | {_profile(name, preset)} |")
    return "\n".join([*lines, ""])


@cache
def bounds(name: str, preset: str) -> Bounds:
    """The bound of the block that is shown of a workload and one of its presets; "" is none."""
    from contend.evm.drivers.recorder import record
    from contend.harness.analysis.profile import bounds_of
    from contend.strategies.clocks.cost_table import default_costs

    kind = registry.get(name)
    dials = resolve_dials(kind, {"preset": preset} if preset else {})
    scenario = kind().build(dials, 1, PROFILE_SIZE)
    return bounds_of(record(scenario.blocks[0], scenario.genesis, default_costs().table))


def _profile(name: str, preset: str) -> str:
    """Cells of the table of profiles for one block."""
    cells = []
    both = bounds(name, preset)
    for view in (both.plain, both.commutative):
        speedup = view.gas / max(view.critical_gas, view.gas / PROFILE_WORKERS)
        cells += [f"{view.dependent_share:.0%}", f"{view.chain_share:.1%}", f"{speedup:.1f}"]
    return " | ".join(cells)


def image(name: str) -> Path:
    """File of a workload's chart."""
    return PAGE.parent / "images" / "workloads" / f"{name}.png"


def variants(name: str) -> dict[str, Bounds]:
    """Bounds of a workload by preset, that of the defaults first, for its chart."""
    presets = (preset.name for preset in registry.get(name).presets)
    return {"defaults": bounds(name, ""), **{preset: bounds(name, preset) for preset in presets}}


def figures(name: str) -> str:
    """The figures behind a workload's chart, as it carries them."""
    return json.dumps({variant: _behind(one) for variant, one in variants(name).items()})


def _behind(one: Bounds) -> list[int]:
    plain = one.plain
    return [plain.transactions, plain.dependent, plain.longest_chain, plain.work, plain.critical_path]


def draw(name: str) -> None:
    """Draw a workload's chart."""
    from contend.harness.present.charts.profile import profile
    from contend.harness.present.charts.style import chart_style

    with chart_style():
        figure = profile(variants(name)).arrange()
        image(name).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(image(name), dpi=CHART_DPI, metadata={FIGURES: figures(name), "Software": None})


def _section(workload: type[Workload]) -> Iterator[str]:
    yield f"## {workload.name}"
    yield ""
    yield _markdown(inspect.getdoc(inspect.getmodule(workload)) or "")
    yield ""
    contracts = CONTRACTS_OF[workload.name]
    if contracts:
        yield "| contract | what it is | methods that change state |"
        yield "| --- | --- | --- |"
        for name in contracts:
            yield f"| [`{name}`](../workloads/contracts/{name}.vy) | {_title(name)} | {_methods(name)} |"
        yield ""
    yield "| dial | default | range | what it moves |"
    yield "| --- | --- | --- | --- |"
    for dial in workload.dials:
        shown = {"choices": dial.choices, "low": dial.low, "high": dial.high}
        choices = dial_range(shown).replace(" | ", ", ")
        yield f"| `{dial.name}` | {dial.default} | {choices} | {dial.summary} |"
    yield ""
    if workload.presets:
        yield "| preset | what it stands for | dials |"
        yield "| --- | --- | --- |"
        for preset in workload.presets:
            dials = ", ".join(f"`{name}={value}`" for name, value in preset.dials.items())
            yield f"| `{preset.name}` | {preset.summary} | {dials} |"
        yield ""
    yield f"**Conflicts.** {_story(workload)}"
    yield ""
    yield f"![Conflict profile of {workload.name}](images/workloads/{workload.name}.png)"
    yield ""
    yield f"**Invariant.** {_invariant(workload)}"
    yield ""


def _markdown(text: str) -> str:
    """A module's docstring as a part of the page: the first line in bold, double backticks single."""
    first, _, rest = text.partition("\n")
    return f"**{first}**\n{rest}".replace("``", "`").strip()


def _story(workload: type[Workload]) -> str:
    """Text of the class's docstring about where conflicts arise."""
    text = " ".join((inspect.getdoc(workload) or "").partition("\n\n")[0].split())
    return text.partition(": ")[2][:1].upper() + text.partition(": ")[2][1:] if ": " in text else text


def _invariant(workload: type[Workload]) -> str:
    """Invariant of a workload: the docstring of its check, without the reference to the method that it implements."""
    method = workload.verify if issubclass(workload, Application) else workload.check
    text = re.sub(r"^Check (that )?|See `\w+\.\w+`\.", "", inspect.getdoc(method) or "")
    return text[:1].upper() + " ".join(text[1:].split())


def _title(contract: str) -> str:
    source = (CONTRACTS / f"{contract}.vy").read_text(encoding="utf-8")
    found = re.search(r"@title\s+(.*)", source)
    return found[1].strip() if found else ""


def _methods(contract: str) -> str:
    """Methods that change the state, in the order of the interface."""
    changing = [
        str(entry["name"])
        for entry in load(contract).abi
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable")
    ]
    # Each once: overloads and optional arguments repeat a name.
    return ", ".join(f"`{name}`" for name in dict.fromkeys(changing))


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    for name in registry.BUILT_IN:
        draw(name)
    print(f"wrote {PAGE.name} and {len(registry.BUILT_IN)} charts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
