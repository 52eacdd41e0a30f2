"""The report: what it says follows from the records, and a real browser shows it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from browser import Browser, BrowserMissingError, launch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from contend.harness.cli import main
from contend.harness.present.formatting import duration, factor, listed, rate, share
from contend.harness.present.report.answer_safety import safety
from contend.harness.present.report.answer_slower import slower
from contend.harness.present.report.answer_which import which
from contend.harness.present.report.figures import on_both_clocks, report_figures, style_of
from contend.harness.present.report.history import _deviations, histories, steps_of
from contend.harness.present.report.page import render, write_report
from contend.harness.present.report.selection import command_of, frame_of, selections, told_apart
from contend.harness.present.report.summary import answers
from contend.harness.record.atomic_write import write_json
from contend.harness.records import read

OLD = Path(__file__).parents[1] / "old_records"
Record = dict[str, Any]


def on_day(record: Record, day: int, scale: float = 1.0, strategy: str | None = None) -> Record:
    """The same record as if it had been made on another day, one strategy so many times as slow."""
    made = copy.deepcopy(record)
    made["id"] = f"202601{day:02}T000000Z-{day:08x}"
    made["environment"]["time"] = f"2026-01-{day:02}T00:00:00+00:00"
    for cell in made["cells"]:
        if cell["strategy"] == strategy:
            for sample in cell["samples"]:
                sample["seconds"] *= scale
                sample["phases"] = {name: seconds * scale for name, seconds in sample["phases"].items()}
    return made


def written(folder: Path, records: list[Record]) -> list[Record]:
    """As they are read from files, with figures that follow from the samples."""
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        write_json(folder / f"{record['id']}.json", record)
    return [read(folder / f"{record['id']}.json") for record in records]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """Seven days by the wall clock, block_stm a quarter slower from the fifth on, and one simulated run."""
    wall, virtual = read(OLD / "1-wall.json"), read(OLD / "1-virtual.json")
    days = [on_day(wall, day, 1.25 if day >= 5 else 1.0, "block_stm") for day in range(1, 8)]
    return written(tmp_path_factory.mktemp("records"), [*days, on_day(virtual, 8)])


def test_figures_in_words() -> None:
    assert [rate(value) for value in (999, 1_310_000, 62_137, 497_000.2)] == ["999", "1.31M", "62.1k", "497k"]
    assert [factor(value) for value in (0.5, 21.46, 640.0)] == ["0.50x", "21.5x", "640x"]
    assert [share(value) for value in (0.5, 0.0312, 0.00001, 0)] == ["50%", "3.1%", "under 0.1%", "0%"]
    assert [duration(value) for value in (1.314, 0.0621, 0.000497)] == ["1.31 s", "62.1 ms", "497 us"]
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


@given(st.integers(0, 10_000), st.integers(5, 40))
def test_noise_around_one_level_has_few_steps(seed: int, count: int) -> None:
    values = np.exp(np.random.default_rng(seed).laplace(0, 0.005, count))
    assert len(steps_of(values)) <= 1
    # None at all where every difference is too small to tell.
    assert steps_of(np.exp(np.random.default_rng(seed).uniform(-0.01, 0.01, count))) == ()


@given(st.integers(0, 10_000), st.integers(4, 20), st.integers(4, 20), st.sampled_from([0.8, 1.2, 1.5]))
def test_a_step_is_found_where_it_is(seed: int, before: int, after: int, height: float) -> None:
    random = np.random.default_rng(seed)
    values = np.exp(random.uniform(-0.01, 0.01, before + after))
    values[before:] *= height
    assert before in steps_of(values)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=30))
def test_deviations_are_those_from_the_median_of_the_rest(values: list[float]) -> None:
    found = _deviations(np.array(values))
    for place in range(len(values)):
        rest = np.array(values[place:])
        assert found[place] == pytest.approx(np.abs(rest - np.median(rest)).sum(), abs=1e-9)


def test_one_bad_run_is_no_step_and_simulated_time_steps_exactly() -> None:
    assert steps_of([1.0, 1.01, 0.99, 3.0, 1.0, 1.01, 0.99, 1.0]) == ()
    assert steps_of([1.0] * 5 + [1.05] * 5) == (5,)
    assert steps_of([1.0] * 5 + [1.01] * 5) == (), "too small to tell"
    assert steps_of([1.0, 2.0, 3.0, 4.0]) == (), "too few"


def test_the_slow_down_is_what_got_slower(records: list[Record]) -> None:
    frame = frame_of(records)
    series = list(histories(frame))
    assert {one.steps for one in series if one.strategy == "block_stm" and one.clock == "wall"} == {(4,)}
    assert {one.steps for one in series if one.strategy != "block_stm"} == {()}
    found = {answer.question: answer for answer in answers(selections(frame, records), records, series)}
    slower = found["What got slower?"]
    assert any("block_stm" in point and "+25%" in point and records[4]["id"] in point for point in slower.points)
    assert not any("serial with" in point for point in slower.points)


def test_one_record_says_that_nobody_can_tell(records: list[Record]) -> None:
    one = records[:1]
    frame = frame_of(one)
    which, where, slower = answers(selections(frame, one), one, list(histories(frame)))
    assert "nobody can tell" in slower.headline
    assert "Fewer than three worker counts" in where.headline
    assert not which.simulated


def test_serial_is_the_answer_where_nothing_beats_it_for_certain(records: list[Record]) -> None:
    one = records[:1]
    (selected,) = selections(frame_of(one), one)
    slow, fast = selected.plain.copy(), selected.plain.copy()
    rivals = slow["strategy"] != "serial"
    slow.loc[rivals, ["speedup_low", "speedup", "speedup_high"]] = [0.9, 1.4, 1.9]
    fast.loc[rivals, ["speedup_low", "speedup", "speedup_high"]] = [1.3, 1.4, 1.5]
    for cells, expected in ((slow, "serial"), (fast, str(fast[rivals]["strategy"].iloc[0]))):
        chosen = type(selected)(selected.clock, cells, selected.sweeps, selected.commands)
        which = next(answers([chosen], one, []))
        assert which.headline.startswith(expected)


def lines(selected: Any, speedups: dict[int, float], **more: Any) -> Any:
    """The selection with block_stm at these worker counts, in place of what it had."""
    serial = selected.plain[selected.plain["strategy"] == "serial"].iloc[:1]
    rival = selected.plain[selected.plain["strategy"] == "block_stm"].iloc[:1]
    rows = [serial] + [
        rival.assign(workers=workers, speedup=value, speedup_low=value, speedup_high=value, cores=64, **more)
        for workers, value in speedups.items()
    ]
    cells = pandas.concat(rows, ignore_index=True)
    return type(selected)(selected.clock, cells, selected.sweeps, selected.commands)


def test_shards_are_said_to_need_nodes(records: list[Record]) -> None:
    (selected,) = selections(frame_of(records[:1]), records[:1])
    sharded = lines(selected, {1: 0.9, 4: 1.6, 16: 2.0}, strategy="sharded")
    (found,) = safety([sharded])
    assert "423 members" in found.headline
    assert found.points[0].startswith("4 shards: 1,692 nodes")
    assert found.points[1].startswith("16 shards: 6,768 nodes")
    # Who has one shard, or none, is not asked.
    assert not list(safety([lines(selected, {1: 0.9}, strategy="sharded"), lines(selected, {4: 2.0})]))


def test_what_still_grows_has_not_stopped_helping(records: list[Record]) -> None:
    (selected,) = selections(frame_of(records[:1]), records[:1])

    def where(speedups: dict[int, float], **more: Any) -> str:
        (_, found, _) = answers([lines(selected, speedups, **more)], records[:1], [])
        return found.headline

    unbound = {"bound_speedup": float("nan")}
    assert where({1: 0.9, 2: 1.6, 4: 3.0}, **unbound) == "Not within the 4 workers measured."
    assert where({1: 0.9, 2: 1.6, 4: 1.6}, **unbound).startswith("At 2 workers: more of them give less than 5%")
    assert "Fewer than three worker counts" in where({1: 0.9, 2: 1.6}, **unbound)
    # Workers without cores of their own say nothing of the strategy.
    crowded = lines(selected, {1: 0.9, 2: 1.6, 4: 1.6}, **unbound)
    warnings = [["more workers than cores: 4 on 2"] if count == 4 else [] for count in crowded.plain["workers"]]
    (_, found, _) = answers(
        [type(selected)(selected.clock, crowded.plain.assign(warnings=warnings), selected.sweeps, {})], records[:1], []
    )
    assert "Fewer than three worker counts" in found.headline


def test_nothing_beyond_the_bound_is_recommended(records: list[Record], tmp_path: Path) -> None:
    cheating = copy.deepcopy(records[0])
    for cell in cheating["cells"]:
        if cell["strategy"] == "block_stm":
            for sample in cell["samples"]:
                sample["seconds"] /= 1_000
                sample["phases"] = {name: seconds / 1_000 for name, seconds in sample["phases"].items()}
    made = written(tmp_path, [cheating])
    which = next(answers(selections(frame_of(made), made), made, []))
    assert not which.headline.startswith("block_stm")
    assert any("a warning says that it misleads: block_stm" in point for point in which.points)


def test_both_clocks_are_held_against_each_other_on_the_same_block_only(records: list[Record]) -> None:
    frame = frame_of(records)
    assert list(on_both_clocks(selections(frame, records), style_of(frame)))
    other = frame.assign(block_digest=frame["block_digest"].where(frame["clock"] == "wall", "another"))
    assert not list(on_both_clocks(selections(other, records), style_of(other)))


def test_the_table_tells_the_cells_of_a_sweep_apart(records: list[Record]) -> None:
    cell = frame_of(records[:1]).iloc[:1]
    both = pandas.concat([cell.assign(**{"dial.pools": pools}) for pools in (1.0, 100.0)], ignore_index=True)
    told = list(told_apart(both)["told"])
    assert [text.partition(" tx")[2] for text in told] == [", pools=1", ", pools=100"]


def small_and_newer(record: Record, day: int, **request: Any) -> Record:
    """A run of one cell that was made later, with something else than usual."""
    made = on_day(record, day)
    made["request"] |= request
    made["cells"] = [made["cells"][-1]]
    for cell in made["cells"]:
        cell["dials"] |= request.get("dials") or {}
    return made


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": "datacenter"}, "1 cell of payments in blocks of 12 transactions, network datacenter"),
        ({"dials": {"accounts": 7}}, "1 cell of payments with accounts=7"),
    ],
)
def test_an_unrelated_newer_record_does_not_overturn_the_headline(
    records: list[Record], tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    virtual = records[7]
    (before,) = which(selections(frame_of([virtual]), [virtual]))
    both = [virtual, *written(tmp_path, [small_and_newer(virtual, 9, **change)])]
    (selected,) = selections(frame_of(both), both)
    assert set(selected.plain["record"]) == {virtual["id"]}
    (after,) = which([selected])
    assert after.headline == before.headline
    assert after.points[:-1] == before.points
    assert words in after.points[-1]


def test_what_has_more_strategies_answers_then_what_has_default_dials(records: list[Record], tmp_path: Path) -> None:
    wall = records[6]
    turned = on_day(wall, 9)
    turned["request"] |= {"dials": {"accounts": 7}}
    for cell in turned["cells"]:
        cell["dials"] |= {"accounts": 7}
    fuller = copy.deepcopy(turned)
    fuller["cells"] += [{**copy.deepcopy(fuller["cells"][1]), "strategy": "sharded"}]
    for other, expected in ((turned, wall), (fuller, fuller)):
        both = [wall, *written(tmp_path / other["id"] / str(len(other["cells"])), [other])]
        (selected,) = selections(frame_of(both), both)
        assert set(selected.plain["record"]) == {expected["id"]}
        assert ("default dials" in selected.setting) == (expected is wall)


def test_every_answer_names_its_setting_and_how_sure_it_is(records: list[Record]) -> None:
    found = list(which(selections(frame_of(records), records)))
    assert [answer.simulated for answer in found] == [False, True]
    for answer in found:
        assert "blocks of 12 transactions" in answer.headline
        assert all("blocks of 12 transactions" in point for point in answer.points if "serial" in point)
        assert ("simulated worker" in answer.headline) == answer.simulated
        assert answer.doubt
    text, _ = render(records, "contend report x")
    assert text.count("How sure:") >= 2


def test_warnings_stand_beside_the_headline(records: list[Record]) -> None:
    (selected,) = selections(frame_of(records[:1]), records[:1])
    warnings: list[list[str]] = [["unstable: a", "unstable: b"], *([] for _ in range(len(selected.plain) - 1))]
    cells = selected.plain.assign(warnings=pandas.Series(warnings, index=selected.plain.index))
    (answer,) = which([type(selected)(selected.clock, cells, selected.sweeps, selected.commands)])
    assert answer.doubt.startswith(f"unstable (1 of {len(cells)} cells)")


def test_an_unrelated_newer_record_does_not_hide_what_got_slower(records: list[Record], tmp_path: Path) -> None:
    (newer,) = written(tmp_path, [small_and_newer(records[6], 9, dials={"accounts": 7})])
    every = [*records[:5], newer]
    (answer,) = slower(every, [])
    assert records[4]["id"] in answer.headline


def test_charts_show_the_newest_measurement_of_each_cell(records: list[Record]) -> None:
    frame = frame_of(records)
    wall, virtual = selections(frame, records)
    assert set(wall.plain["record"]) == {records[6]["id"]}
    assert set(virtual.plain["record"]) == {records[7]["id"]}
    shown = {one.name: one for one in report_figures(wall, style_of(frame))}
    data = shown["throughput-wall"].data
    newest = {(cell["strategy"], cell["workers"]): cell["tx_per_second"] for cell in records[6]["cells"]}
    assert {(row.strategy, row.workers): row.tx_per_second for row in data.itertuples()} == newest
    assert shown["speedup-wall"].commands == (command_of(records[6]),)


def test_the_command_of_a_record_asks_for_the_same_again(records: list[Record]) -> None:
    record = copy.deepcopy(records[0])
    record["request"] |= {"dials": {"pools": 3}, "sweep": ["hops", [1, 2]], "repeat": 3, "clock": "virtual"}
    command = command_of(record)
    assert "--set pools=3" in command
    assert "--sweep hops=1,2" in command
    assert "--repeat 3" in command
    assert "--clock virtual" in command
    assert "--timeout" not in command


def test_the_same_records_give_the_same_page_that_asks_for_nothing(records: list[Record], tmp_path: Path) -> None:
    first, second = (render(order, "contend report x")[0] for order in (records, records[::-1]))
    assert first == second
    for name in ("src", "href"):
        links = re.findall(rf'\b{name}="([^"]*)"', first)
        assert all(link.startswith(("#", "data:")) for link in links), f"{name} leaves the page"
    assert "@import" not in first
    assert len(first) < 3_000_000
    page = write_report(records, tmp_path / "out", "contend report x")
    assert page.read_text() == first
    data = pandas.read_csv(tmp_path / "out" / "data" / "speedup-virtual.csv")
    assert set(data["record"]) == {records[7]["id"]}
    every = pandas.read_csv(tmp_path / "out" / "data" / "cells.csv")
    assert len(every) == sum(len(record["cells"]) for record in records)
    assert {"workload", "strategy", "workers", "speedup", "speedup_low", "speedup_high"} <= set(every)


def test_simulated_figures_are_marked_wherever_they_are(records: list[Record]) -> None:
    text, shown = render(records, "contend report x")
    assert any(one.simulated for one in shown)
    for one in shown:
        figure = text[text.index(f'<figure id="{one.name}"') :].partition("</h3>")[0]
        assert ("simulated" in figure) == one.simulated, one.name
    only_wall, _ = render(records[:1], "contend report x")
    assert '<span class="simulated">' not in only_wall


def test_a_block_of_which_most_transactions_fail_is_marked_wherever_it_is(
    records: list[Record], tmp_path: Path
) -> None:
    record = copy.deepcopy(records[0])
    workload = record["cells"][0]["workload"]
    for cell in record["cells"]:
        if cell["workload"] == workload:
            cell["failed_transactions"] = cell["transactions"] - 1
    every = selections(frame_of(written(tmp_path, [record])), [record])
    which = next(answers(every, [record], []))
    assert f"On {workload} most transactions fail" in which.headline
    assert any(point.startswith(f"{workload} (most transactions fail), ") for point in which.points)
    drawn = {figure.name: figure for figure in report_figures(every[0], style_of(every[0].plain))}
    for name in ("throughput-wall", "speedup-wall"):
        captions = drawn[name].captions
        assert [f"{workload} (most transactions fail): " in caption for caption in captions] == [
            caption.startswith(workload) for caption in captions
        ]
        assert "(most transactions fail)" in drawn[name].pictures[0]


def test_several_blocks_are_told_by_their_spread(records: list[Record], tmp_path: Path) -> None:
    wall = copy.deepcopy(records[0])
    (first, *_) = wall["cells"]
    own = [cell for cell in wall["cells"] if cell["workload"] == first["workload"]]
    for record in (wall,):
        record["cells"] = [
            copy.deepcopy(cell) | {"workload": f"replay:{block}", "dials": {"file": f"{block}.json"}}
            for block in (7, 8, 9)
            for cell in own
        ]
    (answer,) = which(selections(frame_of([wall]), [wall]))
    assert "in the middle of 3 blocks" in answer.headline
    assert "Best on so many of them: " in answer.headline
    assert "transactions" not in answer.headline
    assert all(point.startswith("Over 3 blocks: ") for point in answer.points)
    page = write_report([wall], tmp_path / "page", "contend report").read_text(encoding="utf-8")
    assert "Spread over blocks" in page
    assert (tmp_path / "page" / "data" / "blocks-wall.csv").is_file()


def test_a_failed_cell_is_told_first_and_has_no_figure(records: list[Record], tmp_path: Path) -> None:
    record = copy.deepcopy(records[0])
    cell = next(cell for cell in record["cells"] if cell["strategy"] == "block_stm")
    cell |= {"samples": [], "verified": False, "error": "differs from the serial result", "differences": ["slot <7>"]}
    text, _ = render(written(tmp_path, [record]), "contend report x")
    assert "1 cell FAILED" in text
    assert text.index("differs from the serial result") < text.index('id="summary"')
    assert "slot &lt;7&gt;" in text


@pytest.mark.parametrize("content", [None, "{", json.dumps({"schema": "contend-record/99"})])
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path: Path, content: str | None) -> None:
    place = tmp_path / "record.json"
    if content is not None:
        place.write_text(content)
    found = CliRunner().invoke(main, ["report", str(place), "-o", str(tmp_path / "out")])
    assert found.exit_code == 2
    assert found.output.count("\n") == 1
    assert "record.json" in found.output
    assert not (tmp_path / "out").exists()


def test_records_without_cells_are_refused(tmp_path: Path) -> None:
    found = CliRunner().invoke(main, ["report", str(tmp_path), "-o", str(tmp_path / "out")])
    assert found.exit_code == 2
    assert found.output.count("\n") == 1
    assert "no record" in found.output
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with launch(tmp_path_factory.mktemp("profile")) as one:
            yield one
    except BrowserMissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, records: list[Record]) -> Path:
    """As the command makes it, with the timeline of a small simulated block."""
    folder = tmp_path_factory.mktemp("report")
    place = folder / "records"
    written(place, records)
    found = CliRunner().invoke(main, ["report", str(place), "-o", str(folder / "out")])
    assert found.exit_code == 0, found.output
    return folder / "out" / "index.html"


@pytest.fixture
def shown(browser: Browser, page: Path) -> Browser:
    browser.resize(1280, 900)
    browser.media()
    browser.open(page)
    return browser


def test_the_page_opens_without_a_message_or_a_request(shown: Browser) -> None:
    assert shown.messages() == []
    assert shown.requests() == []
    assert shown.driver.title == "Contend report"


def test_every_chart_is_visible_and_described(shown: Browser) -> None:
    boxes = shown.boxes(".chart .picture > svg")
    assert len(boxes) >= 6
    assert all(width > 200 and height > 100 for width, height in boxes)
    names = shown.run("return [...document.querySelectorAll('.chart')].map(one => one.id)")
    assert {"throughput-wall", "speedup-virtual", "history-wall", "timeline"} <= set(names)
    texts = shown.run("return [...document.querySelectorAll('.picture > svg')].map(one => one.ariaLabel)")
    assert all(re.search(r"\d", text) for text in texts), "words without a figure"
    links = shown.run("return [...document.querySelectorAll('figure a[download]')].map(one => one.href)")
    assert len(links) == len(names)


@pytest.mark.parametrize("by_key", [False, True])
def test_tables_sort_by_the_column_that_is_asked_for(shown: Browser, by_key: bool) -> None:
    heading = "th:nth-child(6)"
    column = "return [...document.querySelectorAll('td:nth-child(6)')].map(one => Number(one.dataset.value))"

    def ask() -> str:
        if by_key:
            shown.press(f"{heading} button", "\ue007")
        else:
            shown.run(f"document.querySelector('{heading} button').click()")
        return str(shown.run(f"return document.querySelector('{heading}').ariaSort"))

    before = shown.run(column)
    assert before not in (sorted(before), sorted(before, reverse=True))
    assert ask() == "descending"
    assert shown.run(column) == sorted(before, reverse=True)
    assert ask() == "ascending"
    assert shown.run(column) == sorted(before)
    assert shown.run("return document.querySelectorAll('th[aria-sort]').length") == 1


def test_dark_is_what_the_system_says_until_the_reader_says_otherwise(shown: Browser) -> None:
    def lightness() -> tuple[int, int]:
        script = (
            "const light = text => text.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);"
            "const letters = document.querySelector('.picture svg text');"
            "return [light(getComputedStyle(document.body).backgroundColor), light(getComputedStyle(letters).fill)]"
        )
        paper, ink = shown.run(script)
        return int(paper), int(ink)

    paper, ink = lightness()
    assert paper > 600 > 200 > ink
    shown.media(scheme="dark")
    paper, ink = lightness()
    assert paper < 200 < 600 < ink
    shown.run("document.getElementById('theme').click()")
    paper, ink = lightness()
    assert paper > 600 > 200 > ink


def test_a_phone_scrolls_down_only(shown: Browser) -> None:
    shown.resize(390, 844, phone=True)
    assert shown.sticking_out() == []
    assert all(width <= 390 for width, _ in shown.boxes(".chart"))


def test_print_leaves_out_what_is_pressed(shown: Browser, tmp_path: Path) -> None:
    shown.media(scheme="dark", kind="print")
    assert shown.run("return getComputedStyle(document.getElementById('theme')).display") == "none"
    assert shown.run("return getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert shown.run("return getComputedStyle(document.querySelector('.scroll')).display") == "none"
    assert shown.run("return getComputedStyle(document.querySelector('.on-paper')).display") == "inline"
    # No heading is parted from its chart.
    assert shown.run("return document.querySelectorAll('figure.chart').length") == shown.run(
        "return document.querySelectorAll('figure.chart > .lead > h3 ~ .pictures').length"
    )
    shown.print_to(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").stat().st_size > 50_000


def test_a_report_takes_the_place_of_a_report_only(tmp_path: Path) -> None:
    records = [read(OLD / "1-wall.json")]
    page = write_report(records, tmp_path / "mine", "again")
    (page.parent / "data" / "stale.csv").touch()
    assert write_report(records, tmp_path / "mine", "again") == page
    assert not (page.parent / "data" / "stale.csv").exists()
    for name, folder in (("index.html", "site"), ("data/thesis.csv", "study")):
        theirs = tmp_path / folder / name
        theirs.parent.mkdir(parents=True)
        theirs.write_text("years of work")
        found = CliRunner().invoke(main, ["report", str(OLD / "1-wall.json"), "-o", str(tmp_path / folder)])
        assert found.exit_code == 2
        assert "is there and not of a report; choose another folder with -o" in found.stderr
        assert theirs.read_text() == "years of work"
        assert len(list((tmp_path / folder).iterdir())) == 1
