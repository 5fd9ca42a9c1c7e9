"""Add what retention, reconciliation and admission write down; what was committed to before stays committed to.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NEW_COLUMNS: dict[str, tuple[str, ...]] = {
    "instances": ("file_removed_at", "file_returned_at", "promised_at", "file_fault", "file_fault_at"),
    "results": ("file_removed_at", "file_fault", "file_fault_at"),
    "rejected_objects": ("file_removed_at",),
    "jobs": ("previews_removed_at",),
}
NEW_INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "instances": (("path",), ("file_removed_at", "id"), ("file_fault", "id")),
    "results": (("path",), ("file_removed_at", "id"), ("file_fault", "id")),
    "rejected_objects": (("path",), ("file_removed_at", "id")),
    "jobs": (
        ("previews_removed_at", "created_at"),
        ("preview_source_path",),
        ("preview_soft_path",),
        ("preview_bone_path",),
    ),
}


def upgrade() -> None:
    for table, columns in NEW_COLUMNS.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.String(64) if column == "file_fault" else TIME, nullable=True))
    for table, indexes in NEW_INDEXES.items():
        for indexed in indexes:
            op.create_index(_index(table, indexed), table, list(indexed))
    op.create_table(
        "admission_marks",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("refusing", sa.Boolean(), nullable=False),
        sa.Column("reason_code", sa.String(64), nullable=True),
        sa.Column("reason_detail", sa.String(2000), nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_admission_marks"),
    )
    op.create_table(
        "upkeep_tasks",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("position", sa.String(255), nullable=False),
        sa.Column("lease_owner", sa.String(255), nullable=True),
        sa.Column("lease_expires_at", TIME, nullable=True),
        sa.Column("fencing_token", sa.Integer(), nullable=False),
        sa.Column("passed_at", TIME, nullable=True),
        sa.Column("lap_ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_upkeep_tasks"),
    )
    _keep_what_was_committed_to()


def downgrade() -> None:
    op.drop_table("upkeep_tasks")
    op.drop_table("admission_marks")
    for table, indexes in NEW_INDEXES.items():
        for indexed in indexes:
            op.drop_index(_index(table, indexed), table_name=table)
    for table, columns in NEW_COLUMNS.items():
        with op.batch_alter_table(table) as altered:
            for column in columns:
                altered.drop_column(column)


def _index(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def _keep_what_was_committed_to() -> None:
    """Reports that were taken before this column was there: whoever was told may have deleted its own copy."""
    connection = op.get_bind()
    promises = sa.table("commitment_promises", sa.column("requested", sa.Text), sa.column("reported_at", TIME))
    instances = sa.table("instances", sa.column("sop_instance_uid", sa.String), sa.column("promised_at", TIME))
    reported = sa.select(promises.c.requested, promises.c.reported_at).where(promises.c.reported_at.is_not(None))
    for requested, reported_at in connection.execute(reported).all():
        for line in requested.splitlines():
            covered = instances.c.sop_instance_uid == line.partition("=")[2]
            connection.execute(sa.update(instances).where(covered).values(promised_at=reported_at))
