"""What every table of the registry shares: the metadata that migrations are compared with, and the types of columns."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Enum, MetaData
from sqlalchemy.orm import DeclarativeBase

from service.priorities import Priority
from service.registry.column_types import PriorityRank, UtcDateTime
from service.registry.job_states import CommitmentState, DeliveryState, JobPurpose, JobState
from service.registry.recall_states import RecallItemState, RecallReason, RecallState
from service.registry.result_kinds import ResultKind


class Table(DeclarativeBase):
    """The metadata that migrations are compared with; every constraint has a name so that it can be altered."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime(),
        JobState: Enum(JobState, native_enum=False, create_constraint=False, length=16),
        DeliveryState: Enum(DeliveryState, native_enum=False, create_constraint=False, length=16),
        CommitmentState: Enum(CommitmentState, native_enum=False, create_constraint=False, length=16),
        JobPurpose: Enum(JobPurpose, native_enum=False, create_constraint=False, length=16),
        Priority: PriorityRank(),
        RecallState: Enum(RecallState, native_enum=False, create_constraint=False, length=16),
        RecallItemState: Enum(RecallItemState, native_enum=False, create_constraint=False, length=16),
        RecallReason: Enum(RecallReason, native_enum=False, create_constraint=False, length=16),
        ResultKind: Enum(ResultKind, native_enum=False, create_constraint=False, length=32),
    }
