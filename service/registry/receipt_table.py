"""What a result was made of and with; part of the registry's tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.column_types import JOB_ID, SHA256, ForeignText
from service.registry.tables import Table


class Receipt(Table):
    """The replay receipt of a job's results: all that decides their pixels, and how long it took.

    `libraries`: "name version", with commas. A job that is computed again, for its files were lost, gets the receipt of
    the later run. The index serves the question which results a model made.
    """

    __tablename__ = "receipts"
    __table_args__ = (Index(None, "model_sha256", "created_at"),)

    job_id: Mapped[str] = mapped_column(JOB_ID, ForeignKey("jobs.id"), primary_key=True)
    source_sha256: Mapped[str] = mapped_column(SHA256)
    model_name: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(ForeignText(64))
    model_sha256: Mapped[str] = mapped_column(SHA256)
    architecture: Mapped[str] = mapped_column(ForeignText(64))
    preset: Mapped[str] = mapped_column(ForeignText(64))
    sampler: Mapped[str] = mapped_column(ForeignText(64))
    steps: Mapped[int]
    seed: Mapped[int]
    seeds: Mapped[int]
    parameters: Mapped[str] = mapped_column(ForeignText(255))
    precision: Mapped[str] = mapped_column(ForeignText(32))
    device: Mapped[str] = mapped_column(ForeignText(255))
    service_version: Mapped[str] = mapped_column(ForeignText(64))
    libraries: Mapped[str] = mapped_column(ForeignText(500))
    inference_s: Mapped[float] = mapped_column(Double)
    storing_s: Mapped[float] = mapped_column(Double)
    created_at: Mapped[datetime]
