"""The doctor: every check sees in files and timings what is there, says what to do, and knows what it does not know."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from contend.harness.cli import main
from contend.harness.doctor import cgroup, cores, frequency, interference, memory, microbench, platform
from contend.harness.doctor.counters import Counters
from contend.harness.doctor.disk import DiskSpeed, disk
from contend.harness.doctor.files import Files, cpu_list
from contend.harness.doctor.finding import BAD, DOUBTFUL, OK, UNKNOWN, Finding, worst
from contend.harness.doctor.microbench import MicrobenchResult
from contend.harness.doctor.report import as_json, print_findings
from contend.harness.doctor.run_checks import run_checks

QUIET = MicrobenchResult(np.full(900, 5e-4), np.full(4, 0.06), np.full(4, 0.061), 2)
CALM = Counters(moment=100.0, own=10.0, busy=500.0, stolen=5.0, swapped=7, throttled=3, hot=0)
LATER = replace(CALM, moment=102.0, own=12.0, busy=502.02)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path


def put(tree: Path, path: str, text: str) -> None:
    place = tree / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def verdict(finding: Finding | None) -> str:
    assert finding is not None
    # Whoever is told that something is wrong is told what to do.
    assert bool(finding.advice) or finding.verdict in (OK, UNKNOWN)
    return finding.verdict


def test_wall_clock_runs_under_way() -> None:
    assert verdict(interference.wall_clock_runs([])) == OK
    found = interference.wall_clock_runs([{"process": 12, "began": "2026-01-02T03:04:05.678+00:00", "ended": None}])
    assert verdict(found) == BAD
    assert found.found == "under way: process 12, since 03:04:05 UTC"


def test_cores() -> None:
    assert verdict(cores.core_count(8, 2)) == OK
    assert verdict(cores.core_count(2, 2)) == DOUBTFUL
    assert verdict(cores.core_count(2, 3)) == BAD
    assert "at most 2" in cores.core_count(2, 3).advice


def test_quota_of_both_versions_and_of_the_groups_around(tree: Path) -> None:
    assert verdict(cores.quota(Files(tree), 2)) == OK
    put(tree, "/proc/self/cgroup", "0::/user/mine\n")
    put(tree, "/sys/fs/cgroup/user/mine/cpu.max", "max 100000")
    assert cgroup.quota_cores(Files(tree)) is None
    put(tree, "/sys/fs/cgroup/user/cpu.max", "150000 100000")
    assert cgroup.quota_cores(Files(tree)) == 1.5
    assert verdict(cores.quota(Files(tree), 2)) == BAD
    assert verdict(cores.quota(Files(tree), 1)) == DOUBTFUL
    put(tree, "/proc/self/cgroup", "4:cpu,cpuacct:/box\n0::/\n")
    put(tree, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "400000")
    put(tree, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000")
    assert cgroup.quota_cores(Files(tree)) == 4.0


def test_threads_of_one_core(tree: Path) -> None:
    assert verdict(cores.siblings(Files(tree), {0, 1})) == UNKNOWN
    for cpu, group in enumerate(("0,2", "1,3", "0,2", "1,3")):
        put(tree, f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", group)
    shared = cores.siblings(Files(tree), {0, 1, 2, 3})
    assert verdict(shared) == DOUBTFUL
    assert "taskset -c 0,1" in shared.advice
    assert verdict(cores.siblings(Files(tree), {0, 1})) == OK
    assert cpu_list("0-3,8, 10-11") == [0, 1, 2, 3, 8, 10, 11]


def test_nodes(tree: Path) -> None:
    put(tree, "/sys/devices/system/node/node0/cpulist", "0-3")
    assert cores.nodes(Files(tree)) is None
    put(tree, "/sys/devices/system/node/node1/cpulist", "4-7")
    assert verdict(cores.nodes(Files(tree))) == DOUBTFUL


def test_frequency(tree: Path) -> None:
    assert verdict(frequency.governor(Files(tree))) == UNKNOWN
    assert verdict(frequency.turbo(Files(tree))) == UNKNOWN
    put(tree, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n")
    put(tree, "/sys/devices/system/cpu/cpufreq/boost", "1\n")
    assert verdict(frequency.governor(Files(tree))) == OK
    assert verdict(frequency.turbo(Files(tree))) == DOUBTFUL
    put(tree, "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n")
    put(tree, "/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n")
    assert verdict(frequency.governor(Files(tree))) == DOUBTFUL
    assert verdict(frequency.turbo(Files(tree))) == OK


def test_drift_and_heat() -> None:
    assert verdict(frequency.drift(QUIET)) == OK
    slower = replace(QUIET, pieces=np.linspace(5e-4, 6e-4, 900))
    assert verdict(frequency.drift(slower)) == BAD
    assert slower.drift == pytest.approx(0.129, abs=0.003)
    assert verdict(frequency.heat(CALM, LATER)) == OK
    assert verdict(frequency.heat(CALM, replace(LATER, hot=2))) == BAD
    assert frequency.heat(CALM, replace(LATER, hot=None)) is None


def test_jitter_and_slowdown() -> None:
    assert verdict(interference.jitter(QUIET)) == OK
    pieces = QUIET.pieces.copy()
    pieces[:3] *= 100
    assert verdict(interference.jitter(replace(QUIET, pieces=pieces))) == OK, (
        "three of 900 are less than one in a hundred"
    )
    pieces[:20] *= 1.3
    assert verdict(interference.jitter(replace(QUIET, pieces=pieces))) == DOUBTFUL
    pieces[:20] *= 4
    assert verdict(interference.jitter(replace(QUIET, pieces=pieces))) == BAD
    assert verdict(interference.slowdown(QUIET)) == OK
    assert verdict(interference.slowdown(replace(QUIET, together=np.full(4, 0.08)))) == DOUBTFUL
    assert verdict(interference.slowdown(replace(QUIET, together=np.full(4, 0.12)))) == BAD
    assert interference.slowdown(replace(QUIET, cores=1)) is None


def test_others_want_the_cores() -> None:
    assert verdict(interference.others(CALM, LATER)) == OK
    busy = interference.others(CALM, replace(LATER, busy=503.5))
    assert verdict(busy) == BAD
    assert busy.figures["cores"] == pytest.approx(0.75)
    assert verdict(interference.steal(CALM, LATER)) == OK
    stolen = interference.steal(CALM, replace(LATER, stolen=5.1))
    assert verdict(stolen) == BAD
    assert stolen.figures["share"] == pytest.approx(0.1 / 2.12)
    assert verdict(interference.throttling(CALM, LATER)) == OK
    assert verdict(interference.throttling(CALM, replace(LATER, throttled=4))) == BAD
    assert [verdict(interference.load(load, 4)) for load in (0.1, 2.5, 9.0)] == [OK, DOUBTFUL, BAD]
    blind = replace(CALM, busy=None, stolen=None, throttled=None)
    assert verdict(interference.others(blind, blind)) == verdict(interference.steal(blind, blind)) == UNKNOWN
    assert interference.throttling(blind, blind) is None


def test_memory(tree: Path) -> None:
    assert memory.available(Files(tree)) is None
    assert memory.swap(Files(tree), CALM, LATER) is None
    assert memory.huge_pages(Files(tree)) is None
    put(
        tree,
        "/proc/meminfo",
        "MemTotal: 9999999 kB\nMemAvailable: 8388608 kB\nSwapTotal: 2097152 kB\nSwapFree: 2097152 kB",
    )
    assert verdict(memory.available(Files(tree))) == OK
    assert verdict(memory.swap(Files(tree), CALM, LATER)) == OK
    assert verdict(memory.swap(Files(tree), CALM, replace(LATER, swapped=9))) == BAD
    put(tree, "/proc/self/cgroup", "0::/box\n")
    put(tree, "/sys/fs/cgroup/box/memory.max", str(3 << 30))
    put(tree, "/sys/fs/cgroup/box/memory.current", str(2 << 30))
    assert verdict(memory.available(Files(tree))) == DOUBTFUL
    put(tree, "/proc/meminfo", "MemAvailable: 102400 kB\nSwapTotal: 2097152 kB\nSwapFree: 1048576 kB\n")
    assert verdict(memory.available(Files(tree))) == BAD
    assert verdict(memory.swap(Files(tree), CALM, LATER)) == DOUBTFUL
    put(tree, "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never")
    assert verdict(memory.huge_pages(Files(tree))) == OK
    put(tree, "/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never")
    assert verdict(memory.huge_pages(Files(tree))) == DOUBTFUL


def test_surroundings(tree: Path) -> None:
    assert platform.guest(Files(tree)) is None
    assert platform.container(Files(tree)) is None
    assert platform.battery(Files(tree)) is None
    put(tree, "/proc/cpuinfo", "model name : x\nflags : fpu sse2\n")
    assert verdict(platform.guest(Files(tree))) == OK
    put(tree, "/proc/cpuinfo", "model name : x\nflags : fpu sse2 hypervisor\n")
    assert verdict(platform.guest(Files(tree))) == DOUBTFUL
    put(tree, "/proc/self/cgroup", "0::/kubepods/burstable/pod1\n")
    inside = platform.container(Files(tree))
    assert inside is not None
    assert inside.found.startswith("yes")
    put(tree, "/sys/class/power_supply/AC/type", "Mains")
    put(tree, "/sys/class/power_supply/AC/online", "0")
    assert verdict(platform.battery(Files(tree))) == BAD
    put(tree, "/sys/class/power_supply/AC/online", "1")
    assert verdict(platform.battery(Files(tree))) == OK
    put(tree, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet")
    slow = platform.timer(Files(tree))
    assert slow.verdict != OK
    assert "tsc" in slow.advice


def test_counters_are_read(tree: Path) -> None:
    empty = Counters.now(Files(tree), {0, 2})
    assert (empty.busy, empty.stolen, empty.swapped, empty.throttled, empty.hot) == (None,) * 5
    put(
        tree,
        "/proc/stat",
        "cpu  1 1 1 1 1 1 1 1\ncpu0 100 10 50 9000 7 3 2 40 5 5\ncpu1 9 9 9 9 9 9 9 9\ncpu2 1 0 0 4 0 0 0 2 0 0\n",
    )
    put(tree, "/proc/vmstat", "pgfault 9\npswpin 3\npswpout 4\n")
    put(tree, "/proc/self/cgroup", "0::/box\n")
    put(tree, "/sys/fs/cgroup/box/cpu.stat", "usage_usec 5\nnr_periods 10\nnr_throttled 6\n")
    for cpu in range(2):
        put(tree, f"/sys/devices/system/cpu/cpu{cpu}/thermal_throttle/core_throttle_count", "2")
    found = Counters.now(Files(tree), {0, 2})
    tick = os.sysconf("SC_CLK_TCK")
    assert found.busy == pytest.approx((100 + 10 + 50 + 3 + 2 + 1) / tick)
    assert found.stolen == pytest.approx((40 + 2) / tick)
    assert (found.swapped, found.throttled, found.hot) == (7, 6, 4)


def test_equal_pieces_of_work_are_timed() -> None:
    found = microbench.measure(2, seconds=0.05)
    assert len(found.pieces) >= 1
    assert len(found.alone) == len(found.together) == microbench.ROUNDS
    assert found.percentile(50) <= found.percentile(99) <= found.percentile(100)
    assert min(found.alone.min(), found.together.min()) > found.pieces.min() > 0


def test_where_the_system_tells_nothing_timings_still_do(tree: Path) -> None:
    findings = run_checks(1, Files(tree), lambda cores: replace(QUIET, cores=cores))
    names = {finding.check for finding in findings}
    assert {"jitter", "drift", "cores", "load", "timer"} <= names
    assert not {"swap", "memory", "heat", "container", "virtual machine"} & names


def test_the_disk_is_measured_and_io_uring_told() -> None:
    fast = disk(lambda folder: DiskSpeed(20_000, 70_000, 32))
    assert [finding.verdict for finding in fast] == [OK, OK]
    assert "70,000 with 32 under way" in fast[0].found
    forbidden = disk(
        lambda folder: DiskSpeed(20_000, None, 32, "the system gives no io_uring: Operation not permitted")
    )
    assert [finding.verdict for finding in forbidden] == [OK, DOUBTFUL]
    assert "Operation not permitted" in forbidden[1].found
    assert disk(lambda folder: DiskSpeed(20_000, 21_000, 32))[0].verdict == DOUBTFUL

    def broken(folder: Path) -> DiskSpeed:
        raise OSError("no such device")

    assert [(one.check, one.verdict) for one in disk(broken)] == [("disk", UNKNOWN)]


def test_the_worst_verdict() -> None:
    assert worst([]) == OK
    assert worst([Finding("a", "", UNKNOWN), Finding("b", "")]) == UNKNOWN
    assert worst([Finding("a", "", BAD), Finding("b", "", DOUBTFUL)]) == BAD
    assert as_json([Finding("a", "x", BAD, "y", {"n": 1})], 2, {})["findings"] == [
        {"check": "a", "found": "x", "verdict": "bad", "advice": "y", "figures": {"n": 1}}
    ]


def test_the_command() -> None:
    shown = CliRunner().invoke(main, ["doctor", "--workers", "4096", "--json", "--strict"])
    assert shown.exit_code == 1, "no machine has 4,096 cores"
    content = json.loads(shown.stdout)
    assert content["schema"] == "contend-doctor/1"
    assert content["verdict"] == "bad"
    (found,) = [row for row in content["findings"] if row["check"] == "cores"]
    assert found["figures"]["workers"] == 4096
    plain = CliRunner().invoke(main, ["doctor", "--workers", "4096"])
    assert plain.exit_code == 0
    assert "--clock virtual" in plain.stdout
    assert CliRunner().invoke(main, ["doctor", "--workers", "0"]).exit_code == 2


@pytest.mark.parametrize("width", [30, 40, 71, 72, 120])
def test_every_word_is_there_however_narrow_the_terminal(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    found = Finding("load", "1.21 on 2 cores in the last minute", DOUBTFUL, "wait until the machine is quiet")
    print_findings(console, [found])
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    for word in ["load", "doubtful", "1.21", "minute", "wait", "quiet"]:
        assert word in text
