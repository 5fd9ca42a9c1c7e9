"""Recalls as API and command line order them: each order with its line in the audit trail, in one transaction.

Only people recall: whoever is an API token, or nobody in particular on a machine without a login, neither proposes nor
approves, for then nobody could say that they were two.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from service.audit.chain import append
from service.audit.events import Actor, ActorKind, AuditEvent, AuditKind
from service.registry import recalls
from service.registry.recall_search import RecallCriteria
from service.registry.recall_states import RecallReason
from service.registry.recalls import RecallRefusedError

PEOPLE = frozenset({ActorKind.USER, ActorKind.COMMAND_LINE})


def propose(
    session: Session, criteria: RecallCriteria, reason: RecallReason, words: str, *, by: Actor, now: datetime
) -> str:
    """`recalls.propose` by a person; returns the recall's id. Raises PermanentError; the caller then rolls back."""
    _require_person(by)
    recall_id = recalls.propose(session, criteria, reason, words, by=by.name, now=now)
    row = recalls.find_recall(session, recall_id)
    jobs = sum(row.jobs_by_state.values()) if row else 0
    _record(session, AuditKind.RECALL_PROPOSED, by, recall_id, f"{reason}, {jobs} jobs", now)
    return recall_id


def approve(session: Session, recall_id: str, *, by: Actor, now: datetime) -> None:
    """`recalls.approve` by another person than the one who proposed it. Raises RecallRefusedError."""
    _require_known(session, recall_id)
    _require_person(by)
    recalls.approve(session, recall_id, by=by.name, now=now)
    _record(session, AuditKind.RECALL_APPROVED, by, recall_id, "", now)


def withdraw(session: Session, recall_id: str, *, by: Actor, now: datetime) -> None:
    """`recalls.withdraw`, by whoever administers. Raises RecallRefusedError."""
    recalls.withdraw(session, recall_id, now=now)
    _record(session, AuditKind.RECALL_WITHDRAWN, by, recall_id, "", now)


def _require_known(session: Session, recall_id: str) -> None:
    if recalls.find_recall(session, recall_id) is None:
        raise RecallRefusedError("RECALL_UNKNOWN", "no such recall")


def _require_person(by: Actor) -> None:
    if by.kind not in PEOPLE:
        raise RecallRefusedError(
            "RECALL_NEEDS_A_PERSON", f"expected a person who has logged in, or the command line, found {by.kind}"
        )


def _record(session: Session, kind: AuditKind, by: Actor, recall_id: str, detail: str, now: datetime) -> None:
    append(session, AuditEvent(kind, by, subject=recall_id, detail=detail), now=now)
