"""What softray had committed to before retention was there stays committed to."""

from __future__ import annotations

from datetime import UTC, datetime

from alembic import command
from sqlalchemy import text

from service.database import make_engine, make_session_factory, migration_config, schema_change, transaction, upgrade
from service.registry.tables import Instance

REPORTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROMISES = (
    "INSERT INTO commitment_promises (id, transaction_uid, remote_node_id, requested, duplicate, attempts,"
    " fencing_token, created_at, reported_at) VALUES (:id, :uid, 1, :requested, false, 1, 1, :at, :reported)"
)
INSTANCE = (
    "INSERT INTO instances (id, series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256,"
    " size_bytes, calling_ae_title, received_at, eligible) VALUES (:id, 1, :uid, '1.2', '1.2', 'p', 's', 8, 'X',"
    " :at, true)"
)
NODE = (
    "INSERT INTO remote_nodes (id, name, ae_title, host, port, may_send, receives_results, tls, requests_commitment,"
    " verifies, failures_in_a_row, created_at) VALUES (1, 'x', 'X', 'h', 1, true, false, false, false, false, 0, :at)"
)


def test_instances_that_were_committed_to_are_kept_from_retention(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0004")
    engine = make_engine(empty_database_url)
    at = REPORTED.replace(tzinfo=None) if engine.dialect.name == "sqlite" else REPORTED
    with engine.begin() as connection:
        connection.execute(text(NODE), {"at": at})
        connection.execute(text("INSERT INTO studies VALUES (1, '1.1', :at, :at)"), {"at": at})
        connection.execute(text("INSERT INTO series (id, study_id, series_instance_uid) VALUES (1, 1, '1.1.1')"))
        for number in range(1, 5):
            connection.execute(text(INSTANCE), {"id": number, "uid": f"2.25.{number}", "at": at})
        told = {"id": 1, "uid": "1.1", "requested": "1.2=2.25.1\n1.2=2.25.2", "at": at, "reported": at}
        asked = {"id": 2, "uid": "1.2", "requested": "1.2=2.25.3", "at": at, "reported": None}
        for promise in (told, asked):
            connection.execute(text(PROMISES), promise)
    upgrade(empty_database_url)
    with transaction(make_session_factory(engine)) as session:
        promised = {row.sop_instance_uid: row.promised_at for row in session.query(Instance)}
    assert promised == {"2.25.1": REPORTED, "2.25.2": REPORTED, "2.25.3": None, "2.25.4": None}
    with schema_change(engine) as connection:
        config = migration_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
    upgrade(empty_database_url)
    engine.dispose()
