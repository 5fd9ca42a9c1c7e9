"""The short form of the campaign: every process, every kind of fault and every server once, on both installations."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from tests.kill_anywhere.campaign import Campaign, Report
from tests.kill_anywhere.injection import Injection, Victim, cells, rounds, short
from tests.kill_anywhere.installation import installed
from tests.kill_anywhere.points import Role
from tests.kill_anywhere.summary import summary
from tests.peers.postgres import postgres_programs

pytestmark = [pytest.mark.slow, pytest.mark.interop, pytest.mark.timeout(600)]

SEED = 3
INJECTIONS, EMBEDDED_INJECTIONS = 48, 14
# Of the points that depend on a second thing going wrong, one or the other may not come by in time.
MISSES = 4


@pytest.fixture(autouse=True)
def _peers() -> None:
    for program in ("Orthanc", "redis-server"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if postgres_programs() is None:
        pytest.skip("PostgreSQL (initdb) is not installed")


def campaign(folder: Path, injections: int, *, embedded: bool) -> Report:
    with installed(folder, embedded=embedded) as installation:
        chosen = short(cells(installation.victims), injections, SEED)
        report = Campaign(installation, SEED).run(rounds(chosen, injections, SEED))
        assert installation.processes.terminate(30) == [], "expected every process to end on SIGTERM"
    print(summary(report))
    return report


def assert_kept(report: Report, least: int) -> None:
    text = summary(report)
    assert report.verdict.kept, text
    assert len(report.injected) >= least, text
    assert all(outcome.recovery_s is not None for outcome in report.injected), text
    assert not [doubt for outcome in report.outcomes for doubt in outcome.doubts], text
    assert not report.unexpected_exits, text


def test_what_was_acknowledged_is_delivered_once_whatever_is_killed_cut_filled_or_frozen(tmp_path: Path) -> None:
    report = campaign(tmp_path, INJECTIONS, embedded=False)
    assert_kept(report, INJECTIONS - MISSES)
    assert {outcome.injection.point.role for outcome in report.injected if outcome.injection.hits_process} == set(Role)


def test_the_embedded_default_keeps_the_same_promise(tmp_path: Path) -> None:
    assert_kept(campaign(tmp_path, EMBEDDED_INJECTIONS, embedded=True), EMBEDDED_INJECTIONS - MISSES)


def test_the_short_form_shows_every_fault_of_every_victim_and_every_process() -> None:
    everything = cells(list(Victim))
    chosen = short(everything, INJECTIONS, SEED)
    assert faults(chosen) == faults(everything)
    assert {one.point.role for one in chosen if one.hits_process} == set(Role)


def test_a_round_waits_for_no_point_twice_and_hits_no_process_twice() -> None:
    everything = cells(list(Victim))
    for together in rounds(everything, len(everything), 1):
        points = [one.point.key for one in together]
        processes = [one.point.role.process for one in together if one.hits_process]
        assert len(set(points)) == len(points)
        assert len(set(processes)) == len(processes)


def test_the_same_seed_gives_the_same_rounds_and_every_cell_comes_once_before_any_comes_twice() -> None:
    everything = cells(list(Victim))
    first, second = (list(rounds(everything, len(everything) + 20, 11)) for _ in range(2))
    assert first == second
    assert len(set(chain.from_iterable(first))) == len(everything)


def faults(injections: Sequence[Injection]) -> set[tuple[str, str]]:
    return {(one.victim, one.fault) for one in injections}
