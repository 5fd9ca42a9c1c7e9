"""Add the order of work: priority, the turns of the sources, deadlines, and what a job that stands still waits for.

Revision ID: 0005
Revises: 0004

Writers of the previous release know none of the columns: all have a default or may be empty. What they queue is ROUTINE
and has the first turn.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True)
AE_TITLE = sa.String(length=16)
JOB_COLUMNS = ("priority", "source", "turn", "due_at", "late_at")
JOB_INDEXES = {
    "ix_jobs_turns": ["state", "purpose", "priority", "not_before", "turn", "created_at"],
    "ix_jobs_turns_of_a_source": ["state", "purpose", "priority", "source", "turn"],
    "ix_jobs_state_reason_code_announced_at": ["state", "reason_code", "announced_at"],
    "ix_jobs_state_due_at": ["state", "due_at"],
    "ix_jobs_late_at": ["late_at"],
}
DELIVERY_TURNS = ["remote_node_id", "state", "priority", "not_before", "id"]


def upgrade() -> None:
    with op.batch_alter_table("jobs") as table:
        table.add_column(sa.Column("priority", sa.SmallInteger(), nullable=False, server_default=sa.text("1")))
        table.add_column(sa.Column("source", AE_TITLE, nullable=True))
        table.add_column(sa.Column("turn", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
        table.add_column(sa.Column("due_at", UTC_TIME, nullable=True))
        table.add_column(sa.Column("late_at", UTC_TIME, nullable=True))
    with op.batch_alter_table("deliveries") as table:
        table.add_column(sa.Column("priority", sa.SmallInteger(), nullable=False, server_default=sa.text("1")))
    op.execute(
        "UPDATE jobs SET source = (SELECT instances.calling_ae_title FROM instances"
        " WHERE instances.id = jobs.instance_id) WHERE state IN ('QUEUED', 'RUNNING', 'DERIVED', 'FAILED')"
    )
    op.execute(
        "UPDATE jobs SET reason_code = 'WAITING_FOR_DESTINATION' WHERE state = 'DERIVED'"
        " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.job_id = jobs.id)"
    )
    for name, columns in JOB_INDEXES.items():
        op.create_index(name, "jobs", columns)
    op.create_index("ix_deliveries_turns", "deliveries", DELIVERY_TURNS)


def downgrade() -> None:
    """Back to first come, first served; what was cancelled is FAILED to the older version."""
    op.execute("UPDATE jobs SET state = 'FAILED' WHERE state = 'CANCELLED'")
    op.execute("UPDATE job_events SET to_state = 'FAILED' WHERE to_state = 'CANCELLED'")
    op.execute("UPDATE job_events SET from_state = 'FAILED' WHERE from_state = 'CANCELLED'")
    op.execute("UPDATE deliveries SET state = 'FAILED' WHERE state = 'CANCELLED'")
    op.execute("UPDATE jobs SET reason_code = NULL, reason_detail = NULL WHERE reason_code = 'WAITING_FOR_DESTINATION'")
    op.drop_index("ix_deliveries_turns", table_name="deliveries")
    for name in JOB_INDEXES:
        op.drop_index(name, table_name="jobs")
    with op.batch_alter_table("deliveries") as table:
        table.drop_column("priority")
    with op.batch_alter_table("jobs") as table:
        for column in JOB_COLUMNS:
            table.drop_column(column)
