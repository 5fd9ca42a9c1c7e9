"""Add reader studies: scores of results, reading lists, readings with their marks, and true findings.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC_TIME = sa.DateTime(timezone=True)
TABLES = (
    "result_scores",
    "reader_studies",
    "reader_study_readers",
    "reader_study_cases",
    "reader_study_truths",
    "case_readings",
    "reading_marks",
)


def upgrade() -> None:
    _create_scores()
    _create_studies()
    _create_readings()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_scores() -> None:
    op.create_table(
        "result_scores",
        sa.Column("id", ROW_ID, nullable=False),
        _reference("result_scores", "job_id", "jobs.id", sa.String(length=36)),
        sa.Column("result_sha256", sa.String(length=64), nullable=False),
        sa.Column("model_name", sa.String(length=64), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=128), nullable=False),
        sa.Column("lung_vessels", sa.Integer(), nullable=False),
        sa.Column("airways", sa.Integer(), nullable=False),
        sa.Column("bone_suppression", sa.Integer(), nullable=False),
        sa.Column("scored_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_result_scores"),
    )
    op.create_index("ix_result_scores_job_id_reader_id", "result_scores", ["job_id", "reader", "id"])


def _create_studies() -> None:
    op.create_table(
        "reader_studies",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("finding_types", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("washout_days", sa.Integer(), nullable=False),
        sa.Column("tolerance_mm", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("closed_at", UTC_TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reader_studies"),
        sa.UniqueConstraint("name", name="uq_reader_studies_name"),
    )
    op.create_table(
        "reader_study_readers",
        sa.Column("id", ROW_ID, nullable=False),
        _reference("reader_study_readers", "reader_study_id", "reader_studies.id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reader_study_readers"),
        sa.UniqueConstraint("reader_study_id", "reader", name="uq_reader_study_readers_reader_study_id_reader"),
        sa.UniqueConstraint("reader_study_id", "number", name="uq_reader_study_readers_reader_study_id_number"),
    )
    op.create_table(
        "reader_study_cases",
        sa.Column("id", ROW_ID, nullable=False),
        _reference("reader_study_cases", "reader_study_id", "reader_studies.id"),
        sa.Column("number", sa.Integer(), nullable=False),
        _reference("reader_study_cases", "job_id", "jobs.id", sa.String(length=36)),
        sa.Column("result_sha256", sa.String(length=64), nullable=False),
        sa.Column("image_rows", sa.Integer(), nullable=False),
        sa.Column("image_columns", sa.Integer(), nullable=False),
        sa.Column("row_mm", sa.Double(), nullable=False),
        sa.Column("column_mm", sa.Double(), nullable=False),
        sa.Column("truth_known", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reader_study_cases"),
        sa.UniqueConstraint("reader_study_id", "number", name="uq_reader_study_cases_reader_study_id_number"),
        sa.UniqueConstraint("reader_study_id", "job_id", name="uq_reader_study_cases_reader_study_id_job_id"),
    )
    op.create_table(
        "reader_study_truths",
        sa.Column("id", ROW_ID, nullable=False),
        _reference("reader_study_truths", "reader_study_case_id", "reader_study_cases.id"),
        *_region(),
        sa.PrimaryKeyConstraint("id", name="pk_reader_study_truths"),
    )
    op.create_index("ix_reader_study_truths_reader_study_case_id", "reader_study_truths", ["reader_study_case_id"])


def _create_readings() -> None:
    op.create_table(
        "case_readings",
        sa.Column("id", ROW_ID, nullable=False),
        _reference("case_readings", "reader_study_reader_id", "reader_study_readers.id"),
        _reference("case_readings", "reader_study_case_id", "reader_study_cases.id"),
        sa.Column("reading", sa.String(length=64), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("started_at", UTC_TIME, nullable=False),
        sa.Column("finished_at", UTC_TIME, nullable=True),
        sa.Column("active_ms", sa.Integer(), nullable=True),
        sa.Column("unreadable", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_readings"),
        sa.UniqueConstraint("reader_study_reader_id", "reader_study_case_id", "reading", name="uq_case_readings_whose"),
    )
    op.create_index("ix_case_readings_reader_study_case_id", "case_readings", ["reader_study_case_id"])
    op.create_table(
        "reading_marks",
        sa.Column("id", ROW_ID, nullable=False),
        _reference("reading_marks", "case_reading_id", "case_readings.id"),
        *_region(),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reading_marks"),
    )
    op.create_index("ix_reading_marks_case_reading_id", "reading_marks", ["case_reading_id"])


def _region() -> list[sa.Column[object]]:
    sides: list[sa.Column[object]] = [
        sa.Column(side, sa.Double(), nullable=False) for side in ("column_px", "row_px", "width_px", "height_px")
    ]
    return [*sides, sa.Column("finding_type", sa.String(length=64), nullable=False)]


def _reference(table: str, column: str, target: str, kind: sa.String | sa.BigInteger = ROW_ID) -> sa.Column[object]:
    foreign = sa.ForeignKey(target, name=f"fk_{table}_{column}")
    return sa.Column(column, kind, foreign, nullable=False)
