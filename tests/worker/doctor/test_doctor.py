"""`softray doctor`: says what is wrong, what it means and what to do, repairs what is safe, and may run twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from service.database import make_engine, make_session_factory, upgrade
from service.findings import Finding, Severity
from service.instance_store import Kind
from service.registry import jobs
from service.registry.instances import Verdict
from service.registry.remote_nodes import add_remote_node
from service.registry.tables import Instance, Job
from service.settings import Settings
from service.store_settings import open_store
from tests.service.registry.factories import facts, record
from worker.doctor.examination import examine, run_doctor


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(
        data_dir=tmp_path,
        min_free_bytes=0,
        disk_high_percent=100,
        disk_low_percent=100,
        dicom_port=1,
        api_port=1,
        model="no-such-model",
    )
    upgrade(made.effective_database_url)
    return made


@pytest.fixture
def sessions(settings: Settings) -> Iterator[object]:
    engine = make_engine(settings.effective_database_url)
    yield make_session_factory(engine)
    engine.dispose()


def findings(settings: Settings, *, repair: bool = False) -> dict[str, Finding]:
    """By code, without what is in order."""
    return {one.code: one for one in examine(settings, repair=repair) if one.severity is not Severity.OK}


def test_a_new_installation_has_nothing_wrong_but_its_model(settings: Settings) -> None:
    bad = {one.code for one in findings(settings).values() if one.severity is Severity.PROBLEM}
    assert len(bad) == 1
    assert next(iter(bad)).startswith("WEIGHTS")


def test_every_problem_says_what_it_means_and_what_to_do(settings: Settings, sessions) -> None:  # type: ignore[no-untyped-def]
    harm(settings, sessions)
    found = findings(settings)
    assert {"ORPHAN_FILES", "STORED_FILE_MISSING", "LEASES_EXPIRED", "NO_ECHO"} <= set(found)
    for one in found.values():
        if one.severity is Severity.PROBLEM:
            assert one.means
            assert one.do
            assert one.code in one.line()


def harm(settings: Settings, sessions) -> None:  # type: ignore[no-untyped-def]
    """A file without a row, a row without its file (which is in lost+found), a dead worker, a dead archive."""
    store = open_store(settings)
    orphan = store.keep(Kind.SOURCE, [b"no row"])
    os.utime(store.resolve(orphan.path), (1, 1))
    lost = store.keep(Kind.SOURCE, [b"no file"])
    aside = store.root / "lost+found" / lost.path
    aside.parent.mkdir(parents=True)
    store.resolve(lost.path).rename(aside)
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    with sessions.begin() as session:
        record(session, facts(), reason_code="NOT_CHEST", sha256=lost.sha256)
        session.execute(update(Instance).values(path=lost.path))
        kept = store.keep(Kind.SOURCE, [b"in a worker's hands"])
        job_id = record(session, facts(), verdict=Verdict(), sha256=kept.sha256, now=long_ago).job_id
        session.execute(update(Instance).where(Instance.sha256 == kept.sha256).values(path=kept.path))
        assert job_id is not None
        assert jobs.claim(session, job_id, owner="killed", lease_s=30.0, now=long_ago)
        add_remote_node(
            session,
            name="archive",
            ae_title="ARCHIVE",
            host="127.0.0.1",
            port=1,
            may_send=False,
            receives_results=True,
            now=long_ago,
        )


def test_repair_puts_right_what_is_safe_and_a_second_run_finds_it_so(settings: Settings, sessions) -> None:  # type: ignore[no-untyped-def]
    harm(settings, sessions)
    repaired = findings(settings, repair=True)
    assert all(repaired[code].repaired for code in ("ORPHAN_FILES", "STORED_FILE_MISSING", "LEASES_EXPIRED"))
    again = findings(settings, repair=True)
    assert not {"ORPHAN_FILES", "STORED_FILE_MISSING", "LEASES_EXPIRED"} & set(again)
    assert "LOST_AND_FOUND" in again  # nothing was deleted
    with sessions() as session:
        assert [job.state for job in session.query(Job)] == ["QUEUED"]


def test_repair_tells_what_came_back_from_what_is_lost(settings: Settings, sessions) -> None:  # type: ignore[no-untyped-def]
    harm(settings, sessions)
    gone = open_store(settings).keep(Kind.SOURCE, [b"gone for good"])
    open_store(settings).resolve(gone.path).unlink()
    with sessions.begin() as session:
        record(session, facts(), reason_code="NOT_CHEST", sha256=gone.sha256)
        session.execute(update(Instance).where(Instance.sha256 == gone.sha256).values(path=gone.path))
    back, lost = (one for one in examine(settings, repair=True) if one.code == "STORED_FILE_MISSING")
    assert back.repaired
    assert not lost.repaired
    assert gone.path in lost.found


def test_exit_code_and_json_say_the_same(settings: Settings, sessions, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    harm(settings, sessions)
    assert run_doctor(settings, as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["exit_code"] == 1
    assert {"code", "severity", "found", "means", "do", "repaired"} <= set(said["findings"][0])


def test_a_schema_of_another_release_is_named_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    old = Settings(data_dir=tmp_path, min_free_bytes=0, dicom_port=1, api_port=1)
    (tmp_path / "softray.sqlite3").touch()
    found = findings(old)
    assert "softray migrate" in found["SCHEMA_NOT_CURRENT"].found
    assert "REGISTRY_NOT_READABLE" in found or "REGISTRY_UNAVAILABLE" in found
    assert "NOT_LISTENING" in found


def test_a_registry_that_is_not_there_is_named_and_nothing_is_made_in_its_place(tmp_path: Path) -> None:
    elsewhere = Settings(data_dir=tmp_path / "mistyped")
    found = findings(elsewhere)
    assert "SOFTRAY_DATA_DIR" in found["REGISTRY_MISSING"].do
    assert not elsewhere.data_dir.exists()


def test_a_full_disk_is_named_with_what_to_do(settings: Settings) -> None:
    full = settings.model_copy(update={"min_free_bytes": 1 << 60})
    assert "retention" in findings(full)["DISK_LOW"].do
