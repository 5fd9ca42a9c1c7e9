"""Replay receipts: written with the results they are about, in the same transaction, and read by whoever asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.registry.receipt_facts import ReceiptFacts
from service.registry.receipt_table import Receipt
from service.registry.result_kinds import ResultKind
from service.registry.tables import Instance, Job, Result


@dataclass(frozen=True)
class ReceiptRow:
    """The receipt of a job's results, and when it was written."""

    job_id: str
    created_at: datetime
    facts: ReceiptFacts


@dataclass(frozen=True)
class Replayable:
    """What a replay needs: the receipt, and where source and soft-tissue image lie.

    `source_removed_at`, `result_removed_at`: retention has removed the file.
    """

    receipt: ReceiptRow
    source_path: str
    source_removed_at: datetime | None
    result_path: str
    result_sha256: str
    result_removed_at: datetime | None
    open_questions: frozenset[str]


def record_receipt(session: Session, job_id: str, facts: ReceiptFacts, *, now: datetime) -> None:
    """Write the receipt of a job, in the place of one from an earlier run. The caller holds the job."""
    session.merge(Receipt(job_id=job_id, created_at=now, **asdict(facts)))


def find_receipt(session: Session, job_id: str) -> ReceiptRow | None:
    """The receipt of a job; None: nothing was made by it, or by a release that wrote none."""
    row = session.get(Receipt, job_id)
    return None if row is None else _row(row)


def find_replayable(session: Session, job_id: str) -> Replayable | None:
    """What a replay of a job needs; None: it has no receipt or no soft-tissue image."""
    found = session.execute(
        select(Receipt, Instance, Result)
        .join(Job, Job.id == Receipt.job_id)
        .join(Instance, Instance.id == Job.instance_id)
        .join(Result, Result.job_id == Job.id)
        .where(Job.id == job_id, Result.kind == ResultKind.SOFT_TISSUE, Result.replaces_id.is_(None))
    ).one_or_none()
    if found is None:
        return None
    receipt, instance, result = found
    return Replayable(
        receipt=_row(receipt),
        source_path=instance.path,
        source_removed_at=instance.file_removed_at,
        result_path=result.path,
        result_sha256=result.sha256,
        result_removed_at=result.file_removed_at,
        open_questions=frozenset(filter(None, (instance.open_questions or "").split(","))),
    )


def _row(row: Receipt) -> ReceiptRow:
    facts = ReceiptFacts(**{name: getattr(row, name) for name in ReceiptFacts.__dataclass_fields__})
    return ReceiptRow(row.job_id, row.created_at, facts)
