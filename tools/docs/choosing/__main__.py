"""``python -m tools.docs.choosing``: sweep, learn the model that comes with the project, judge, and write two pages.

Records are kept; what is there is not measured again, unless kernels or costs have changed since. All of it takes most
of an hour on two cores, half of it for judging: each workload in turn is left out of everything that is learned.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from contend.harness.analysis.learning.learner import learn
from contend.harness.analysis.learning.lessons import Lessons, lessons_of
from contend.harness.analysis.learning.model_text import text_of_model
from contend.harness.record.load_all import read_all
from contend.strategies.adaptive.decision_model import MODEL_FILE
from tools.docs.choosing import adaptive_page, sizes_page, sweep
from tools.docs.choosing.judge import judged, left_out

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
ADAPTIVE, SIZES = "adaptive", "block-sizes"


def main(arguments: Sequence[str]) -> int:
    """Do all of it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs.choosing", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "choosing", help="records so far")
    parser.add_argument("--real", type=Path, default=None, help="folder of real blocks, to judge by")
    parser.add_argument("--keep", action="store_true", help="records count whatever kernels and costs they are of")
    parser.add_argument("--only", choices=(ADAPTIVE, SIZES), default=None, help="one of the pages")
    asked = parser.parse_args(arguments)
    folders = {name: asked.results / name for name in ("sweep", "sizes", "real")}
    sweep.measure(folders["sweep"], sweep.sweep(), asked.keep)
    if asked.only != ADAPTIVE:
        sweep.measure(folders["sizes"], sweep.sizes(), asked.keep)
        _write_sizes(folders)
    if asked.only != SIZES:
        if asked.real is not None:
            sweep.measure(folders["real"], sweep.real(asked.real), asked.keep)
        _write_adaptive(folders)
    return 0


def _write_adaptive(folders: dict[str, Path]) -> None:
    lessons = _lessons(folders["sweep"])
    real = _lessons(folders["real"]).lessons if folders["real"].exists() else ()
    model = learn(lessons)
    MODEL_FILE.write_text(text_of_model(model))
    roles = []
    for source, part in model.parts.items():
        tell(f"judging given {source}")
        roles.append(
            adaptive_page.Role(source, list(left_out(lessons.lessons, source)), list(judged(part, real, source)))
        )
    image = adaptive_page.draw(roles[0], DOCS / "images", ADAPTIVE)
    text = adaptive_page.page(roles, lessons.lessons, model, str(image.relative_to(DOCS)))
    (DOCS / f"{ADAPTIVE}.md").write_text(text)


def _write_sizes(folders: dict[str, Path]) -> None:
    places = [folders[name] for name in ("sweep", "sizes")]
    records = list(read_all(places, tell))
    found = sizes_page.speedups_of(records, sweep.DEFAULT_WORKLOADS)
    images = {
        role: sizes_page.draw(found, sweep.FEWER_WORKERS[1], DOCS / "images", f"{SIZES}-{role}", role)
        for role in sizes_page.ROLES
    }
    shown = {role: str(image.relative_to(DOCS)) for role, image in images.items()}
    costs = ", ".join(sorted({str(record["environment"]["costs"]) for record in records}))
    text = sizes_page.page(found, costs, shown, sweep.FEWER_WORKERS)
    (DOCS / f"{SIZES}.md").write_text(text)


def _lessons(folder: Path) -> Lessons:
    tell(f"taking lessons from {folder.name}")
    return lessons_of(read_all([folder], tell), tell)


def tell(text: str) -> None:
    """Say how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
