"""Add results of several kinds, storage commitment, encrypted and web destinations; keep what was derived so far.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC_TIME = sa.DateTime(timezone=True)
STATE = sa.String(length=16)
UID = sa.String(length=64)

FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"


def upgrade() -> None:
    with op.batch_alter_table("remote_nodes") as table:
        table.add_column(sa.Column("tls", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("url", sa.String(length=1000), nullable=True))
        table.add_column(sa.Column("token_file", sa.String(length=1000), nullable=True))
        table.add_column(sa.Column("requests_commitment", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("verifies", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("failures_in_a_row", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("paused_until", UTC_TIME, nullable=True))
    with op.batch_alter_table("remote_nodes") as table:
        for column in ("tls", "requests_commitment", "verifies", "failures_in_a_row"):
            table.alter_column(column, server_default=None)

    with op.batch_alter_table("instances") as table:
        table.add_column(sa.Column("body_part", sa.String(length=16), nullable=True))
        table.add_column(sa.Column("irradiation_event_uid", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("made_from_uid", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("open_questions", sa.String(length=255), nullable=True))
    op.create_index("ix_instances_irradiation_event_uid", "instances", ["irradiation_event_uid"])
    op.create_index("ix_instances_made_from_uid", "instances", ["made_from_uid"])

    op.create_table(
        "results",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("replaces_id", ROW_ID, nullable=True),
        sa.Column("sop_class_uid", UID, nullable=False),
        sa.Column("sop_instance_uid", UID, nullable=False),
        sa.Column("series_instance_uid", UID, nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("sha256", UID, nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_results_job_id"),
        sa.ForeignKeyConstraint(["replaces_id"], ["results.id"], name="fk_results_replaces_id"),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
        sa.UniqueConstraint("job_id", "kind", "sop_class_uid", name="uq_results_job_id_kind_sop_class_uid"),
    )
    op.create_index("ix_results_sop_instance_uid", "results", ["sop_instance_uid"])
    op.execute(
        sa.text(
            "INSERT INTO results (job_id, kind, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256,"
            " created_at) SELECT jobs.id, 'SOFT_TISSUE',"
            " CASE instances.sop_class_uid WHEN :processing THEN :presentation ELSE instances.sop_class_uid END,"
            " jobs.derived_sop_instance_uid, jobs.derived_series_instance_uid, jobs.derived_path, jobs.derived_sha256,"
            " jobs.updated_at FROM jobs JOIN instances ON instances.id = jobs.instance_id"
            " WHERE jobs.derived_path IS NOT NULL ORDER BY jobs.created_at, jobs.id"
        ).bindparams(processing=FOR_PROCESSING, presentation=FOR_PRESENTATION)
    )

    op.create_table(
        "commitment_requests",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("transaction_uid", UID, nullable=False),
        sa.Column("remote_node_id", ROW_ID, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", UTC_TIME, nullable=True),
        sa.Column("lease_owner", sa.String(length=255), nullable=True),
        sa.Column("lease_expires_at", UTC_TIME, nullable=True),
        sa.Column("fencing_token", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("requested_at", UTC_TIME, nullable=True),
        sa.Column("expires_at", UTC_TIME, nullable=True),
        sa.Column("reported_at", UTC_TIME, nullable=True),
        sa.Column("reason_code", UID, nullable=True),
        sa.Column("reason_detail", sa.String(length=2000), nullable=True),
        sa.Column("updated_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["remote_node_id"], ["remote_nodes.id"], name="fk_commitment_requests_remote_node_id"),
        sa.PrimaryKeyConstraint("id", name="pk_commitment_requests"),
        sa.UniqueConstraint("transaction_uid", name="uq_commitment_requests_transaction_uid"),
    )
    op.create_index("ix_commitment_requests_state_expires_at", "commitment_requests", ["state", "expires_at"])
    op.create_index("ix_commitment_requests_remote_node_id_state", "commitment_requests", ["remote_node_id", "state"])

    with op.batch_alter_table("deliveries") as table:
        table.add_column(sa.Column("result_id", ROW_ID, nullable=True))
        table.add_column(sa.Column("commitment_request_id", ROW_ID, nullable=True))
        table.add_column(sa.Column("resends", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("sent_at", UTC_TIME, nullable=True))
    op.execute(
        "UPDATE deliveries SET result_id = (SELECT results.id FROM results WHERE results.job_id = deliveries.job_id)"
    )
    op.execute("UPDATE deliveries SET sent_at = updated_at WHERE state = 'SENT'")
    with op.batch_alter_table("deliveries") as table:
        table.alter_column("resends", server_default=None)
        table.alter_column("result_id", existing_type=ROW_ID, nullable=False)
        table.drop_constraint("uq_deliveries_job_id_remote_node_id", type_="unique")
        table.create_unique_constraint("uq_deliveries_result_id_remote_node_id", ["result_id", "remote_node_id"])
        table.create_foreign_key("fk_deliveries_result_id", "results", ["result_id"], ["id"])
        table.create_foreign_key(
            "fk_deliveries_commitment_request_id", "commitment_requests", ["commitment_request_id"], ["id"]
        )
    op.create_index("ix_deliveries_job_id", "deliveries", ["job_id"])
    op.create_index("ix_deliveries_commitment_request_id", "deliveries", ["commitment_request_id"])

    with op.batch_alter_table("jobs") as table:
        table.add_column(sa.Column("purpose", STATE, nullable=False, server_default="SUPPRESS"))
    with op.batch_alter_table("jobs") as table:
        table.alter_column("purpose", server_default=None)
        table.drop_constraint("uq_jobs_instance_id", type_="unique")
        table.create_unique_constraint("uq_jobs_instance_id_purpose", ["instance_id", "purpose"])
        for column in _DERIVED:
            table.drop_column(column)


_DERIVED = {
    "derived_sop_instance_uid": 64,
    "derived_series_instance_uid": 64,
    "derived_path": 255,
    "derived_sha256": 64,
}


def downgrade() -> None:
    """Back to one result a job; what the older version has no place for is left behind."""
    op.execute("DELETE FROM job_events WHERE job_id IN (SELECT id FROM jobs WHERE purpose <> 'SUPPRESS')")
    op.execute(
        "DELETE FROM deliveries WHERE result_id IN (SELECT id FROM results WHERE kind <> 'SOFT_TISSUE' OR replaces_id"
        " IS NOT NULL)"
    )
    op.execute("UPDATE deliveries SET state = 'SENT' WHERE state IN ('COMMITTED', 'VERIFIED', 'REPLACED', 'DECLINED')")
    with op.batch_alter_table("jobs") as table:
        for column, length in _DERIVED.items():
            table.add_column(sa.Column(column, sa.String(length=length), nullable=True))
    for column, found in {
        "derived_sop_instance_uid": "sop_instance_uid",
        "derived_series_instance_uid": "series_instance_uid",
        "derived_path": "path",
        "derived_sha256": "sha256",
    }.items():
        op.execute(
            f"UPDATE jobs SET {column} = (SELECT results.{found} FROM results WHERE results.job_id = jobs.id"
            " AND results.kind = 'SOFT_TISSUE' AND results.replaces_id IS NULL)"
        )
    op.execute("UPDATE jobs SET state = 'DELIVERED' WHERE state = 'COMMITTED'")
    op.execute("UPDATE jobs SET state = 'FAILED' WHERE state = 'REFUSED'")
    op.execute("UPDATE job_events SET to_state = 'DELIVERED' WHERE to_state = 'COMMITTED'")
    op.execute("UPDATE job_events SET to_state = 'FAILED' WHERE to_state = 'REFUSED'")
    op.drop_index("ix_deliveries_commitment_request_id", table_name="deliveries")
    op.drop_index("ix_deliveries_job_id", table_name="deliveries")
    with op.batch_alter_table("deliveries") as table:
        table.drop_constraint("fk_deliveries_commitment_request_id", type_="foreignkey")
        table.drop_constraint("fk_deliveries_result_id", type_="foreignkey")
        table.drop_constraint("uq_deliveries_result_id_remote_node_id", type_="unique")
        table.create_unique_constraint("uq_deliveries_job_id_remote_node_id", ["job_id", "remote_node_id"])
        for column in ("result_id", "commitment_request_id", "resends", "sent_at"):
            table.drop_column(column)
    op.drop_index("ix_commitment_requests_remote_node_id_state", table_name="commitment_requests")
    op.drop_index("ix_commitment_requests_state_expires_at", table_name="commitment_requests")
    op.drop_table("commitment_requests")
    op.drop_index("ix_results_sop_instance_uid", table_name="results")
    op.drop_table("results")
    op.execute("DELETE FROM jobs WHERE purpose <> 'SUPPRESS'")
    with op.batch_alter_table("jobs") as table:
        table.drop_constraint("uq_jobs_instance_id_purpose", type_="unique")
        table.create_unique_constraint("uq_jobs_instance_id", ["instance_id"])
        table.drop_column("purpose")
    op.drop_index("ix_instances_made_from_uid", table_name="instances")
    op.drop_index("ix_instances_irradiation_event_uid", table_name="instances")
    with op.batch_alter_table("instances") as table:
        for column in ("body_part", "irradiation_event_uid", "made_from_uid", "open_questions"):
            table.drop_column(column)
    with op.batch_alter_table("remote_nodes") as table:
        for column in (
            "tls",
            "url",
            "token_file",
            "requests_commitment",
            "verifies",
            "failures_in_a_row",
            "paused_until",
        ):
            table.drop_column(column)
