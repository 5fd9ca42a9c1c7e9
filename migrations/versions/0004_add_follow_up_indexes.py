"""Add the indexes that keep the follow-up of what was sent from reading what has been followed up.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NOT_ASKED_ABOUT = ("remote_node_id", "state", "commitment_request_id")


def upgrade() -> None:
    op.create_index("ix_commitment_requests_state_not_before", "commitment_requests", ["state", "not_before"])
    op.create_index(f"ix_deliveries_{'_'.join(NOT_ASKED_ABOUT)}", "deliveries", list(NOT_ASKED_ABOUT))
    op.drop_index("ix_deliveries_remote_node_id_state", table_name="deliveries")


def downgrade() -> None:
    op.create_index("ix_deliveries_remote_node_id_state", "deliveries", ["remote_node_id", "state"])
    op.drop_index(f"ix_deliveries_{'_'.join(NOT_ASKED_ABOUT)}", table_name="deliveries")
    op.drop_index("ix_commitment_requests_state_not_before", table_name="commitment_requests")
