"""What monitoring has counted so far, so that no finished row is looked at again; part of the registry's tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, String
from sqlalchemy.orm import Mapped, mapped_column

from service.registry.tables import Table


class MetricTotal(Table):
    """One number that only grows. `family` says of what: `stage` (label: the stage, part: the upper bound of a bucket
    in s) or `outcome` (label: the model, part: the state). `seconds`: their sum, of a stage.
    """

    __tablename__ = "metric_totals"

    family: Mapped[str] = mapped_column(String(16), primary_key=True)
    label: Mapped[str] = mapped_column(String(64), primary_key=True)
    part: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Float)
