"""The derived objects of a job: written once, when the job is derived, and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from service.errors import PermanentError
from service.registry.claims import ResultFacts
from service.registry.job_states import DeliveryState
from service.registry.tables import Delivery, Result

_ARRIVED = (DeliveryState.SENT, DeliveryState.COMMITTED, DeliveryState.VERIFIED)


@dataclass(frozen=True)
class ResultFile:
    """A derived object in the instance store; `removed_at`: retention has removed it."""

    path: str
    sha256: str
    removed_at: datetime | None


def record_results(session: Session, job_id: str, results: Sequence[ResultFacts], *, now: datetime) -> None:
    """Write the rows of what a finished job left in the instance store.

    What was made before, and lost, is the same object again: its row gets the new file. Raises PermanentError when it
    came out under another UID and the former one has been sent: a PACS would get two results for one image.
    """
    for result in results:
        former = session.scalar(
            select(Result).where(
                Result.job_id == job_id, Result.kind == result.kind, Result.sop_class_uid == result.sop_class_uid
            )
        )
        if former is None:
            session.add(_row(job_id, result, None, now))
            continue
        if former.sop_instance_uid != result.sop_instance_uid and _was_sent(session, former.id):
            raise PermanentError(
                "RESULT_CHANGED",
                f"expected {result.kind} {former.sop_instance_uid} again, which was delivered; found "
                f"{result.sop_instance_uid}: the model or its parameters have changed",
            )
        _renew(former, result)
    session.flush()


def result_files(session: Session, job_id: str) -> list[ResultFile]:
    """Where the derived objects of a job lie."""
    rows = session.execute(
        select(Result.path, Result.sha256, Result.file_removed_at).where(
            Result.job_id == job_id, Result.replaces_id.is_(None)
        )
    ).all()
    return [ResultFile(row.path, row.sha256, row.file_removed_at) for row in rows]


def facts_of(row: Result) -> ResultFacts:
    """A derived object as whoever sends it holds it."""
    return ResultFacts(
        kind=row.kind,
        sop_class_uid=row.sop_class_uid,
        sop_instance_uid=row.sop_instance_uid,
        series_instance_uid=row.series_instance_uid,
        path=row.path,
        sha256=row.sha256,
    )


def _was_sent(session: Session, result_id: int) -> bool:
    """Whether a node has the object, or the Secondary Capture in its place."""
    same_picture = or_(Result.id == result_id, Result.replaces_id == result_id)
    sent = select(Delivery.id).join(Result, Result.id == Delivery.result_id)
    return session.scalar(sent.where(same_picture, Delivery.state.in_(_ARRIVED)).limit(1)) is not None


def record_replacement(session: Session, job_id: str, replaced_id: int, result: ResultFacts, *, now: datetime) -> int:
    """The row of the same picture in another SOP class; the one that is there already if it was made before.

    That one gets the new file: its own may have been lost or removed since, or show what was computed before.
    """
    made = session.scalar(select(Result).where(Result.replaces_id == replaced_id, Result.job_id == job_id))
    if made is not None:
        _renew(made, result)
        session.flush()
        return made.id
    row = _row(job_id, result, replaced_id, now)
    session.add(row)
    session.flush()
    return row.id


def has_results(session: Session, job_id: str) -> bool:
    """Whether the job has come as far as a derived object."""
    return bool(session.scalar(select(exists().where(Result.job_id == job_id))))


def _renew(former: Result, result: ResultFacts) -> None:
    former.sop_instance_uid, former.series_instance_uid = result.sop_instance_uid, result.series_instance_uid
    former.path, former.sha256 = result.path, result.sha256
    former.file_removed_at = former.file_fault = former.file_fault_at = None


def _row(job_id: str, result: ResultFacts, replaces_id: int | None, now: datetime) -> Result:
    return Result(
        job_id=job_id,
        kind=result.kind,
        replaces_id=replaces_id,
        sop_class_uid=result.sop_class_uid,
        sop_instance_uid=result.sop_instance_uid,
        series_instance_uid=result.series_instance_uid,
        path=result.path,
        sha256=result.sha256,
        created_at=now,
    )
