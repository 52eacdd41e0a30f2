from __future__ import annotations

import json
from pathlib import Path

import pytest

from contend.evm.runtime.kernel_cache import kernels_digest
from contend.strategies import registry
from tools import schedule_campaign
from tools.schedule_campaign import BEGIN, END, PAGE, Slice, contenders, main, markdown, missing


def slice_of(name: str, seed: int, count: int, failed: int = 0) -> Slice:
    return Slice(kernels_digest(), name, seed, count, count // 2, failed)


def test_every_source_of_every_strategy_with_schedules_is_in_the_campaign() -> None:
    found = contenders()
    assert len(set(found)) == len(found)
    for name in registry.built_in(variants=True):
        kind = registry.get(name)
        own = [one for one in found if one.partition("+")[0] == name]
        assert len(own) == (max(len(kind.takes), 1) if kind.parallel else 0), name


def test_contenders_take_turns_and_slices_that_are_through_are_not_run_again() -> None:
    done = [slice_of("a", 1, 1_000), slice_of("a", 2, 1_000), slice_of("b", 1, 400)]
    assert list(missing(["a", "b", "c"], 2_500, 1_000, done)) == [
        ("b", 2, 1_000),
        ("c", 1, 1_000),
        ("b", 3, 1_000),
        ("c", 2, 1_000),
        ("a", 3, 500),
        ("b", 4, 100),
        ("c", 3, 500),
    ]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "page.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    monkeypatch.setattr(schedule_campaign, "PAGE", path)
    return path


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (1, 1)])
def test_an_interrupted_campaign_goes_on_and_the_page_has_all_of_it(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch, failed: int, code: int
) -> None:
    run: list[tuple[str, int]] = []

    def made_up(name: str, seed: int, count: int, *rest: object) -> Slice:
        if len(run) == 3:
            run.append(("interrupted", 0))
            raise KeyboardInterrupt
        run.append((name, seed))
        return slice_of(name, seed, count, failed * (name == "bal"))

    monkeypatch.setattr(schedule_campaign, "run_slice", made_up)
    # Of other kernels, so it counts for nothing.
    (tmp_path / "campaign.jsonl").write_text(
        json.dumps({"kernels": "x", "contender": "bal", "seed": 1, "schedules": 9_000, "damaged": 0, "failed": 9})
        + "\n"
    )
    wanted = ["--strategy", "bal", "occ_window", "--schedules", "2000", "--slice", "1000", "--folder", str(tmp_path)]
    assert main(wanted) == code
    assert main([*wanted, "--page"]) == code
    assert run == [("bal", 1), ("occ_window", 1), ("bal", 2), ("interrupted", 0), ("occ_window", 2)]
    text = page.read_text()
    assert f"| `bal` | 2,000 | 1,000 | {2 * failed} |\n| `occ_window` | 2,000 | 1,000 | 0 |\n| all | 4,000 |" in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text


def test_the_real_page_has_a_place_for_the_table() -> None:
    assert PAGE.read_text().count(BEGIN) == PAGE.read_text().count(END) == 1
    assert markdown([], []).count("|") > 0


def test_a_slice_is_run_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["--strategy", "block_stm+truth", "--schedules", "60", "--processes", "1", "--folder", str(tmp_path)]) == 0
    )
    assert "| `block_stm+truth` | 60 | 30 | 0 |" in capsys.readouterr().out
