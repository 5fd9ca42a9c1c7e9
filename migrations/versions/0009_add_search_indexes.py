"""Add the indexes by which jobs are found by their sender and by the weights that made them, newest first.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_jobs_source_created_at", "jobs", ["source", "created_at"])
    op.create_index("ix_jobs_model_sha256_created_at", "jobs", ["model_sha256", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_jobs_model_sha256_created_at", table_name="jobs")
    op.drop_index("ix_jobs_source_created_at", table_name="jobs")
