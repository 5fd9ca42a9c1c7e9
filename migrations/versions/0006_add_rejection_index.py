"""Add the index from which rejected objects are counted by their reason, without reading each.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_rejected_objects_reason_code", "rejected_objects", ["reason_code"])


def downgrade() -> None:
    op.drop_index("ix_rejected_objects_reason_code", table_name="rejected_objects")
