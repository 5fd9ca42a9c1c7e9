"""Add the requests for storage commitment that others make of us.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "commitment_promises",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("transaction_uid", sa.String(length=64), nullable=False),
        sa.Column("remote_node_id", ROW_ID, nullable=False),
        sa.Column("requested", sa.Text(), nullable=False),
        sa.Column("duplicate", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", UTC_TIME, nullable=True),
        sa.Column("lease_owner", sa.String(length=255), nullable=True),
        sa.Column("lease_expires_at", UTC_TIME, nullable=True),
        sa.Column("fencing_token", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("reported_at", UTC_TIME, nullable=True),
        sa.Column("closed_at", UTC_TIME, nullable=True),
        sa.Column("reason_code", sa.String(length=64), nullable=True),
        sa.Column("reason_detail", sa.String(length=2000), nullable=True),
        sa.ForeignKeyConstraint(["remote_node_id"], ["remote_nodes.id"], name="fk_commitment_promises_remote_node_id"),
        sa.PrimaryKeyConstraint("id", name="pk_commitment_promises"),
    )
    op.create_index("ix_commitment_promises_closed_at_id", "commitment_promises", ["closed_at", "id"])
    op.create_index("ix_commitment_promises_transaction_uid", "commitment_promises", ["transaction_uid"])


def downgrade() -> None:
    op.drop_index("ix_commitment_promises_transaction_uid", table_name="commitment_promises")
    op.drop_index("ix_commitment_promises_closed_at_id", table_name="commitment_promises")
    op.drop_table("commitment_promises")
