"""Add the replay receipt of each job's results.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipts",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("model_name", sa.String(length=64), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=False),
        sa.Column("architecture", sa.String(length=64), nullable=False),
        sa.Column("preset", sa.String(length=64), nullable=False),
        sa.Column("sampler", sa.String(length=64), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("seeds", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.String(length=255), nullable=False),
        sa.Column("precision", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=255), nullable=False),
        sa.Column("service_version", sa.String(length=64), nullable=False),
        sa.Column("libraries", sa.String(length=500), nullable=False),
        sa.Column("inference_s", sa.Double(), nullable=False),
        sa.Column("storing_s", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_receipts_job_id_jobs"),
        sa.PrimaryKeyConstraint("job_id", name="pk_receipts"),
    )
    op.create_index("ix_receipts_model_sha256_created_at", "receipts", ["model_sha256", "created_at"])


def downgrade() -> None:
    op.drop_table("receipts")
