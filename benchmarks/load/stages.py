"""How long each stage of each image took, from the history that the registry keeps and the files it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.registry.tables import Instance, Job, JobEvent, Result


class Stage(StrEnum):
    """The way of one image. Compute ends when the derived object's file is written, store when its rows are."""

    ACCEPT = "accept (C-STORE to its answer)"
    QUEUE = "wait in queue"
    COMPUTE = "compute (exact copy step)"
    STORE = "store (previews and rows)"
    WAIT_TO_SEND = "wait to be sent"
    DELIVER = "deliver (claim to answer)"
    TOTAL = "total (received to delivered)"


@dataclass(frozen=True)
class ImageRecord:
    """One image as the registry tells it; `events`: the first time of each kind."""

    sop_instance_uid: str
    derived_sop_instance_uid: str
    derived_path: str
    events: Mapping[str, datetime]


@dataclass
class StageTimes:
    """Seconds of each stage, one figure an image."""

    seconds: dict[Stage, list[float]] = field(default_factory=lambda: {stage: [] for stage in Stage})

    def median_and_p99(self, stage: Stage) -> tuple[float, float]:
        """(median, 99th percentile) in s; NaN where nothing was measured."""
        values = self.seconds[stage]
        if not values:
            return float("nan"), float("nan")
        return float(np.median(values)), float(np.percentile(values, 99))


def image_records(sessions: sessionmaker[Session]) -> list[ImageRecord]:
    """Every image that has a derived object."""
    rows = (
        select(Job.id, Instance.sop_instance_uid, Result.sop_instance_uid, Result.path)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Result, Result.job_id == Job.id)
        .order_by(Job.created_at)
    )
    times: dict[str, dict[str, datetime]] = {}
    with sessions() as session:
        for job_id, event, at in session.execute(
            select(JobEvent.job_id, JobEvent.event, JobEvent.at).order_by(JobEvent.id)
        ):
            times.setdefault(job_id, {}).setdefault(event, at)
        return [ImageRecord(uid, derived, path, times[job]) for job, uid, derived, path in session.execute(rows)]


def stage_times(records: list[ImageRecord], store: Path, accept_s: list[float]) -> StageTimes:
    """The stages of `records`; `accept_s` is what the senders saw. `store`: the folder that paths are relative to."""
    times = StageTimes()
    times.seconds[Stage.ACCEPT] = list(accept_s)
    for record in records:
        queued, claimed, derived, started, sent = (
            record.events[event].timestamp() if event in record.events else None
            for event in ("queued", "claimed", "derived", "delivery_claimed", "delivery_sent")
        )
        if queued is None or claimed is None or derived is None or started is None or sent is None:
            continue
        written = (store / record.derived_path).stat().st_mtime
        times.seconds[Stage.QUEUE].append(claimed - queued)
        times.seconds[Stage.COMPUTE].append(written - claimed)
        times.seconds[Stage.STORE].append(derived - written)
        times.seconds[Stage.WAIT_TO_SEND].append(started - derived)
        times.seconds[Stage.DELIVER].append(sent - started)
        times.seconds[Stage.TOTAL].append(sent - queued)
    return times
