"""An installation that has worked goes on: what it derived and delivered is still known, and can still be sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import Connection, text

from service.database import make_engine, make_session_factory, migration_config, schema_change, transaction, upgrade
from service.registry import deliveries, queries
from service.registry.due_jobs import due_jobs
from service.registry.job_states import DeliveryState, JobPurpose, JobState
from service.registry.result_kinds import ResultKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRESENTATION, PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1.1"


def insert(connection: Connection, table: str, **values: object) -> None:
    columns = ", ".join(values)
    connection.execute(
        text(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(':' + name for name in values)})"), values
    )


def job(connection: Connection, number: int, state: str, sop_class: str = PRESENTATION) -> None:
    """An instance and its job, derived unless it is queued."""
    at = NOW.replace(tzinfo=None) if connection.dialect.name == "sqlite" else NOW
    insert(
        connection,
        "instances",
        id=number,
        series_id=1,
        sop_instance_uid=f"2.25.3{number}",
        sop_class_uid=sop_class,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        path=f"source/aa/{number}.dcm",
        sha256="a" * 64,
        size_bytes=8,
        calling_ae_title="XRAY1",
        received_at=at,
        eligible=True,
    )
    derived = state != "QUEUED"
    insert(
        connection,
        "jobs",
        id=f"job-{number}",
        instance_id=number,
        state=state,
        attempts=1,
        fencing_token=1,
        step=0,
        total_steps=0,
        derived_sop_instance_uid=f"2.25.4{number}" if derived else None,
        derived_series_instance_uid="2.25.5" if derived else None,
        derived_path=f"derived/bb/{number}.dcm" if derived else None,
        derived_sha256="b" * 64 if derived else None,
        created_at=at,
        updated_at=at,
    )


def delivery(connection: Connection, number: int, state: str, status: int | None) -> None:
    at = NOW.replace(tzinfo=None) if connection.dialect.name == "sqlite" else NOW
    insert(
        connection,
        "deliveries",
        id=number,
        job_id=f"job-{number}",
        remote_node_id=1,
        state=state,
        attempts=1,
        fencing_token=1,
        dimse_status=status,
        updated_at=at,
    )


@pytest.fixture
def filled(empty_database_url: str) -> str:
    """A database of the first version: a delivered job, one on its way, one that waits for a worker."""
    upgrade(empty_database_url, "0001")
    with make_engine(empty_database_url).begin() as connection:
        at = NOW.replace(tzinfo=None) if connection.dialect.name == "sqlite" else NOW
        insert(
            connection,
            "remote_nodes",
            id=1,
            name="pacs",
            ae_title="PACS",
            host="127.0.0.1",
            port=104,
            may_send=False,
            receives_results=True,
            created_at=at,
        )
        insert(connection, "studies", id=1, study_instance_uid="2.25.1", first_received_at=at, last_received_at=at)
        insert(connection, "series", id=1, study_id=1, series_instance_uid="2.25.2", modality="DX")
        job(connection, 1, "DELIVERED", PROCESSING)
        delivery(connection, 1, "SENT", 0)
        job(connection, 2, "DERIVED")
        delivery(connection, 2, "PENDING", None)
        job(connection, 3, "QUEUED")
    return empty_database_url


def test_what_was_derived_and_sent_is_known_as_before(filled: str) -> None:
    upgrade(filled)
    with transaction(make_session_factory(make_engine(filled)), read_only=True) as session:
        done = queries.job_detail(session, "job-1")
    assert done is not None
    assert (done.summary.state, done.summary.purpose) == (JobState.DELIVERED, JobPurpose.SUPPRESS)
    [made] = done.results
    assert (made.kind, made.sop_instance_uid, made.path) == (ResultKind.SOFT_TISSUE, "2.25.41", "derived/bb/1.dcm")
    assert made.sop_class_uid == PRESENTATION
    [sent] = done.deliveries
    assert (sent.state, sent.dimse_status, sent.sop_instance_uid) == (DeliveryState.SENT, 0, "2.25.41")


def test_a_job_from_before_the_upgrade_is_finished_after_it(filled: str) -> None:
    upgrade(filled)
    sessions = make_session_factory(make_engine(filled))
    with transaction(sessions) as session:
        assert due_jobs(session, NOW, 10) == ["job-3"]
        claim = deliveries.claim_delivery(session, 2, owner="network", lease_s=30, now=NOW)
        assert claim is not None
        assert claim.result.path == "derived/bb/2.dcm"
        assert deliveries.delivery_sent(session, claim, status=0, now=NOW)
    with transaction(sessions, read_only=True) as session:
        finished = queries.job_detail(session, "job-2")
    assert finished is not None
    assert finished.summary.state is JobState.DELIVERED


def test_the_way_back_keeps_what_the_first_version_can_hold(filled: str) -> None:
    upgrade(filled)
    config = migration_config()
    engine = make_engine(filled)
    with schema_change(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, state, derived_path FROM jobs ORDER BY id")).all()
        sent = connection.execute(text("SELECT job_id, state FROM deliveries ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [
        ("job-1", "DELIVERED", "derived/bb/1.dcm"),
        ("job-2", "DERIVED", "derived/bb/2.dcm"),
        ("job-3", "QUEUED", None),
    ]
    assert [tuple(row) for row in sent] == [("job-1", "SENT"), ("job-2", "PENDING")]
