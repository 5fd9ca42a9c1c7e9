"""A registry that has worked for a while: as many finished images as asked, within seconds, written by SQL alone."""

from __future__ import annotations

from sqlalchemy import Engine, text

# One statement a table; row i of each belongs to image i. Of a hundred images 90 end COMMITTED, 5 DELIVERED, 3 FAILED
# and 2 REFUSED.
_STATE = (
    "CASE WHEN i % 100 < 90 THEN 'COMMITTED' WHEN i % 100 < 95 THEN 'DELIVERED'"
    " WHEN i % 100 < 98 THEN 'FAILED' ELSE 'REFUSED' END"
)
_ENDED_BADLY = "CASE WHEN i % 100 >= 95 THEN 'PIXELS_UNREADABLE' END"
_DIGEST = "'" + "a" * 64 + "'"
_TABLES: dict[str, dict[str, str]] = {
    "studies": {"study_instance_uid": "'2.25.81' || i", "first_received_at": ":at", "last_received_at": ":at"},
    "series": {"study_id": "i", "series_instance_uid": "'2.25.82' || i", "modality": "'DX'"},
    "instances": {
        "series_id": "i",
        "sop_instance_uid": "'2.25.83' || i",
        "sop_class_uid": "'1.2.840.10008.5.1.4.1.1.1.1'",
        "transfer_syntax_uid": "'1.2.840.10008.1.2.1'",
        "path": "'source/aa/' || i || '.dcm'",
        "sha256": _DIGEST,
        "size_bytes": "8000000",
        "calling_ae_title": "'MODALITY'",
        "irradiation_event_uid": "'2.25.84' || i",
        "received_at": ":at",
        "eligible": "true",
    },
    "jobs": {
        "instance_id": "i",
        "purpose": "'SUPPRESS'",
        "state": _STATE,
        "reason_code": _ENDED_BADLY,
        "attempts": "1",
        "announced_at": ":at",
        "fencing_token": "1",
        "step": "1",
        "total_steps": "1",
        "created_at": ":at",
        "updated_at": ":at",
    },
    "results": {
        "job_id": "'job-' || i",
        "kind": "'SOFT_TISSUE'",
        "sop_class_uid": "'1.2.840.10008.5.1.4.1.1.1.1'",
        "sop_instance_uid": "'2.25.85' || i",
        "series_instance_uid": "'2.25.86' || i",
        "path": "'derived/aa/' || i || '.dcm'",
        "sha256": _DIGEST,
        "created_at": ":at",
    },
    "commitment_requests": {
        "transaction_uid": "'2.25.87' || i",
        "remote_node_id": "1",
        "state": "'REPORTED'",
        "attempts": "1",
        "fencing_token": "2",
        "created_at": ":at",
        "requested_at": ":at",
        "reported_at": ":at",
        "updated_at": ":at",
    },
    "deliveries": {
        "job_id": "'job-' || i",
        "result_id": "i",
        "remote_node_id": "1",
        "commitment_request_id": "i",
        "state": "CASE WHEN i % 100 < 90 THEN 'COMMITTED' WHEN i % 100 < 95 THEN 'SENT' ELSE 'FAILED' END",
        "attempts": "1",
        "resends": "0",
        "sent_at": ":at",
        "announced_at": ":at",
        "fencing_token": "2",
        "dimse_status": "0",
        "reason_code": _ENDED_BADLY,
        "updated_at": ":at",
    },
    "job_events": {"job_id": "'job-' || i", "at": ":at", "event": "'queued'", "to_state": "'QUEUED'"},
    "commitment_promises": {
        "transaction_uid": "'2.25.88' || i",
        "remote_node_id": "1",
        "requested": "'1.2=2.25.83' || i",
        "duplicate": "false",
        "attempts": "1",
        "fencing_token": "1",
        "created_at": ":at",
        "reported_at": ":at",
        "closed_at": ":at",
    },
    "rejected_objects": {
        "received_at": ":at",
        "reason_code": "'DUPLICATE_UID'",
        "detail": "'other content'",
        "calling_ae_title": "'MODALITY'",
        "sha256": _DIGEST,
    },
}
FILLED_TABLES = frozenset(_TABLES)


def fill(engine: Engine, images: int) -> None:
    """Add `images` finished images to a registry that holds a remote node (id 1) and no image yet."""
    on_postgres = engine.dialect.name == "postgresql"
    # A second after another: pages are read in the order of time.
    at = (
        "TIMESTAMPTZ '2026-01-01 12:00:00+00' + i * INTERVAL '1 second'"
        if on_postgres
        else "datetime('2026-01-01 12:00:00', '+' || i || ' seconds')"
    )
    with engine.begin() as connection:
        for table, columns in _TABLES.items():
            row_id = "'job-' || i" if table == "jobs" else "i"
            values = ", ".join([row_id, *columns.values()]).replace(":at", at)
            connection.exec_driver_sql(
                f"INSERT INTO {table} (id, {', '.join(columns)}) WITH RECURSIVE n(i) AS"
                f" (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {images}) SELECT {values} FROM n".replace(
                    "%", "%%" if on_postgres else "%"
                )
            )
            if on_postgres and table != "jobs":
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {images})"))
    if on_postgres:  # autovacuum does so by itself, some time
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
