"""Add recalls and the jobs that each takes back.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recalls",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("words", sa.String(length=2000), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=True),
        sa.Column("service_version", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=True),
        sa.Column("received_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_by", sa.String(length=255), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(length=255), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> proposed_by", name="ck_recalls_two_people"),
        sa.PrimaryKeyConstraint("id", name="pk_recalls"),
    )
    op.create_index("ix_recalls_state_proposed_at", "recalls", ["state", "proposed_at"])
    op.create_index("ix_recalls_proposed_at_id", "recalls", ["proposed_at", "id"])
    op.create_table(
        "recall_items",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("recall_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note_job_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_recall_items_job_id"),
        sa.ForeignKeyConstraint(["recall_id"], ["recalls.id"], name="fk_recall_items_recall_id"),
        sa.ForeignKeyConstraint(["note_job_id"], ["jobs.id"], name="fk_recall_items_note_job_id"),
        sa.PrimaryKeyConstraint("job_id", name="pk_recall_items"),
    )
    op.create_index("ix_recall_items_recall_id_state_job_id", "recall_items", ["recall_id", "state", "job_id"])
    op.create_index("ix_recall_items_note_job_id", "recall_items", ["note_job_id"])


def downgrade() -> None:
    op.drop_table("recall_items")
    op.drop_table("recalls")
