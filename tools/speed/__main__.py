"""``python -m tools.speed BEFORE [AFTER]``: measure two versions in turns, and write ``docs/speed.md``.

A version is a commit or a folder; without a second one it is this folder. Quiet machines only: nothing else may run.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from contend.harness.compare.checkout import laid_out
from contend.harness.compare.targets import Records, parse_target
from contend.harness.errors import BadInputError, CrashError
from contend.harness.measure.version import Version
from contend.workloads.registry import BUILT_IN
from tools.speed.paired_speed import Figure, building, children, compilation, serial_and_alone
from tools.speed.speed_page import Study, page

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS = ("payments", "swaps", "nft", "dao")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.speed", description=__doc__)
    parser.add_argument("before", help="commit, or folder")
    parser.add_argument("after", nargs="?", default=str(ROOT), help="commit, or folder (default: this one)")
    parser.add_argument("--pairs", type=int, default=31, help="of runs of each figure (default: 31)")
    parser.add_argument("--size", type=int, default=10_000, help="of blocks (default: 10000)")
    parser.add_argument("--slow-pairs", type=int, default=3, help="of first runs, and of building (default: 3)")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "speed.md", help="page to write")
    asked = parser.parse_args(arguments)
    if min(asked.pairs, asked.slow_pairs) < 2:
        print("tools.speed: fewer than 2 pairs have no spread", file=sys.stderr)
        return 2
    try:
        with ExitStack() as held:
            targets = [parse_target(text, Path.cwd()) for text in (asked.before, asked.after)]
            versions: list[Version] = []
            for target in targets:
                if isinstance(target, Records):
                    raise BadInputError(f"{target.label}: no version, but records")
                versions.append(held.enter_context(laid_out(target, _tell)))
            figures = list(measured(versions[0], versions[1], asked))
    except (BadInputError, CrashError) as error:
        print(f"tools.speed: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    given = " ".join(sys.argv[1:] if arguments is None else arguments)
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    study = Study(f"python -m tools.speed {given}".replace(str(ROOT), "."), machine, asked.size, tuple(figures))
    asked.output.write_text(page(study), encoding="utf-8")
    kept = asked.output.with_suffix(".json")
    kept.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8")
    return 0


def measured(before: Version, after: Version, asked: argparse.Namespace) -> Iterator[Figure]:
    """Measure all figures, and tell of each."""
    with children(before, after) as both:
        for workload in WORKLOADS:
            for figure in serial_and_alone(both, workload, asked.size, asked.pairs):
                yield _told(figure)
        for workload in BUILT_IN:
            yield _told(building(both, workload, asked.size, asked.slow_pairs))
    yield _told(compilation(before, after, asked.slow_pairs))


def _told(figure: Figure) -> Figure:
    low, high = figure.quartiles
    _tell(f"{figure.what}: {figure.gain:.2f} times as good, middle half {low:.2f} to {high:.2f}")
    return figure


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
